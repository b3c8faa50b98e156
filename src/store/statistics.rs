//! What the database knows of its tables' sizes, gathered by this program: SQLite never does it by
//! itself, and the servers do it some time after a load, when the first questions were asked
//! already.

use super::{Error, Store};
use crate::entities::Entity;
use sea_orm::{ConnectionTrait, DbBackend};

/// The tables that are looked after when a person asks for it, beside those of the records.
const OTHERS: [&str; 7] = [
    "organizations",
    "audit_log",
    "sync_runs",
    "plugin_deliveries",
    "plugin_members",
    "alerts",
    "health_samples",
];

impl Store {
    /// Gathers statistics of the records' tables, whose sizes decide how a question is best
    /// answered, if this process wrote as many rows again as when it last did. Takes a moment
    /// whatever the tables' sizes, since all three databases look at a sample, and keeps nobody
    /// from writing. Answers whether it did.
    pub async fn keep_statistics(&self) -> Result<bool, Error> {
        if !self.written().is_due() {
            return Ok(false);
        }
        self.analyze(&Entity::ALL.map(Entity::as_str)).await?;
        Ok(true)
    }

    /// Lets the database tidy up: statistics, and on SQLite the write-ahead log.
    pub async fn optimize(&self) -> Result<(), Error> {
        self.analyze(&Entity::ALL.map(Entity::as_str)).await?;
        self.analyze(&OTHERS).await?;
        if self.backend() == DbBackend::Sqlite {
            let text = "PRAGMA wal_checkpoint(TRUNCATE)";
            self.connection()
                .execute_unprepared(text)
                .await
                .map_err(|error| Error::query("tidying up", error))?;
        }
        Ok(())
    }

    async fn analyze(&self, tables: &[&str]) -> Result<(), Error> {
        for table in tables {
            let text = match self.backend() {
                // Of this server alone: the others of a cluster look after themselves, and need not
                // stop for it.
                DbBackend::MySql => format!("ANALYZE LOCAL TABLE {table}"),
                _ => format!("ANALYZE {table}"),
            };
            self.connection()
                .execute_unprepared(&text)
                .await
                .map_err(|error| Error::query("gathering statistics", error))?;
        }
        Ok(())
    }
}
