//! What the database knows of its tables' sizes, gathered by this program: SQLite never does it by
//! itself, and the servers do it some time after a load, when the first questions were asked
//! already.

use super::dialect::Dialect;
use super::{Error, Store};
use crate::entities::{Entity, ForRecord, Record};
use sea_orm::ConnectionTrait;

/// A table as statistics of it are asked for.
struct Asked(Dialect);

impl ForRecord for Asked {
    type Output = String;

    fn call<R: Record>(self) -> String {
        let ours = ["id", "organization_id", "absent_since", "source_updated_at"];
        let links = R::LINKS.iter().map(|link| link.column);
        let columns: Vec<&str> = ours.into_iter().chain(links).collect();
        self.0.analyzed(R::ABOUT.table, &columns)
    }
}

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
    /// answered, of those to which this process wrote as many rows again as when it last did. Takes
    /// a moment whatever the tables' sizes, since all three databases look at a sample, and keeps
    /// nobody from writing. Answers whether it did.
    pub async fn keep_statistics(&self) -> Result<bool, Error> {
        let due = self.written().due();
        for entity in &due {
            self.analyze(&[&entity.with(Asked(self.dialect()))]).await?;
        }
        Ok(!due.is_empty())
    }

    /// Lets the database tidy up: statistics, and on SQLite the write-ahead log.
    pub async fn optimize(&self) -> Result<(), Error> {
        self.analyze(&Entity::ALL.map(Entity::as_str)).await?;
        self.analyze(&OTHERS).await?;
        if let Some(text) = self.dialect().empty_log() {
            self.connection()
                .execute_unprepared(text)
                .await
                .map_err(|error| Error::query("tidying up", error))?;
        }
        Ok(())
    }

    async fn analyze(&self, tables: &[&str]) -> Result<(), Error> {
        for table in tables {
            let text = self.dialect().analyze(table);
            self.connection()
                .execute_unprepared(&text)
                .await
                .map_err(|error| Error::query("gathering statistics", error))?;
        }
        Ok(())
    }
}
