//! How well everything is, and who is told: checks over facts, a verdict with its reasons, alerts on what changed.
//!
//! | what | where |
//! |---|---|
//! | what is looked at, gathered by whoever watches | [`Facts`] |
//! | one thing that can be wrong | [`HealthCheck`], one file each in `checks` |
//! | the verdict, published as one value | [`HealthReport`] |
//! | open alerts: one for each cause, told, repeated with growing gaps, resolved | [`Book`] |
//! | where alerts go | [`Messenger`] |
//! | how fast runs are, against their own past | [`Baseline`] |
//!
//! Everything here is judged from facts at hand: no check waits for anybody, so that the answer is there when the rest is stuck. To
//! add a check: a file in `checks`, and a line in its list.

mod baseline;
mod book;
mod check;
mod checks;
mod facts;
mod messenger;
mod report;
mod space;

pub use baseline::{Baseline, Ended, Slow, usual};
pub use book::{Book, Notice, Occasion};
pub use check::{Finding, HealthCheck, look};
pub use checks::all as checks;
pub use facts::{Access, ChildFacts, Database, Facts, FeedFacts, FeedState, Limits, OrganizationFacts, PluginFacts, Space, Standing};
pub use messenger::{Messenger, Undelivered};
pub use report::HealthReport;
pub use space::{free_space, memory_bytes};
