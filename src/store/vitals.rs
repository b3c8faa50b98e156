//! What checks and pages count: open rejects, how far plugins are behind, and where the database's
//! file lies.

use super::statement::sql;
use super::{Error, Store};
use crate::domain::Time;
use sea_orm::FromQueryResult;
use std::path::{Path, PathBuf};

/// Open rejects of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RejectCount {
    /// Rejects that are open, of all feeds.
    pub open: u64,
    /// First met after the moment that was asked for.
    pub recent: u64,
    /// Records that belong to another organization.
    pub foreign: u64,
}

/// Where a plugin of an organization stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLag {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The plugin's name.
    pub plugin: String,
    /// Changes of supporters that it has not looked at.
    pub behind: u64,
    /// When it last wrote down where it stands.
    pub moved_at: Time,
}

/// Deliveries of one plugin in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// The plugin's name.
    pub plugin: String,
    /// `sending`, `delivered`, `skipped`, `deferred`, `held` or `rejected`.
    pub state: String,
    /// How many people are in this state.
    pub people: u64,
    /// The latest change among them.
    pub latest_at: Option<Time>,
}

#[derive(FromQueryResult)]
struct Rejects {
    classy_id: i64,
    open_count: i64,
    recent: i64,
    strange: i64,
}

#[derive(FromQueryResult)]
struct Lag {
    classy_id: i64,
    plugin: String,
    behind: i64,
    moved_at: Time,
}

#[derive(FromQueryResult)]
struct Deliveries {
    plugin: String,
    state: String,
    people: i64,
    latest_at: Option<Time>,
}

fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

impl Store {
    /// The folder of the database's file; none for a server.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.file()?.parent()?;
        Some(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })
    }

    /// The database's files that are there; none for a server.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(file) = self.file() else {
            return Vec::new();
        };
        let beside = |end: &str| {
            let mut name = file.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        ["", "-wal", "-shm"]
            .into_iter()
            .map(beside)
            .filter(|path| path.exists())
            .collect()
    }

    /// Open rejects by Classy's id of the organization; those without any are left out.
    pub async fn reject_counts(&self, since: Time) -> Result<Vec<(i64, RejectCount)>, Error> {
        let failed = |error| Error::query("counting rejects", error);
        let sum = |condition: &str| {
            self.dialect()
                .as_bigint(&format!("SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"))
        };
        let text = format!(
            "SELECT o.classy_id, {} AS recent, COUNT(*) AS open_count, {} AS strange FROM rejects AS r \
             JOIN organizations AS o ON o.id = r.organization_id WHERE r.resolved_at IS NULL GROUP BY o.classy_id",
            sum("r.first_seen_at >= $1"),
            sum("r.reason = 'foreign_organization'"),
        );
        let rows = Rejects::find_by_statement(sql(self.dialect(), &text, [since.into()]))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let counts = |row: Rejects| {
            let counts = RejectCount {
                open: count(row.open_count),
                recent: count(row.recent),
                foreign: count(row.strange),
            };
            (row.classy_id, counts)
        };
        Ok(rows.into_iter().map(counts).collect())
    }

    /// How far each plugin is behind, of one organization or of all.
    pub async fn plugin_lags(&self, classy_id: Option<i64>) -> Result<Vec<PluginLag>, Error> {
        let failed = |error| Error::query("reading the plugins' places", error);
        let cursor = self.dialect().quoted("cursor");
        let only = if classy_id.is_some() {
            " AND o.classy_id = $1"
        } else {
            ""
        };
        let text = format!(
            "SELECT o.classy_id, p.plugin, {} AS behind, MAX(p.updated_at) AS moved_at FROM plugin_states AS p \
             JOIN organizations AS o ON o.id = p.organization_id WHERE o.status = 'active'{only} GROUP BY o.classy_id, p.plugin ORDER BY o.classy_id, p.plugin",
            // A place that was delivered to once and is not any more stays where it was: the
            // nearest one counts.
            self.dialect()
                .as_bigint(&format!("MIN(o.change_seq - p.{cursor})"))
        );
        let values = classy_id.map(Into::into);
        let rows = Lag::find_by_statement(sql(self.dialect(), &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let lag = |row: Lag| PluginLag {
            classy_id: row.classy_id,
            plugin: row.plugin,
            behind: count(row.behind),
            moved_at: row.moved_at,
        };
        Ok(rows.into_iter().map(lag).collect())
    }

    /// An organization's deliveries, counted by plugin and state.
    pub async fn delivery_counts(&self, classy_id: i64) -> Result<Vec<StateCount>, Error> {
        let failed = |error| Error::query("counting deliveries", error);
        let text = "SELECT d.plugin, d.state, COUNT(*) AS people, MAX(d.updated_at) AS latest_at FROM plugin_deliveries AS d \
                    JOIN organizations AS o ON o.id = d.organization_id WHERE o.classy_id = $1 GROUP BY d.plugin, d.state ORDER BY d.plugin, d.state";
        let rows = Deliveries::find_by_statement(sql(self.dialect(), text, [classy_id.into()]))
            .all(self.connection())
            .await
            .map_err(failed)?;
        let state = |row: Deliveries| StateCount {
            plugin: row.plugin,
            state: row.state,
            people: count(row.people),
            latest_at: row.latest_at,
        };
        Ok(rows.into_iter().map(state).collect())
    }
}
