//! The words everybody here speaks: records, feeds, amounts, outcomes. No I/O, no serde, no clock.
//!
//! What several modules of one floor must agree on lives here, so that none of them needs to name the other.

mod address;
mod check;
mod checkpoint;
mod delivery;
mod entity;
mod fault;
mod feed;
mod member;
mod money;
mod outcome;
mod profile;
mod record;
mod remedy;
mod segment;

pub use address::Address;
pub use check::{CheckResult, Health};
pub use checkpoint::{FeedState, Pass, PassStage, Reconciled, Walked};
pub use delivery::{Fate, Harm, Harms, Planned, Step, Verdict};
pub use entity::Entity;
pub use fault::{Fault, FaultKind};
pub use feed::{Item, Page, Query, Reject, RejectReason};
pub use member::Member;
pub use money::{MAX_AMOUNT, Money, MoneyError, SCALE};
pub use outcome::{Mode, RunCounts, RunEnd};
pub use profile::{Profile, Standing};
pub use record::{Campaign, Record, RecurringPlan, Supporter, Transaction};
pub use remedy::Remedy;
pub use segment::{Engagement, Frequency, MonthlyRate, Value};

/// A moment in UTC. Classy's own have whole seconds, consent dates microseconds.
pub type Time = chrono::DateTime<chrono::Utc>;
