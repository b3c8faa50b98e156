//! One record out of a body that is read while it arrives: good, refused, or no JSON at all.

use super::collect::{Collector, TOO_LONG};
use super::{opt_out, single};
use crate::domain::{Doubt, Item, OptOut, Reject, RejectReason};
use crate::entities::{Record, read};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Reads what was collected; nothing when that is no JSON.
pub(super) fn element<R: Record>(record: &Collector, classy_id: i64) -> Option<Item<R>> {
    let (bytes, left_out) = record.parts();
    if bytes.is_empty() && left_out.unnamed.is_some() {
        return Some(refused(None, None, format!("record: {TOO_LONG}"), None));
    }
    let text = String::from_utf8_lossy(bytes);
    let item = R::read(text.trim(), classy_id);
    if matches!(item, Item::Bad(_)) && serde_json::from_str::<IgnoredAny>(&text).is_err() {
        return None;
    }
    // What was lost cannot be restored, and a name with a hole must not replace a whole one.
    let is_damaged = matches!(text, Cow::Owned(_));
    let lacks =
        lacks::<R>(record).or_else(|| is_damaged.then(|| "record: not valid UTF-8".to_owned()));
    Some(match lacks {
        Some(detail) => refused(item.id(), item.updated_at(), detail, opt_out(&item)),
        None => item,
    })
}

/// The keys of a record that nobody reads.
pub(super) fn unread_keys<R: Record>(record: &Collector) -> Vec<String> {
    let (bytes, left_out) = record.parts();
    read::unread_keys(
        &String::from_utf8_lossy(bytes),
        left_out.named.iter().map(|(key, _)| key),
        R::reads,
    )
}

/// The field that was left out, and why. What this program does not read, or decides nothing by,
/// may be missing.
fn lacks<R: Record>(record: &Collector) -> Option<String> {
    let (_, left_out) = record.parts();
    let named = left_out.named.iter().find(|(key, _)| R::needs(key));
    named
        .map(|(key, why)| format!("{key}: {why}"))
        .or_else(|| left_out.unnamed.map(|why| format!("record: {why}")))
}

fn refused<R>(
    source_id: Option<i64>,
    updated_at: Option<crate::domain::Time>,
    detail: String,
    opt_out: Option<OptOut>,
) -> Item<R> {
    Item::Bad(Reject {
        source_id,
        updated_at,
        reason: RejectReason::Invalid,
        detail,
        opt_out,
    })
}

/// The times that each record has, as far as they are there.
#[derive(Deserialize)]
struct Times {
    created_at: Option<IgnoredAny>,
    updated_at: Option<IgnoredAny>,
}

impl Times {
    const fn are_lacking(&self) -> bool {
        self.created_at.is_none() && self.updated_at.is_none()
    }
}

/// Reads a body that is one record, from its pieces.
#[derive(Debug, Default)]
pub(in crate::classy) struct OneReader {
    record: Collector,
    begun: bool,
    ended: bool,
    trailing: bool,
}

impl OneReader {
    /// Takes the next piece; wants no more when this cannot be one record.
    pub(in crate::classy) fn take(&mut self, mut bytes: &[u8]) -> ControlFlow<()> {
        if !self.begun {
            bytes = bytes.trim_ascii_start();
            self.begun = !bytes.is_empty();
        }
        if self.begun && !self.ended {
            let (taken, ended) = self.record.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            self.ended = ended;
        }
        self.trailing |= self.ended && !bytes.trim_ascii().is_empty();
        if self.trailing {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// The record, which must be the one that was asked for.
    ///
    /// # Errors
    /// Why it is not that record at all, or none of the organization's. (A record that is the right
    /// one, but bad, is an [`Item::Bad`].)
    pub(in crate::classy) fn finish<R: Record>(
        self,
        id: i64,
        classy_id: i64,
    ) -> Result<Item<R>, Doubt> {
        if self.trailing {
            return Err(Doubt::Unreadable("not a record".to_owned()));
        }
        let (text, _) = self.record.parts();
        let item = single(text, id, classy_id)?;
        // Each record has been made at some time (contract 5): what does not say when is a part of
        // one, and would take away what is stored of the rest.
        if serde_json::from_slice::<Times>(text).is_ok_and(|times| times.are_lacking()) {
            return Err(Doubt::Unreadable("not a whole record".to_owned()));
        }
        let opt_out = opt_out(&item);
        Ok(
            lacks::<R>(&self.record)
                .map_or(item, |detail| refused(Some(id), None, detail, opt_out)),
        )
    }
}
