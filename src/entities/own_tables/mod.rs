//! What the program keeps for itself, told for the dictionary: a test holds each table against the
//! databases.

mod plugins;
mod syncs;

use super::record::Kind;
use super::views::Told;

/// A table of the program.
#[derive(Debug)]
pub(super) struct OwnTable {
    /// Its name.
    pub(super) name: &'static str,
    /// What a row is.
    pub(super) meaning: &'static str,
    /// Its columns.
    pub(super) columns: &'static [Told],
}

const OF_ORGANIZATION: Told = (
    "organization_id",
    Kind::Int,
    "`organizations.id`, not Classy's id.",
);

/// All of them.
pub(super) fn own_tables() -> impl Iterator<Item = &'static OwnTable> {
    syncs::TABLES.iter().chain(plugins::TABLES)
}
