//! What is told of a table of the program's own.

use crate::entities::record::Kind;
use crate::entities::views::Told;

/// A table of the program.
#[derive(Debug)]
pub(in crate::entities) struct OwnTable {
    /// Its name.
    pub(in crate::entities) name: &'static str,
    /// What a row is.
    pub(in crate::entities) meaning: &'static str,
    /// Its columns.
    pub(in crate::entities) columns: &'static [Told],
}

pub(super) const OF_ORGANIZATION: Told = (
    "organization_id",
    Kind::Int,
    "`organizations.id`, not Classy's id.",
);
