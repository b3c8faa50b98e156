//! How a record looks: its keys in the live order, each with where its value comes from (contract
//! 6, appendix A).

pub(in crate::simulator) mod campaign;
pub(in crate::simulator) mod designation;
pub(in crate::simulator) mod fundraising_page;
mod gift;
mod person;
pub(in crate::simulator) mod plan;
pub(in crate::simulator) mod supporter;
pub(in crate::simulator) mod transaction;

pub(super) use gift::Gift;
pub(super) use person::Person;

use super::value::{Value, amount, moment, padded, quote, write_moment};
use crate::simulator::record::Record;
use crate::simulator::story::{Counts, Story};
use crate::simulator::world::Kind;
use std::borrow::Cow;

/// A key and where its value comes from.
pub(in crate::simulator) type Key = (&'static str, Source);

/// Where a value comes from: most keys are the same for every record, and the rest is told from the
/// record's seed.
pub(in crate::simulator) enum Source {
    /// JSON.
    Fixed(&'static str),
    /// JSON; the key is in the newer specification only, and not in what was seen live.
    Later(&'static str),
    Flag(fn(&Record) -> bool),
    /// A whole number.
    Count(fn(&Record) -> Option<i64>),
    /// Seconds since 1970.
    Time(fn(&Record) -> Option<i64>),
    Text(fn(&Record) -> Option<Cow<'static, str>>),
    /// Cents, as a number.
    Amount(fn(&Record) -> Option<i64>),
    /// Cents, as a text with so many decimals.
    Padded(usize, fn(&Record) -> Option<i64>),
    Json(fn(&Record) -> String),
}

/// What sets a kind of record apart in the API.
pub(in crate::simulator) struct About {
    /// The path segment.
    pub(in crate::simulator) path: &'static str,
    /// The word for one of them in the API's answers.
    pub(in crate::simulator) singular: &'static str,
    /// Whether webhooks tell of it.
    pub(in crate::simulator) has_webhooks: bool,
    /// The order when nobody says (contract 4): one for each list, and none to rely on.
    pub(in crate::simulator) order: &'static str,
    /// How many there are beside 9,480 supporters, as in the organization that the contract knows
    /// best.
    pub(in crate::simulator) share: usize,
    /// How many of all changes concern it, as a weight.
    pub(in crate::simulator) liveliness: u64,
    /// A text that people change now and then.
    pub(in crate::simulator) text: &'static str,
    /// How a story tells of it; absent: no story does.
    pub(in crate::simulator) told: Option<Told>,
    /// How a record looks.
    pub(in crate::simulator) keys: &'static [Key],
}

/// What a story knows of a kind of record.
pub(in crate::simulator) struct Told {
    /// How many there were at the start.
    pub(in crate::simulator) count: fn(&Counts) -> usize,
    /// When the one with this number was made.
    pub(in crate::simulator) born: fn(&Story, usize) -> Option<i64>,
}

/// The keys of a kind of record.
pub(in crate::simulator) const fn keys(kind: Kind) -> &'static [Key] {
    kind.about().keys
}

/// Where a key is.
pub(in crate::simulator) fn position(kind: Kind, name: &str) -> Option<usize> {
    keys(kind).iter().position(|(key, _)| *key == name)
}

/// What a filter's value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Time,
    Flag,
    Number,
    Text,
}

impl Source {
    pub(in crate::simulator) const fn is_later(&self) -> bool {
        matches!(self, Source::Later(_))
    }

    /// The JSON literal.
    pub(in crate::simulator) fn write(&self, record: &Record, out: &mut String) {
        fn some<T>(value: Option<T>, out: &mut String, write: impl FnOnce(T, &mut String)) {
            match value {
                Some(value) => write(value, out),
                None => out.push_str("null"),
            }
        }
        match self {
            Source::Fixed(literal) | Source::Later(literal) => out.push_str(literal),
            Source::Flag(flag) => out.push_str(if flag(record) { "true" } else { "false" }),
            Source::Count(count) => some(count(record), out, |count, out| {
                out.push_str(&count.to_string())
            }),
            Source::Time(time) => some(time(record), out, |at, out| {
                out.push('"');
                write_moment(at, out);
                out.push('"');
            }),
            Source::Text(text) => some(text(record), out, |text, out| quote(&text, out)),
            Source::Amount(cents) => some(cents(record), out, amount),
            Source::Padded(decimals, cents) => some(cents(record), out, |cents, out| {
                out.push('"');
                padded(cents, *decimals, out);
                out.push('"');
            }),
            Source::Json(json) => out.push_str(&json(record)),
        }
    }

    pub(super) fn kind(&self) -> Type {
        match self {
            Source::Fixed("true" | "false") | Source::Flag(_) => Type::Flag,
            Source::Time(_) => Type::Time,
            Source::Count(_) | Source::Amount(_) | Source::Padded(..) => Type::Number,
            Source::Fixed(literal) if literal.parse::<f64>().is_ok() => Type::Number,
            _ => Type::Text,
        }
    }

    /// What the record was born with.
    pub(in crate::simulator) fn value(&self, record: &Record) -> Value<'static> {
        fn some<T>(value: Option<T>, make: impl FnOnce(T) -> Value<'static>) -> Value<'static> {
            value.map_or(Value::Null, make)
        }
        match self {
            Source::Fixed(literal) | Source::Later(literal) => self.read(literal),
            Source::Flag(flag) => Value::Flag(flag(record)),
            Source::Count(number) | Source::Time(number) => {
                some(number(record), |number| Value::Number(number as f64))
            }
            Source::Amount(cents) | Source::Padded(_, cents) => {
                some(cents(record), |cents| Value::Number(cents as f64 / 100.0))
            }
            Source::Text(text) => some(text(record), Value::Text),
            Source::Json(json) => Value::Text(json(record).into()),
        }
    }

    /// A literal, as what this key holds.
    pub(in crate::simulator) fn read<'a>(&self, literal: &'a str) -> Value<'a> {
        let bare = literal
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(literal);
        match self.kind() {
            _ if literal == "null" => Value::Null,
            Type::Flag => Value::Flag(bare == "true" || bare == "1"),
            Type::Time => moment(bare).map_or(Value::Null, |at| Value::Number(at as f64)),
            Type::Number => bare.parse().map_or(Value::Null, Value::Number),
            Type::Text => Value::Text(bare.into()),
        }
    }
}
