//! Feeds whose latest runs failed: what a process that was not there when they ended can know of
//! them.

use super::statement::sql;
use super::{Error, Store};
use crate::entities::Entity;
use sea_orm::FromQueryResult;

/// A feed that was not read whole since its last run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFeed {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The kind of record that the feed reads.
    pub entity: Entity,
    /// Runs that failed since the last one that was complete; at least one.
    pub failures: u32,
    /// Why the last of them failed.
    pub error: String,
}

#[derive(FromQueryResult)]
struct Row {
    classy_id: i64,
    entity: String,
    failures: i64,
    error: Option<String>,
}

impl Store {
    /// The feeds whose runs failed since the last one that was read to its end. A run that somebody
    /// stopped, one that goes on and a repair change nothing.
    pub async fn failed_feeds(&self) -> Result<Vec<FailedFeed>, Error> {
        let failed = |error| Error::query("reading the runs that failed", error);
        let text = "SELECT o.classy_id, l.entity, n.failures, l.error FROM ( \
                    SELECT f.organization_id, f.entity, COUNT(*) AS failures, MAX(f.id) AS id FROM sync_runs AS f \
                    LEFT JOIN (SELECT organization_id, entity, MAX(id) AS id FROM sync_runs WHERE outcome IN ('complete', 'incomplete') AND mode <> 'repair' \
                    GROUP BY organization_id, entity) AS c ON c.organization_id = f.organization_id AND c.entity = f.entity \
                    WHERE f.outcome = 'failed' AND f.mode <> 'repair' AND (c.id IS NULL OR f.id > c.id) \
                    GROUP BY f.organization_id, f.entity) AS n \
                    JOIN sync_runs AS l ON l.id = n.id JOIN organizations AS o ON o.id = l.organization_id";
        let rows = Row::find_by_statement(sql(self.dialect(), text, []))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let read = |row: Row| {
            Ok(FailedFeed {
                classy_id: row.classy_id,
                entity: row.entity.parse().map_err(sea_orm::DbErr::Type)?,
                failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
                error: row.error.unwrap_or_default(),
            })
        };
        rows.into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
