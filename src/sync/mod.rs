//! The sync engine: one run reads one feed of one organization into the database. Plain async
//! functions that know no actor.
//!
//! | mode | reads | file |
//! |---|---|---|
//! | full | every record by id, page by page, then asks singly for what no page showed | `plan`, `pass`, `verify` |
//! | incremental | what changed since the watermark, by key | `sweep`, `key_walk` |
//! | repair | a range that a person asked for, without touching the checkpoint | `repair` |
//!
//! A page that cannot be read is narrowed down by `fetch`, and how far a clock is believed is said
//! in `window`.
//!
//! The engine sees its neighbours through two small traits, [`Source`] and [`Sink`], so that the
//! simulation can put a world with faults on one side and kill the run at any step on the other. It
//! never sleeps and never reads our clock to judge how far it has read: only the source's own
//! `Date` counts.

mod bounds;
mod error;
mod execute;
mod feed;
mod fetch;
mod key_walk;
mod paging;
mod pass;
mod plan;
mod repair;
mod run;
mod sink;
mod source;
mod sweep;
mod unread;
mod verify;
mod walk;
mod window;

pub use bounds::Bounds;
pub use error::Error;
pub use feed::{FeedOutcome, Order, run_feed};
pub use run::{Mark, Observer, Outcome, Quiet, Run, Settings};
pub use sink::{FencedStore, Sink};
pub use source::Source;
