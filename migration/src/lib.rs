//! The schema of classy-sync on SQLite, PostgreSQL and MySQL/MariaDB.
//!
//! Each migration is frozen once it is here: it names its tables and columns itself, and a change
//! is a new migration. Nothing locks migrations against each other here: whoever runs them holds a
//! lock (see the store).

mod dialect;
mod m20261130_000001_first;
mod m20261201_000001_more_fields;
mod m20261202_000001_designations;
mod m20261202_000002_fundraising_pages;
mod m20261202_000003_unread_fields;
mod m20261203_000010_giving;
mod record_table;
mod views;

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::{MigrationTrait, async_trait};

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261130_000001_first::Migration),
            Box::new(m20261201_000001_more_fields::Migration),
            Box::new(m20261202_000001_designations::Migration),
            Box::new(m20261202_000002_fundraising_pages::Migration),
            Box::new(m20261202_000003_unread_fields::Migration),
            Box::new(m20261203_000010_giving::Migration),
        ]
    }
}
