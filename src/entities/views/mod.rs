//! The views that analysts read, each with its columns and what they mean: `report` and `export`
//! read by it, and the dictionary tells it. `migration/` makes them; a test holds both against each
//! other on each database.

mod donors;
mod earlier;
mod giving;
mod view;

pub use donors::{DONOR_COHORTS, DONOR_RETENTION, DONOR_RFM, DONORS_LYBUNT, DONORS_SYBUNT};
pub use earlier::{
    CAMPAIGN_PERFORMANCE, DESIGNATION_PERFORMANCE, DONOR_ENGAGEMENT_DISTRIBUTION,
    DONOR_VALUE_DISTRIBUTION, FUNDRAISING_PAGE_PERFORMANCE, SUPPORTER_SUMMARY,
};
pub use giving::{GIFTS, GIVING_BY_MONTH, RECURRING_BY_MONTH};
pub use view::{Told, View, WHOSE};

/// All of them.
pub const VIEWS: &[&View] = &[
    &GIFTS,
    &GIVING_BY_MONTH,
    &RECURRING_BY_MONTH,
    &DONOR_RETENTION,
    &DONORS_LYBUNT,
    &DONORS_SYBUNT,
    &DONOR_COHORTS,
    &DONOR_RFM,
    &donors::DONOR_YEARS,
    &giving::ORGANIZATION_CALENDAR,
    &SUPPORTER_SUMMARY,
    &CAMPAIGN_PERFORMANCE,
    &DESIGNATION_PERFORMANCE,
    &FUNDRAISING_PAGE_PERFORMANCE,
    &DONOR_VALUE_DISTRIBUTION,
    &DONOR_ENGAGEMENT_DISTRIBUTION,
];
