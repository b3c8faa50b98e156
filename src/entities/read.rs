//! From the JSON of one record to the literal texts of the values that are kept. Other keys are
//! skipped without being stored.

use super::consent::Consent;
use super::scalar::{Misfit, Raw, email, flag, id, link, time};
use crate::domain::{Address, Item, OptOut, Reject, RejectReason};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Reads an object. The derived readers would take a list for one, value by value.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    json.trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str(json).ok())?
}

/// Puts the value of each key that has a place there; null is no value. Answers whether this is an
/// object that has no key of these twice.
pub(super) fn values<'a>(
    json: &'a str,
    place: fn(&str) -> Option<usize>,
    values: &mut [Raw<'a>],
) -> bool {
    let mut reader = serde_json::Deserializer::from_str(json);
    let is_read = json.trim_start().starts_with('{')
        && reader
            .deserialize_map(Values {
                place,
                values,
                met: 0,
            })
            .is_ok();
    is_read && reader.end().is_ok()
}

struct Values<'a, 'v> {
    place: fn(&str) -> Option<usize>,
    values: &'v mut [Raw<'a>],
    /// Places that were met, one bit each: a null leaves no other trace.
    met: u128,
}

impl<'a> Visitor<'a> for Values<'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match (self.place)(&key) {
                Some(place) if self.met & (1 << place) != 0 => {
                    return Err(A::Error::custom("a key twice"));
                }
                Some(place) => {
                    self.met |= 1 << place;
                    self.values[place] = map.next_value()?;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A key has so many characters at most, and a record so many of them: what is longer or more is no
/// field of an API.
const LONGEST_KEY: usize = 64;
const MOST_KEYS: usize = 200;

/// The keys of an object, and those that were left out of it, that are not looked at, as far as
/// they look like names: nothing that a person typed.
pub(crate) fn unread_keys<'a>(
    json: &str,
    left_out: impl Iterator<Item = &'a String>,
    reads: fn(&str) -> bool,
) -> Vec<String> {
    let keys = object::<Keys>(json).map(|keys| keys.0).unwrap_or_default();
    let is_name = |key: &String| {
        (1..=LONGEST_KEY).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    keys.into_iter()
        .chain(left_out.cloned())
        .filter(|key| is_name(key) && !reads(key))
        .take(MOST_KEYS)
        .collect()
}

/// The keys of an object.
#[derive(Default)]
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Keys, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// A key, borrowed unless it is written with escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A record that names its owner must name the one that was asked for. (A supporter's
/// `source_organization_id` is no owner: it says where the person came from.)
pub(super) fn check_owner(raw: Raw<'_>, classy_id: i64) -> Result<(), Misfit> {
    match link(raw)? {
        Some(owner) if owner != classy_id => Err(Misfit {
            reason: RejectReason::ForeignOrganization,
            expected: "names another organization",
        }),
        _ => Ok(()),
    }
}

/// A record with a value that does not fit. What it says of consent counts all the same.
pub(super) fn refused<R>(
    source_id: Raw<'_>,
    updated_at: Raw<'_>,
    key: &str,
    misfit: Misfit,
    opt_out: Option<OptOut>,
) -> Item<R> {
    let Misfit { reason, expected } = misfit;
    let (source_id, updated_at) = (id(source_id).ok(), time(updated_at).ok().flatten());
    Item::Bad(Reject {
        source_id,
        updated_at,
        reason,
        detail: format!("{key}: {expected}"),
        opt_out,
    })
}

/// A no among what is said of consent, for this address as far as it is one.
pub(super) fn opt_out<'a>(
    said: impl IntoIterator<Item = Raw<'a>>,
    address: Raw<'_>,
) -> Option<OptOut> {
    let is_no = said.into_iter().any(|one| flag(one) == Ok(Some(false)));
    is_no.then(|| {
        let address = email(address).ok().flatten();
        OptOut {
            address: address.as_deref().and_then(Address::parse),
        }
    })
}

/// A record that is no object, or one with a key twice: its id is salvaged if it can be told, and
/// so is a no, which counts even beside a yes.
pub(super) fn unreadable<R>(json: &str, consent: Option<&Consent>) -> Item<R> {
    let Pairs(pairs) = object(json).unwrap_or_default();
    let of = |name: &str| {
        let of_name = pairs.iter().filter(move |(key, _)| key == name);
        of_name.map(|(_, value)| *value).collect::<Vec<Raw<'_>>>()
    };
    // Said twice, it is told if it is the same.
    let said = |name: &str| {
        let of_name = of(name);
        let first = of_name.first().copied().flatten()?;
        let is_same = |value: &Raw<'_>| value.is_some_and(|value| value.get() == first.get());
        of_name.iter().all(is_same).then_some(first)
    };
    let detail = if json.starts_with('{') {
        "record: not readable, or a key twice"
    } else {
        "record: not an object"
    };
    Item::Bad(Reject {
        source_id: id(said("id")).ok(),
        updated_at: time(said("updated_at")).ok().flatten(),
        reason: RejectReason::Invalid,
        detail: detail.to_owned(),
        opt_out: consent.and_then(|consent| opt_out(of(consent.key), said(consent.address_key))),
    })
}

/// The keys of an object with their values, each as often as it is there.
#[derive(Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<(Cow<'de, str>, Raw<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(All).map(Pairs)
    }
}
