//! The envelope of a list (contract 4): `data`, and how many records there are in all. Nothing else of it is needed.

use super::scalar::count;
use super::{Wire, object};
use crate::domain::{Item, Reject, RejectReason};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A list as it was served.
#[derive(Debug)]
pub(in crate::classy) struct List<R> {
    pub(in crate::classy) items: Vec<Item<R>>,
    pub(in crate::classy) total: u64,
}

/// Stands for bytes that are no UTF-8.
const REPLACEMENT: char = '\u{FFFD}';

/// Reads a body as a list of records.
///
/// # Errors
/// What is missing for it to be a list; then the whole page counts as not received.
pub(in crate::classy) fn list<R: Wire>(body: &[u8], classy_id: i64) -> Result<List<R>, &'static str> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Vec<&'a RawValue>,
        #[serde(borrow)]
        total: Option<&'a RawValue>,
    }
    let text = String::from_utf8_lossy(body);
    let damaged = matches!(text, Cow::Owned(_));
    let envelope: Envelope<'_> = object(&text).ok_or_else(|| diagnose(&text))?;
    let total = count(envelope.total).ok_or("total is not a count")?;
    let read = |raw: &&RawValue| match R::read(raw.get(), classy_id) {
        // What was lost cannot be restored, and a name with a hole must not replace a whole one.
        item if damaged && raw.get().contains(REPLACEMENT) => Item::Bad(Reject {
            source_id: item.id(),
            updated_at: item.updated_at(),
            reason: RejectReason::Invalid,
            detail: "record: not valid UTF-8".to_owned(),
        }),
        item => item,
    };
    Ok(List { items: envelope.data.iter().map(read).collect(), total })
}

/// Why a body is no list, in words that carry nothing of it.
fn diagnose(text: &str) -> &'static str {
    #[derive(Deserialize)]
    struct Shape<'a> {
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    if text.trim().is_empty() {
        return "an empty body";
    }
    if text.trim_start().starts_with('<') {
        return "HTML instead of JSON";
    }
    if text.trim_start().starts_with('[') {
        return "a bare list";
    }
    match serde_json::from_str::<Shape<'_>>(text) {
        Err(error) if error.is_eof() => "JSON that ends too early",
        Err(error) if error.is_data() => "not an object with data",
        Err(_) => "not JSON",
        Ok(Shape { error: Some(_), .. }) => "an error with status 200",
        Ok(Shape { data: None, .. }) => "data is missing",
        Ok(_) => "data is not a list",
    }
}
