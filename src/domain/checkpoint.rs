//! How far a feed has been read. Written in the transaction that writes the rows, never apart.

use super::Time;

/// The state of one feed of one organization: the row of `checkpoints`, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedState {
    /// Everything the source showed as changed before this, less the overlap, is stored; while the
    /// first pass is in progress, everything of that which changed since it began.
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
    /// The version of the record's columns with which the whole list was last read.
    pub schema_version: i64,
    /// Both clocks at the last look: a jump of either shows in the next.
    pub clocks: Option<Clocks>,
    /// What the last pass could not bring.
    pub shortfall: Option<Shortfall>,
    /// What the looks for changes cannot bring: until it is whole again, or a day has passed, the
    /// watermark waits for it.
    pub gap: Option<Gap>,
}

/// Passes that fall short in a row before one counts as done all the same: a source that counts
/// what it never shows must not keep plugins waiting, and the whole list being read, for ever.
pub const SHORT_PASSES: u32 = 3;

/// The source's clock and ours at the moment of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The source's `Date`, if it told one.
    pub theirs: Option<Time>,
    /// This machine's.
    pub ours: Time,
}

/// What a pass could not bring, known by number. It is shown, and asked for again by the next pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// When the first pass began that fell short; passes since fell short, too.
    pub since: Time,
    /// So many in a row.
    pub passes: u32,
    /// Records that the source counts and shows nowhere.
    pub unmet: u64,
    /// Rows of pages that cannot be read.
    pub unread: u64,
    /// Stored records of which the source says neither that they are there nor that they are gone.
    pub undecided: u64,
    /// The first reason.
    pub reason: String,
}

/// Changes that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// When it was met first.
    pub since: Time,
    /// Rows.
    pub records: u64,
    /// The first reason.
    pub reason: String,
}

impl Shortfall {
    /// Whether records are lacking, rather than only undecided.
    pub const fn is_short(&self) -> bool {
        self.unmet + self.unread > 0
    }
}

impl FeedState {
    /// Whether it is known that records are lacking.
    pub fn is_short(&self) -> bool {
        self.gap.is_some() || self.shortfall.as_ref().is_some_and(Shortfall::is_short)
    }

    /// Whether a page could not be read when it was last asked for.
    pub fn has_unread(&self) -> bool {
        let passed = self
            .shortfall
            .as_ref()
            .is_some_and(|short| short.unread > 0);
        passed || self.gap.is_some() || self.pass.as_ref().is_some_and(|pass| pass.unread > 0)
    }

    /// Whether the whole list is to be read: for the first time, to its end, again because it fell
    /// short, or because more of a record is stored than when it was read: `schema_version` is the
    /// one of the columns of today.
    pub fn needs_pass(&self, schema_version: i64) -> bool {
        let is_short = (1..SHORT_PASSES).contains(&self.short_passes());
        self.first_pass_at.is_none()
            || self.pass.is_some()
            || is_short
            || self.is_outdated(schema_version)
    }

    /// Whether it was last read with fewer columns than are stored now.
    pub fn is_outdated(&self, schema_version: i64) -> bool {
        self.first_pass_at.is_some() && self.schema_version < schema_version
    }

    /// Passes in a row that lacked records.
    pub fn short_passes(&self) -> u32 {
        self.shortfall
            .as_ref()
            .filter(|short| short.is_short())
            .map_or(0, |short| short.passes)
    }

    /// What is known to be lacking, in words; nothing when nothing is.
    pub fn lacks(&self) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(short) = &self.shortfall {
            let counts = [
                (short.unmet, "counted by the source and shown nowhere"),
                (short.unread, "on pages that cannot be read"),
                (short.undecided, "undecided"),
            ];
            let counted: Vec<String> = counts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            parts.push(format!("records {} ({})", counted.join(", "), short.reason));
        }
        if let Some(gap) = &self.gap {
            parts.push(format!(
                "changes that cannot be read: {} ({})",
                gap.records, gap.reason
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// A full pass in progress, resumable at its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The source's clock at its first page.
    pub started_at: Time,
    /// The latest time of change that the source showed when it began, not beyond its clock: the
    /// first incremental begins here.
    pub seen_at: Time,
    /// The next page to ask for, from 1.
    pub page: u32,
    /// Rows a page: a pass is resumed with the size it began with.
    pub per_page: u32,
    /// The largest id of the page before, 0 at the start.
    pub last_id: i64,
    /// The largest id at the source when this walk began.
    pub max_id: i64,
    /// `total` when this walk began; at its end the rows at or below `max_id` that its pages told
    /// of, if they are more.
    pub total: u64,
    /// Rows met so far at or below `max_id`: fewer than `total` in the end means that one may have
    /// hidden.
    pub met: u64,
    /// Walks of this pass, this one included.
    pub walks: u32,
    /// The walk before this one: when this one goes like it, the source's `total` is off, and
    /// nothing hides.
    pub before: Option<Walked>,
    /// What is being done.
    pub stage: PassStage,
    /// Records the source had that were not stored although the incremental should have brought
    /// them.
    pub missing: u64,
    /// Records stored with other content than the source's although the incremental should have
    /// brought them.
    pub stale: u64,
    /// Records that went back to an older version at the source.
    pub restored: u64,
    /// Records of this walk that were met and cannot be stored.
    pub refused: u64,
    /// Rows of this walk's pages that the source does not give.
    pub unread: u64,
    /// The first of them, and why; empty when there is none.
    pub note: String,
    /// The version of the record's columns when it began.
    pub schema_version: i64,
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
        [PassStage::Walk, PassStage::Verify]
            .into_iter()
            .find(|stage| stage.as_str() == word)
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
    /// Records that went back to an older version at the source.
    pub restored: u64,
    /// Records newly marked `absent_since`.
    pub absent: u64,
}
