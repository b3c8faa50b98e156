//! The grammar of `filter` and `sort` (contract 4 and 5): one decoding, seven operators, a comma
//! for "and", whole seconds.

use super::keys::{Type, keys, position};
use super::value::{Value, moment};
use crate::simulator::record::Record;
use crate::simulator::world::Kind;
use std::cmp::Ordering;

/// One condition of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    key: usize,
    operator: Operator,
    value: Value<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtMost,
    AtLeast,
    Not,
    Is,
    Below,
    Above,
}

/// The longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<>", Operator::Not),
    ("!=", Operator::Not),
    ("=", Operator::Is),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// One key of a sort order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sort {
    key: usize,
    pub(super) descending: bool,
}

/// Parses a filter; the error is the API's text, which for an unknown attribute nobody has
/// recorded.
pub(super) fn filter(kind: Kind, text: &str) -> Result<Vec<Condition>, String> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| condition(kind, part))
        .collect()
}

fn condition(kind: Kind, part: &str) -> Result<Condition, String> {
    let at = part.find(['<', '>', '=', '!']).unwrap_or(part.len());
    let (field, rest) = part.split_at(at);
    let read = || {
        let (sign, operator) = OPERATORS
            .into_iter()
            .find(|(sign, _)| rest.starts_with(sign))?;
        let key = position(kind, field)?;
        let text = &rest[sign.len()..];
        let value = match (keys(kind)[key].1.kind(), text) {
            (Type::Time, _) => Value::Number(moment(text)? as f64),
            (Type::Flag, "true" | "1") => Value::Flag(true),
            (Type::Flag, "false" | "0") => Value::Flag(false),
            (Type::Flag, _) => return None,
            (Type::Number, _) => Value::Number(text.parse().ok()?),
            (Type::Text, _) => Value::Text(text.to_owned().into()),
        };
        Some(Condition {
            key,
            operator,
            value,
        })
    };
    read().ok_or_else(|| format!("Invalid value and/or operator for {field} filtering condition."))
}

impl Condition {
    /// The records of one parent.
    pub(super) fn of_parent(kind: Kind, field: &str, id: i64) -> Option<Condition> {
        position(kind, field).map(|key| Condition {
            key,
            operator: Operator::Is,
            value: Value::Number(id as f64),
        })
    }

    /// What is null meets no condition.
    pub(super) fn holds(&self, record: &Record) -> bool {
        let value = record.value(self.key);
        let order = value.compare(&self.value);
        value != Value::Null
            && match self.operator {
                Operator::AtMost => order.is_le(),
                Operator::AtLeast => order.is_ge(),
                Operator::Not => order.is_ne(),
                Operator::Is => order.is_eq(),
                Operator::Below => order.is_lt(),
                Operator::Above => order.is_gt(),
            }
    }

    /// Whether, in the order of that key, all that meet it are side by side at the larger end.
    pub(super) fn is_lower_bound_of(&self, sort: &Sort) -> bool {
        self.key == sort.key && matches!(self.operator, Operator::AtLeast | Operator::Above)
    }
}

/// Parses a sort order; nobody has recorded the API's text for a wrong one.
pub(super) fn sort(kind: Kind, text: &str) -> Result<Vec<Sort>, String> {
    let key = |part: &str| {
        let (field, direction) = part.split_once(':').unwrap_or((part, "asc"));
        let key = position(kind, field).filter(|_| matches!(direction, "asc" | "desc"));
        key.map(|key| Sort {
            key,
            descending: direction == "desc",
        })
        .ok_or_else(|| format!("Invalid value and/or operator for {field} sorting condition."))
    };
    text.split(',').map(key).collect()
}

impl Sort {
    pub(super) fn compare(&self, a: &Record, b: &Record) -> Ordering {
        self.directed(self.of(a).compare(&self.of(b)))
    }

    /// What a record is ordered by.
    pub(super) fn of<'a>(&self, record: &'a Record) -> Value<'a> {
        record.value(self.key)
    }

    /// An ascending order in this direction.
    pub(super) fn directed(&self, order: Ordering) -> Ordering {
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}
