//! The words everybody here speaks: records, feeds, amounts, outcomes. No I/O, no serde, no clock.
//!
//! What several modules of one floor must agree on lives here, so that none of them needs to name
//! the other.

mod address;
mod check;
mod checkpoint;
mod delivery;
mod fault;
mod feed;
mod harm;
mod image;
mod import;
mod leaving;
pub mod limits;
mod member;
mod money;
mod outcome;
mod profile;
mod remedy;
mod remote_text;
mod segment;
mod task;
mod trouble;
mod zone;

pub use address::Address;
pub use check::{CheckResult, Health};
pub use checkpoint::{
    Clocks, FeedState, Gap, Pass, PassStage, Reconciled, SHORT_PASSES, Shortfall, Walked,
};
pub use delivery::{Fate, Planned, STILL_SUBSCRIBED, Step, Verdict, WAITS_FOR_ROOM};
pub use fault::{Fault, FaultKind};
pub use feed::{Answer, Doubt, Item, OptOut, Page, Query, Reject, RejectReason, Versioned};
pub use harm::{Forecast, GuardedChange, Harm, Harms, Held, plan_id};
pub use image::{Image, Outcome, Taking, UndoScope, Values};
pub use import::Import;
pub use leaving::{Way, Why};
pub use member::Member;
pub use money::{MAX_AMOUNT, Money, MoneyError, SCALE};
pub use outcome::{Mode, RunCounts, RunEnd};
pub use profile::{AddressClaim, OPTED_OUT, Profile};
pub use remedy::Remedy;
pub use remote_text::{keep_secret, scrubbed};
pub use segment::{Engagement, Frequency, MonthlyRate, Value};
pub use task::Task;
pub use trouble::{Trouble, TroubleKind};
pub use zone::Zone;

/// A moment in UTC. Classy's own have whole seconds, consent dates microseconds.
pub type Time = chrono::DateTime<chrono::Utc>;
