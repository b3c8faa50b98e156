//! What was given, by whom, and how often: the questions that pages ask of one organization.
//!
//! | what | where |
//! |---|---|
//! | what counts as a gift | here |
//! | sums of spans of time | `sums`, and by month in `months` |
//! | in which spans the same people gave | `patterns` |
//! | gifts by size | `sizes` |
//! | recurring plans | `plans` |
//! | people, and who may be mailed | `people` |
//!
//! Every question reads the rows of a span of time by the index of `purchased_at`. Amounts of
//! different currencies are never added: each sum says which currency it is of.

mod months;
mod patterns;
mod people;
mod plans;
mod sizes;
mod sums;

pub use months::Month;
pub use patterns::Pattern;
pub use people::People;
pub use plans::Plan;
pub use sizes::{Band, SIZES};
pub use sums::{Span, Sum};
