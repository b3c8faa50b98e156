//! A contact on the other side, as it was last seen: one row of the mirror.

use super::{Time, Values};
use std::collections::BTreeSet;

/// A contact of a destination: ids, a status, tags of ours, a fingerprint of the name; of
/// supporters' contacts also what our fields hold, since that is what a push overwrites.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// The other side's id.
    pub remote_id: String,
    /// What the other side calls the contact whatever its address is, if it says so.
    pub contact_id: Option<String>,
    /// The supporter it was delivered for.
    pub supporter_id: Option<i64>,
    /// The other side's word.
    pub remote_status: String,
    /// The tags of ours that it has.
    pub managed_tags: BTreeSet<String>,
    /// Fingerprint of the name it has; `None` when it has none.
    pub name_hash: Option<i64>,
    /// What our fields hold there; `None` when it is not known, as of contacts who are no
    /// supporters.
    pub values: Option<Values>,
    /// It is there because we put it there.
    pub subscribed_by_us: bool,
    /// When it was first seen to have left; such a person is never put there again, unless the
    /// other side shows that they came back.
    pub ever_left_at: Option<Time>,
    /// The other side's time of its last change; of whoever was asked to confirm, of the question.
    pub last_seen_at: Option<Time>,
}
