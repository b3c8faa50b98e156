//! The schema of classy-sync on SQLite, PostgreSQL and MySQL/MariaDB.
//!
//! The tables are written once, in `tables`, with placeholders for what the three call differently (`dialect`); the views
//! are in `views`. Nothing locks migrations against each other here: whoever runs them holds a lock (see the store).

mod dialect;
mod m20261124_000001_schema;
mod m20261127_000002_plugins_alerts;
mod m20261128_000003_contacts;
mod statements;
mod tables;
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
            Box::new(m20261124_000001_schema::Migration),
            Box::new(m20261127_000002_plugins_alerts::Migration),
            Box::new(m20261128_000003_contacts::Migration),
        ]
    }
}
