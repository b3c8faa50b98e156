//! Alerts: one open row for each cause, whoever opened it.

use super::of_organization::{OfOrganization, with_organization};
use super::{Error, Slice, Store};
use crate::domain::Time;
use crate::entities::alert::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
};

/// A row of `alerts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// For `alerts ack`.
    pub id: i64,
    /// Classy's id of the organization; absent for what concerns the process or the database.
    pub classy_id: Option<i64>,
    /// The cause: `freshness:supporters`, `database`, ...
    pub key: String,
    /// `degraded` or `failing`: the worst that it was.
    pub severity: String,
    /// One sentence; no secret, nothing of a donor.
    pub message: String,
    /// First seen.
    pub opened_at: Time,
    /// Last seen.
    pub last_seen_at: Time,
    /// A person knows.
    pub acknowledged_at: Option<Time>,
    /// It is over.
    pub resolved_at: Option<Time>,
    /// Looks that saw it.
    pub count: u64,
    /// How often it was told.
    pub notices: u64,
    /// When it was last told.
    pub notified_at: Option<Time>,
    /// How: `webhook`, or `log` where no webhook is configured.
    pub notified_by: Option<String>,
}

impl Store {
    /// The latest `limit` alerts of one organization or of all, open ones first; without `all` only
    /// the open ones.
    pub async fn alerts(
        &self,
        classy_id: Option<i64>,
        all: bool,
        limit: u64,
    ) -> Result<Vec<AlertRow>, Error> {
        self.alerts_of(classy_id, all, Slice::first(limit)).await
    }

    /// The same, of a slice of them.
    pub async fn alerts_of(
        &self,
        classy_id: Option<i64>,
        all: bool,
        slice: Slice,
    ) -> Result<Vec<AlertRow>, Error> {
        let mut rows = Entity::find();
        if !all {
            rows = rows.filter(Column::ResolvedAt.is_null());
        }
        let rows = rows
            .order_by_asc(Column::ResolvedAt.is_not_null())
            .order_by_desc(Column::Id)
            .limit(slice.limit)
            .offset(slice.skipped);
        let rows = with_organization(rows, classy_id)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading alerts", error))?;
        Ok(rows.into_iter().map(AlertRow::from).collect())
    }

    /// Opens an alert, unless one with the same key is open for the same organization already;
    /// answers the open one's row.
    pub async fn open_alert(&self, alert: &AlertRow) -> Result<Option<AlertRow>, Error> {
        let organization = match alert.classy_id {
            Some(classy_id) => match self.organization(classy_id).await? {
                Some(organization) => Some(organization.row_id()),
                // One whose file is not applied yet: nothing to hang the alert on.
                None => return Ok(None),
            },
            None => None,
        };
        // In one transaction: whoever gives up waiting for a database that is locked leaves no
        // insert behind that is carried out later, beside the one of the next try.
        let tx = self.begin_write().await?;
        if let Some(open) = open_alert_of(&tx, alert.classy_id, &alert.key).await? {
            return Ok(Some(open));
        }
        let row = ActiveModel {
            organization_id: Set(organization),
            key: Set(alert.key.clone()),
            severity: Set(alert.severity.clone()),
            message: Set(alert.message.clone()),
            opened_at: Set(alert.opened_at),
            last_seen_at: Set(alert.last_seen_at),
            count: Set(number(alert.count)),
            notices: Set(number(alert.notices)),
            notified_at: Set(alert.notified_at),
            notified_by: Set(alert.notified_by.clone()),
            ..Default::default()
        };
        Entity::insert(row)
            .exec_without_returning(&tx)
            .await
            .map_err(writing)?;
        let opened = open_alert_of(&tx, alert.classy_id, &alert.key).await?;
        tx.commit().await.map_err(Error::commit)?;
        Ok(opened)
    }

