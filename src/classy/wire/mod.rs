//! From lenient JSON to the strict records of the domain, one record at a time: a bad one is refused, its page goes on.
//!
//! Only the fields that are kept are looked at; `metadata` and `context`, which hold personal data, are skipped unread.

mod envelope;
mod organization;
mod records;
mod scalar;
#[cfg(test)]
mod tests;
mod time;

pub(super) use envelope::{List, list};
pub use organization::OrganizationInfo;
pub(super) use organization::organization;

use crate::domain::{Item, Record};
use serde::Deserialize;

/// A record that Classy serves. Implemented for the four records of the domain, and only for them.
pub trait Wire: Record + sealed::Read {}

impl<R: Record + sealed::Read> Wire for R {}

/// Reads an object. The derived readers would take a list for one, value by value.
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    json.trim_start().starts_with('{').then(|| serde_json::from_str(json).ok())?
}

/// Reads a body that is one record, which must be the one that was asked for.
///
/// # Errors
/// It is not that record at all. (A record that is the right one, but bad, is an [`Item::Bad`].)
pub(super) fn single<R: Wire>(body: &[u8], id: i64, classy_id: i64) -> Result<Item<R>, &'static str> {
    let text = std::str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let item = R::read(text.trim(), classy_id);
    match item.id() {
        Some(found) if found == id => Ok(item),
        Some(_) => Err("another record than the one asked for"),
        None => Err("not a record"),
    }
}

mod sealed {
    use super::Item;

    /// Reads one record.
    pub trait Read: Sized {
        /// From the text of its JSON; `classy_id` is the organization that was asked for.
        fn read(json: &str, classy_id: i64) -> Item<Self>;
    }
}
