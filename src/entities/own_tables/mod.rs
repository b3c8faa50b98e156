//! What the program keeps for itself, told for the dictionary: a test holds each table against the
//! databases.

mod plugins;
mod syncs;
mod table;

pub(super) use table::OwnTable;

/// All of them.
pub(super) fn own_tables() -> impl Iterator<Item = &'static OwnTable> {
    syncs::TABLES.iter().chain(plugins::TABLES)
}
