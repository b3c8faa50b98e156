//! What is told of a view: its name, its columns, and what they mean.

use crate::entities::record::Kind;

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
