//! One record. What was never changed is not stored but told again from the organization's seed, so
//! that millions fit.

use super::classy::{Key, Value, keys, noise, position};
use super::fault::Fault;
use super::home::Home;
use super::world::Kind;
use std::borrow::Cow;
use std::sync::Arc;

/// One record: when it was made and changed, and what it has been told to be instead of what it was
/// born as.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its id.
    pub id: i64,
    /// Seconds since 1970; `None` is served as null.
    pub updated_at: Option<i64>,
    /// Not readable as the contract says, until healed.
    pub broken: bool,
    kind: Kind,
    born: i64,
    home: Arc<Home>,
    changes: Vec<(u8, Box<str>)>,
}

impl Record {
    /// The record with this number, made at `born`.
    pub(super) fn new(home: &Arc<Home>, kind: Kind, number: i64, born: i64) -> Record {
        let id = home.id(kind, number);
        let updated_at = Some(home.touched(id, born));
        Record {
            id,
            updated_at,
            broken: false,
            kind,
            born,
            home: Arc::clone(home),
            changes: Vec::new(),
        }
    }

    /// A field's JSON literal.
    pub fn get(&self, field: &str) -> Option<Cow<'_, str>> {
        position(self.kind, field).map(|index| self.literal(index))
    }

    /// Sets a field's JSON literal; the time of change stays. Answers whether there is such a
    /// field. An id is for life.
    pub fn set(&mut self, field: &str, literal: &str) -> bool {
        match (field, position(self.kind, field)) {
            ("id", _) | (_, None) => return false,
            ("updated_at", _) => self.updated_at = super::classy::moment(literal.trim_matches('"')),
            (_, Some(index)) => {
                let index = index as u8;
                self.changes.retain(|(changed, _)| *changed != index);
                self.changes.push((index, literal.into()));
            }
        }
        true
    }

    /// The record as the API serves it.
    pub fn render(&self, faults: &[Fault], out: &mut String) {
        self.render_fields(faults, None, out);
    }

    /// The same, narrowed to the named keys.
    pub(super) fn render_fields(
        &self,
        faults: &[Fault],
        fields: Option<&[&str]>,
        out: &mut String,
    ) {
        let noisy = self.broken
            || faults
                .iter()
                .any(|fault| matches!(fault, Fault::TypeNoise | Fault::BigMetadata));
        let newer = faults.contains(&Fault::NewKeys);
        let mut separator = '{';
        for (index, (name, source)) in keys(self.kind).iter().enumerate() {
            if source.is_later() && !newer || fields.is_some_and(|fields| !fields.contains(name)) {
                continue;
            }
            out.push(separator);
            separator = ',';
            out.push('"');
            out.push_str(name);
            out.push_str("\":");
            if noisy {
                out.push_str(&noise(self, faults, name, self.literal(index)));
            } else if let Some(literal) = self.change(index) {
                out.push_str(literal);
            } else {
                source.write(self, out);
            }
        }
        if separator == '{' {
            out.push('{');
        }
        if faults.contains(&Fault::TypeNoise) && fields.is_none() {
            out.push_str(",\"brand_new_key\":{\"deep\":[1,2,{}]}");
        }
        out.push('}');
    }

    /// A key's value, to be compared.
    pub(super) fn value(&self, index: usize) -> Value<'_> {
        let (_, source) = &keys(self.kind)[index];
        match self.change(index) {
            Some(literal) => source.read(literal),
            None => source.value(self),
        }
    }

    fn literal(&self, index: usize) -> Cow<'_, str> {
        if let Some(literal) = self.change(index) {
            return Cow::Borrowed(literal);
        }
        let (_, source): &Key = &keys(self.kind)[index];
        let mut out = String::new();
        source.write(self, &mut out);
        Cow::Owned(out)
    }

    fn change(&self, index: usize) -> Option<&str> {
        self.changes
            .iter()
            .find(|(changed, _)| usize::from(*changed) == index)
            .map(|(_, literal)| &**literal)
    }

    /// What kind of record it is.
    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// When it was made.
    pub(super) const fn born(&self) -> i64 {
        self.born
    }

    /// When it changed last by itself.
    pub(super) fn touched(&self) -> i64 {
        self.home.touched(self.id, self.born)
    }

    /// Where it belongs.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Its number among its kind.
    pub(super) fn number(&self) -> i64 {
        self.home.number(self.id)
    }

    /// A random number of its own.
    pub(super) fn roll(&self, salt: u64) -> u64 {
        self.home.roll(self.id, salt)
    }

    /// Whether it is one of the few of which there is one in `count`.
    pub(super) fn one_in(&self, count: u64, salt: u64) -> bool {
        self.roll(salt) % count == 0
    }
}
