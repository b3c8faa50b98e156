//! From lenient JSON to the strict records of the domain, one record at a time: a bad one is
//! refused, its page goes on.
//!
//! Only the fields that are kept are looked at; `metadata` and `context`, which hold personal data,
//! are skipped unread.

mod collect;
mod element;
mod envelope;
mod organization;
#[cfg(test)]
mod tests;

pub(super) use element::OneReader;
pub(super) use envelope::{List, ListReader, NoList};
pub use organization::OrganizationInfo;
pub(super) use organization::organization;

use crate::domain::{Doubt, Item, OptOut, Reject, RejectReason};
use crate::entities::Record;
use std::borrow::Cow;

/// Whether a record says that its person may not be mailed, however little of it can be stored.
fn opt_out<R: Record>(item: &Item<R>) -> Option<OptOut> {
    match item {
        Item::Good(record) => record.opt_out(),
        Item::Bad(reject) => reject.opt_out.clone(),
    }
}

/// Reads a body that is one record, which must be the one that was asked for.
///
/// # Errors
/// Why it is not that record at all, or none of the organization's. (A record that is the right
/// one, but bad, is an [`Item::Bad`].)
fn single<R: Record>(body: &[u8], id: i64, classy_id: i64) -> Result<Item<R>, Doubt> {
    let text = String::from_utf8_lossy(body);
    let item = R::read(text.trim(), classy_id);
    match (item.id(), &item) {
        (None, _) => Err(Doubt::Unreadable("not a record".to_owned())),
        (Some(found), _) if found != id => Err(Doubt::OtherRecord),
        (_, Item::Bad(reject)) if reject.reason == RejectReason::ForeignOrganization => {
            Err(Doubt::OtherOrganization)
        }
        // What was lost cannot be restored, and a name with a hole must not replace a whole one.
        _ if matches!(text, Cow::Owned(_)) => Ok(Item::Bad(Reject {
            source_id: Some(id),
            updated_at: item.updated_at(),
            reason: RejectReason::Invalid,
            detail: "record: not valid UTF-8".to_owned(),
            opt_out: opt_out(&item),
        })),
        _ => Ok(item),
    }
}
