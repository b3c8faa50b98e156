//! How well everything is, and who is told: checks over facts, a verdict with its reasons, alerts
//! on what changed.
//!
//! | what | where |
//! |---|---|
//! | what is looked at, gathered by whoever watches | [`Facts`] |
//! | one thing that can be wrong | [`HealthCheck`], one file each in `checks` |
//! | the verdict, published as one value | [`HealthReport`] |
//! | what is told as one, since it has one cause | `causes` |
//! | open alerts: one for each cause, told, repeated with growing gaps, resolved | [`Book`] |
//! | where alerts go | [`Messenger`] |
//! | how fast runs are, against their own past | [`Baseline`] |
//!
//! Everything here is judged from facts at hand: no check waits for anybody, so that the answer is
//! there when the rest is stuck. To add a check: a file in `checks`, and a line in its list.

mod baseline;
mod book;
mod causes;
mod check;
mod checks;
mod evaluate;
mod facts;
mod messenger;
mod notice;
mod report;
mod space;
mod span;

pub use baseline::{Baseline, Slow, usual};
pub use book::Book;
pub use causes::told_for_many;
pub use check::{Finding, HealthCheck, Telling};
pub use checks::{LOOK_AND_APPROVE, all as checks};
pub use evaluate::evaluate;
pub use facts::{
    Access, ChildFacts, Database, Facts, FeedFacts, FeedState, Limits, OrganizationFacts,
    PluginFacts, Space, Standing, Unwritten, WideFile,
};
pub use messenger::{Messenger, Undelivered, Way};
pub use notice::{Notice, Occasion};
pub use report::HealthReport;
pub use space::{free_space, memory_bytes, wide_files};
