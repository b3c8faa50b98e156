//! The list envelope (contract 4): each record is taken on its own, so that a bad one does not take the page with it.

use super::Error;
use super::field;
use super::wire::Wire;
use crate::domain::Item;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
}

/// A page's items and the source's count. Anything but an array under `data` is a fault, never "no records".
pub(super) fn read<R: Wire>(body: &[u8], classy_id: i64) -> Result<(Vec<Item<R>>, u64), Error> {
    let protocol = |cause: &str| Error::Protocol { cause: cause.to_owned() };
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|error| protocol(describe(&error)))?;
    let data = envelope.data.ok_or_else(|| protocol("there is no data"))?;
    let data: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| protocol("data is not a list"))?;
    let total = envelope.total.and_then(field::count).ok_or_else(|| protocol("there is no total"))?;
    Ok((data.into_iter().map(|record| R::read(record.get(), classy_id)).collect(), total))
}

fn describe(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "the JSON ends in the middle",
        serde_json::error::Category::Data => "the JSON has another shape",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
    }
}