    /// Writes down what is known of an alert by now; its acknowledgement stays as people set it.
    pub async fn update_alert(&self, alert: &AlertRow) -> Result<(), Error> {
        let known = ActiveModel {
            severity: Set(alert.severity.clone()),
            message: Set(alert.message.clone()),
            last_seen_at: Set(alert.last_seen_at),
            resolved_at: Set(alert.resolved_at),
            count: Set(number(alert.count)),
            notices: Set(number(alert.notices)),
            notified_at: Set(alert.notified_at),
            notified_by: Set(alert.notified_by.clone()),
            ..Default::default()
        };
        Entity::update_many()
            .set(known)
            .filter(Column::Id.eq(alert.id))
            .exec(self.connection())
            .await
            .map(drop)
            .map_err(writing)
    }

    /// Writes down that its process still tells of an open alert.
    pub async fn count_alert(&self, id: i64, count: u64, message: &str) -> Result<(), Error> {
        let told = ActiveModel {
            count: Set(number(count)),
            message: Set(message.to_owned()),
            ..Default::default()
        };
        self.write_alert(open(id).set(told)).await.map(drop)
    }

    /// Writes down that another process than its own sees what an open alert tells of.
    pub async fn touch_alert(&self, id: i64, at: Time) -> Result<(), Error> {
        let seen = ActiveModel {
            last_seen_at: Set(at),
            ..Default::default()
        };
        self.write_alert(open(id).set(seen)).await.map(drop)
    }

    /// Makes an open alert of a process that is gone another one's; answers whether it was still as
    /// known.
    pub async fn adopt_alert(&self, id: i64, from: &str, to: &str) -> Result<bool, Error> {
        let theirs = ActiveModel {
            key: Set(to.to_owned()),
            ..Default::default()
        };
        let change = open(id).set(theirs).filter(Column::Key.eq(from));
        Ok(self.write_alert(change).await? == 1)
    }

    /// Answers with how many rows there were to change.
    async fn write_alert(&self, change: UpdateMany<Entity>) -> Result<u64, Error> {
        let done = change.exec(self.connection()).await.map_err(writing)?;
        Ok(done.rows_affected)
    }

    /// Notes that a person knows of an open alert. Answers whether there is such a one.
    pub async fn acknowledge_alert(&self, id: i64, at: Time) -> Result<bool, Error> {
        let failed = |error| Error::query("acknowledging an alert", error);
        let found = Entity::find_by_id(id)
            .filter(Column::ResolvedAt.is_null())
            .one(self.connection())
            .await
            .map_err(failed)?;
        if found.is_none() {
            return Ok(false);
        }
        let known = ActiveModel {
            acknowledged_at: Set(Some(at)),
            ..Default::default()
        };
        Entity::update_many()
            .set(known)
            .filter(Column::Id.eq(id))
            .filter(Column::AcknowledgedAt.is_null())
            .exec(self.connection())
            .await
            .map_err(failed)?;
        Ok(true)
    }
}

fn writing(error: sea_orm::DbErr) -> Error {
    Error::query("writing an alert", error)
}

async fn open_alert_of(
    connection: &impl ConnectionTrait,
    classy_id: Option<i64>,
    key: &str,
) -> Result<Option<AlertRow>, Error> {
    let mut rows = Entity::find()
        .filter(Column::ResolvedAt.is_null())
        .filter(Column::Key.eq(key));
    if classy_id.is_none() {
        rows = rows.filter(Column::OrganizationId.is_null());
    }
    let row = with_organization(rows.order_by_asc(Column::Id), classy_id)
        .one(connection)
        .await
        .map_err(|error| Error::query("reading alerts", error))?;
    Ok(row.map(AlertRow::from))
}

/// A change of an alert that is open still.
fn open(id: i64) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::Id.eq(id))
        .filter(Column::ResolvedAt.is_null())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl From<OfOrganization<Model>> for AlertRow {
    fn from(found: OfOrganization<Model>) -> AlertRow {
        let OfOrganization { row, classy_id } = found;
        let count = |stored: i64| u64::try_from(stored).unwrap_or(0);
        AlertRow {
            id: row.id,
            classy_id,
            key: row.key,
            severity: row.severity,
            message: row.message,
            opened_at: row.opened_at,
            last_seen_at: row.last_seen_at,
            acknowledged_at: row.acknowledged_at,
            resolved_at: row.resolved_at,
            count: count(row.count),
            notices: count(row.notices),
            notified_at: row.notified_at,
            notified_by: row.notified_by,
        }
    }
}
