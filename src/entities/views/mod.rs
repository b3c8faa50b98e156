//! The views that analysts read, each with its columns and what they mean: `report` and `export`
//! read by it, and the dictionary tells it. `migration/` makes them; a test holds both against each
//! other on each database.

mod donors;
mod earlier;
mod giving;

use super::record::Kind;

pub use donors::{DONOR_COHORTS, DONOR_RETENTION, DONOR_RFM, DONORS_LYBUNT, DONORS_SYBUNT};
pub use earlier::{
    CAMPAIGN_PERFORMANCE, DESIGNATION_PERFORMANCE, DONOR_ENGAGEMENT_DISTRIBUTION,
    DONOR_VALUE_DISTRIBUTION, FUNDRAISING_PAGE_PERFORMANCE, SUPPORTER_SUMMARY,
};
pub use giving::{GIFTS, GIVING_BY_MONTH, RECURRING_BY_MONTH};

/// A column: its name, its type, what it means.
pub type Told = (&'static str, Kind, &'static str);

/// A view.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What a row is, and what is easily misread.
    pub meaning: &'static str,
    /// How `report` sorts its rows, as columns of `v`.
    pub order: &'static str,
    /// Its columns, but for those of [`WHOSE`].
    pub columns: &'static [Told],
}

/// Columns that each view has: whose row it is.
pub const WHOSE: &[Told] = &[
    (
        "organization_id",
        Kind::Int,
        "`organizations.id`, a number of this database alone: it joins, and nobody else knows it.",
    ),
    (
        "classy_organization_id",
        Kind::Int,
        "Classy's id of the organization: the one in files, on the command line and in addresses.",
    ),
    (
        "organization_name",
        Kind::Text,
        "What people call the organization.",
    ),
];

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
