//! How far a feed has been read. Written in the transaction that writes the rows, never apart.

use super::Time;

/// The state of one feed of one organization: the row of `checkpoints`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedState {
    /// Everything the source showed as changed before this, less the overlap, is stored; while the first pass is in progress,
    /// everything of that which changed since it began.
    pub watermark: Option<Time>,
    /// The source's clock at the first page of the last complete incremental sweep.
    pub swept_at: Option<Time>,
    /// The source's clock when the first complete pass ended; absent until then.
    pub first_pass_at: Option<Time>,
    /// Full passes begun so far.
    pub last_pass_id: i64,
    /// The pass in progress, if one is.
    pub pass: Option<Pass>,
    /// What the last complete reconcile found.
    pub reconciled: Option<Reconciled>,
}

/// A full pass in progress, resumable at its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The source's clock at its first page: the first incremental begins here.
    pub started_at: Time,
    /// The next page to ask for, from 1.
    pub page: u32,
    /// Rows a page: a pass is resumed with the size it began with.
    pub per_page: u32,
    /// The largest id of the page before, 0 at the start.
    pub last_id: i64,
    /// The largest id at the source when this walk began.
    pub max_id: i64,
    /// `total` when this walk began; at its end the rows at or below `max_id` that its pages told of, if they are more.
    pub total: u64,
    /// Rows met so far at or below `max_id`: fewer than `total` in the end means that one may have hidden.
    pub met: u64,
    /// Walks of this pass, this one included.
    pub walks: u32,
    /// The walk before this one: when this one goes like it, the source's `total` is off, and nothing hides.
    pub before: Option<Walked>,
    /// What is being done.
    pub stage: PassStage,
    /// Records the source had that were not stored although the incremental should have brought them.
    pub missing: u64,
    /// Records stored with other content than the source's although the incremental should have brought them.
    pub stale: u64,
}

/// How a walk went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// `total` when it began.
    pub total: u64,
    /// Rows met.
    pub met: u64,
}

/// The two stages of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassStage {
    /// Reading pages.
    Walk,
    /// Asking singly for the stored ids that no page showed.
    Verify,
}

impl PassStage {
    /// The word in `checkpoints.pass_stage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            PassStage::Walk => "walk",
            PassStage::Verify => "verify",
        }
    }

    /// The stage of a stored word.
    pub fn from_word(word: &str) -> Option<PassStage> {
        [PassStage::Walk, PassStage::Verify].into_iter().find(|stage| stage.as_str() == word)
    }
}

/// What a reconcile found: "we lost nothing" as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// The source's clock when the pass began.
    pub at: Time,
    /// Records that were not stored though they should have been.
    pub missing: u64,
    /// Records stored with older content though they should have been fresh.
    pub stale: u64,
    /// Records newly marked `absent_since`.
    pub absent: u64,
}
