//! How far each feed was read, for whoever shows it: after a restart, and from other processes,
//! too.

use super::statement::sql;
use super::{Error, Store};
use crate::domain::{Import, PassStage, Time};
use crate::entities::Entity;
use sea_orm::{DbErr, FromQueryResult};
use std::collections::BTreeMap;

/// How far a feed was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedProgress {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The kind of record that the feed reads.
    pub entity: Entity,
    /// The end of its last complete run, as far as it is known.
    pub read_at: Option<Time>,
    /// The first import, until it is done.
    pub import: Option<Import>,
}

impl Store {
    /// Every feed of every organization; `exactly` looks the last complete run of each up, which
    /// costs a look at an index for each.
    pub async fn feed_progress(&self, exactly: bool) -> Result<Vec<FeedProgress>, Error> {
        let failed = |error| Error::query("reading how far feeds were read", error);
        let read_at = if exactly {
            "(SELECT r.finished_at FROM sync_runs AS r WHERE r.organization_id = o.id AND r.entity = c.entity \
              AND r.outcome = 'complete' AND r.mode <> 'repair' ORDER BY r.started_at DESC LIMIT 1)"
        } else {
            "c.first_pass_at"
        };
        let text = format!(
            "SELECT o.classy_id, c.entity, c.first_pass_at, c.reconciled_at, c.swept_at, c.pass_stage, c.pass_started_at, c.pass_met, \
             c.pass_total, {read_at} AS read_at FROM organizations AS o LEFT JOIN checkpoints AS c ON c.organization_id = o.id"
        );
        let rows = Row::find_by_statement(sql(self.dialect(), &text, []))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let mut known: BTreeMap<i64, Vec<FeedProgress>> = BTreeMap::new();
        for row in rows {
            let feeds = known.entry(row.classy_id).or_default();
            feeds.extend(row.progress().map_err(failed)?);
        }
        // A feed without a checkpoint has not begun.
        let all = |(classy_id, feeds): (i64, Vec<FeedProgress>)| {
            let not_begun = Import {
                since: None,
                done: 0,
                total: None,
                left_s: None,
            };
            Entity::ALL.map(|entity| {
                let found = feeds.iter().find(|feed| feed.entity == entity).cloned();
                found.unwrap_or(FeedProgress {
                    classy_id,
                    entity,
                    read_at: None,
                    import: Some(not_begun),
                })
            })
        };
        Ok(known.into_iter().flat_map(all).collect())
    }
}

/// An organization with one of its feeds, if any was ever planned or read.
#[derive(FromQueryResult)]
struct Row {
    classy_id: i64,
    entity: Option<String>,
    first_pass_at: Option<Time>,
    reconciled_at: Option<Time>,
    swept_at: Option<Time>,
    pass_stage: Option<String>,
    pass_started_at: Option<Time>,
    pass_met: Option<i64>,
    pass_total: Option<i64>,
    read_at: Option<Time>,
}

impl Row {
    fn progress(self) -> Result<Option<FeedProgress>, DbErr> {
        let Some(entity) = self.entity else {
            return Ok(None);
        };
        let count = |stored: Option<i64>| stored.and_then(|count| u64::try_from(count).ok());
        let stage = self.pass_stage.as_deref().and_then(PassStage::from_word);
        let is_passing = stage.is_some();
        let import = Import {
            since: self.pass_started_at.filter(|_| is_passing),
            done: count(self.pass_met).filter(|_| is_passing).unwrap_or(0),
            total: count(self.pass_total).filter(|_| is_passing),
            left_s: None,
        };
        let moments = [
            self.read_at,
            self.swept_at,
            self.reconciled_at,
            self.first_pass_at,
        ];
        Ok(Some(FeedProgress {
            classy_id: self.classy_id,
            entity: entity.parse().map_err(DbErr::Type)?,
            read_at: moments.into_iter().max().flatten(),
            import: Some(import).filter(|_| self.first_pass_at.is_none()),
        }))
    }
}
