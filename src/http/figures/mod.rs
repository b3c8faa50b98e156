//! The figures of one organization that its pages show: money and people, worked out from the
//! database and kept for a moment.
//!
//! | what | where |
//! |---|---|
//! | all of them, read at once | `read` |
//! | which spans of time are compared | `spans` |
//! | sums in one currency, never of several | `amounts` |
//! | who is new, kept, regained, lost | `donors` |
//! | what plans bring, gained and lost | `recurring` |
//! | kept as long as they are worth it | `kept` |

mod amounts;
mod donors;
mod kept;
mod read;
mod recurring;
mod spans;

pub(super) use amounts::Sums;
pub(super) use donors::{Cohort, DonorYear, Returning};
pub(super) use kept::Kept;
pub(super) use read::{Compared, Figures, GivingMonth};
pub(super) use recurring::PlanMonth;
pub(super) use spans::{month_to_date, year_to_date};
