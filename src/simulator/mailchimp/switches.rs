//! Where the contract does not know which way it is, or says that both were seen: a switch. As they
//! stand by default is what is documented, or what does the most harm to a careless client.

use serde::{Deserialize, Serialize};

/// What becomes of `subscribed` for somebody who left (contract 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compliance {
    /// Refused with `Member In Compliance State`.
    Error,
    /// The status stays, the rest is written.
    Ignored,
    /// Subscribed again.
    Succeeds,
}

/// How a plan without room for more contacts is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Full {
    /// 403 for the whole call.
    Forbidden,
    /// 400 for the whole call.
    Invalid,
    /// An error for each member that finds no room.
    Members,
}

/// How Mailchimp behaves where it may behave in two ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// `subscribed` for somebody who left by themselves or bounced.
    pub compliance: Compliance,
    /// Whoever was unsubscribed by a program left as well.
    pub api_unsubscribes_are_final: bool,
    /// Batch subscribe takes an archived contact for a new one; otherwise it stays archived.
    pub batch_revives_archived: bool,
    /// So does PUT with `status_if_new`.
    pub put_revives_archived: bool,
    /// `tags` of a PUT go to existing members too.
    pub put_tags_existing: bool,
    /// A change of tags moves `last_changed`.
    pub tags_move_last_changed: bool,
    /// Segment calls know everybody who is not archived, not only who is subscribed.
    pub segments_know_all: bool,
    /// `count` above 1000 is refused instead of cut.
    pub refuse_large_count: bool,
    /// A `since_...` that is no moment is refused instead of ignored.
    pub refuse_bad_moments: bool,
    /// `null` clears a merge field instead of leaving it alone.
    pub null_clears: bool,
    /// `marketing_permissions` in a batch are refused instead of ignored.
    pub refuse_batch_permissions: bool,
    /// For so many milliseconds after a write, what it wrote is read as it was before.
    pub lag_ms: u64,
    /// How long each answer takes, in milliseconds; its connection is taken for so long.
    pub latency_ms: u64,
    /// How much longer the answer to a chunk of members takes, in milliseconds.
    pub chunk_ms: u64,
    /// Simultaneous requests of a user.
    pub connections: usize,
    /// Merge fields of an audience.
    pub merge_field_limit: usize,
    /// How long a batch takes until it is finished, in milliseconds.
    pub batch_ms: u64,
    /// Parts of addresses that look fake, beside those that always do.
    pub fake: Vec<String>,
    /// Billed contacts of an audience that the plan has room for; 0: any number.
    pub contacts: usize,
    /// What it is answered when there is no room.
    pub full: Full,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            compliance: Compliance::Succeeds,
            api_unsubscribes_are_final: true,
            batch_revives_archived: true,
            put_revives_archived: false,
            put_tags_existing: false,
            tags_move_last_changed: false,
            segments_know_all: false,
            refuse_large_count: false,
            refuse_bad_moments: true,
            null_clears: false,
            refuse_batch_permissions: false,
            lag_ms: 0,
            latency_ms: 0,
            chunk_ms: 0,
            connections: 10,
            merge_field_limit: 30,
            batch_ms: 200,
            fake: Vec::new(),
            contacts: 0,
            full: Full::Forbidden,
        }
    }
}
