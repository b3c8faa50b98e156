//! Alerts: one open row for each cause, whoever opened it.

use super::statement::{quoted, sql};
use super::{Error, Slice, Store};
use crate::domain::Time;
use sea_orm::{ConnectionTrait, QueryResult};

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
    fn alert_columns(&self) -> String {
        let [key, count] = ["key", "count"].map(|name| quoted(self.backend(), name));
        format!(
            "a.id, o.classy_id, a.{key} AS alert_key, a.severity, a.message, a.opened_at, a.last_seen_at, a.acknowledged_at, a.resolved_at, \
             a.{count} AS seen_count, a.notices, a.notified_at, a.notified_by"
        )
    }

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
        let failed = |error| Error::query("reading alerts", error);
        let open = if all {
            ""
        } else {
            " AND a.resolved_at IS NULL"
        };
        let only = if classy_id.is_some() {
            " AND o.classy_id = $1"
        } else {
            ""
        };
        let text = format!(
            "SELECT {} FROM alerts AS a LEFT JOIN organizations AS o ON o.id = a.organization_id WHERE 1 = 1{open}{only} \
             ORDER BY CASE WHEN a.resolved_at IS NULL THEN 0 ELSE 1 END, a.id DESC LIMIT {} OFFSET {}",
            self.alert_columns(),
            slice.limit,
            slice.skipped
        );
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, classy_id.map(Into::into)))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Opens an alert, unless one with the same key is open for the same organization already;
    /// answers the open one's row.
    pub async fn open_alert(&self, alert: &AlertRow) -> Result<Option<AlertRow>, Error> {
        let failed = |error| Error::query("writing an alert", error);
        if let Some(open) = self.open_alert_of(alert.classy_id, &alert.key).await? {
            return Ok(Some(open));
        }
        let organization = match alert.classy_id {
            Some(classy_id) => match self.organization(classy_id).await? {
                Some(organization) => Some(organization.row_id()),
                // One whose file is not applied yet: nothing to hang the alert on.
                None => return Ok(None),
            },
            None => None,
        };
        let [key, count] = ["key", "count"].map(|name| quoted(self.backend(), name));
        let text = format!(
            "INSERT INTO alerts (organization_id, {key}, severity, message, opened_at, last_seen_at, {count}, notices, notified_at, \
             notified_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        );
        let values = [
            organization.into(),
            alert.key.as_str().into(),
            alert.severity.as_str().into(),
            alert.message.as_str().into(),
            alert.opened_at.into(),
            alert.last_seen_at.into(),
            number(alert.count),
            number(alert.notices),
            alert.notified_at.into(),
            alert.notified_by.clone().into(),
        ];
        self.connection()
            .execute_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        self.open_alert_of(alert.classy_id, &alert.key).await
    }

    async fn open_alert_of(
        &self,
        classy_id: Option<i64>,
        key: &str,
    ) -> Result<Option<AlertRow>, Error> {
        let failed = |error| Error::query("reading alerts", error);
        let only = if classy_id.is_some() {
            "o.classy_id = $2"
        } else {
            "a.organization_id IS NULL"
        };
        let text = format!(
            "SELECT {} FROM alerts AS a LEFT JOIN organizations AS o ON o.id = a.organization_id \
             WHERE a.resolved_at IS NULL AND a.{} = $1 AND {only} ORDER BY a.id LIMIT 1",
            self.alert_columns(),
            quoted(self.backend(), "key")
        );
        let values = std::iter::once(key.into()).chain(classy_id.map(Into::into));
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        row.as_ref().map(read).transpose().map_err(failed)
    }

    /// Writes down what is known of an alert by now; its acknowledgement stays as people set it.
    pub async fn update_alert(&self, alert: &AlertRow) -> Result<(), Error> {
        let text = format!(
            "UPDATE alerts SET severity = $1, message = $2, last_seen_at = $3, resolved_at = $4, {} = $5, notices = $6, notified_at = $7, \
             notified_by = $8 WHERE id = $9",
            quoted(self.backend(), "count")
        );
        let values = [
            alert.severity.as_str().into(),
            alert.message.as_str().into(),
            alert.last_seen_at.into(),
            alert.resolved_at.into(),
            number(alert.count),
            number(alert.notices),
            alert.notified_at.into(),
            alert.notified_by.clone().into(),
            alert.id.into(),
        ];
        self.connection()
            .execute_raw(sql(self.backend(), &text, values))
            .await
            .map_err(|error| Error::query("writing an alert", error))?;
        Ok(())
    }

    /// Writes down that its process still tells of an open alert.
    pub async fn count_alert(&self, id: i64, count: u64, message: &str) -> Result<(), Error> {
        let text = format!(
            "UPDATE alerts SET {} = $1, message = $2 WHERE id = $3 AND resolved_at IS NULL",
            quoted(self.backend(), "count")
        );
        self.write_alert(&text, vec![number(count), message.into(), id.into()])
            .await?;
        Ok(())
    }

    /// Writes down that another process than its own sees what an open alert tells of.
    pub async fn touch_alert(&self, id: i64, at: Time) -> Result<(), Error> {
        let text = "UPDATE alerts SET last_seen_at = $1 WHERE id = $2 AND resolved_at IS NULL";
        self.write_alert(text, vec![at.into(), id.into()]).await?;
        Ok(())
    }

    /// Makes an open alert of a process that is gone another one's; answers whether it was still as
    /// known.
    pub async fn adopt_alert(&self, id: i64, from: &str, to: &str) -> Result<bool, Error> {
        let key = quoted(self.backend(), "key");
        let text = format!(
            "UPDATE alerts SET {key} = $1 WHERE id = $2 AND {key} = $3 AND resolved_at IS NULL"
        );
        Ok(self
            .write_alert(&text, vec![to.into(), id.into(), from.into()])
            .await?
            == 1)
    }

    async fn write_alert(&self, text: &str, values: Vec<sea_orm::Value>) -> Result<u64, Error> {
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await;
        Ok(done
            .map_err(|error| Error::query("writing an alert", error))?
            .rows_affected())
    }

    /// Notes that a person knows of an open alert. Answers whether there is such a one.
    pub async fn acknowledge_alert(&self, id: i64, at: Time) -> Result<bool, Error> {
        let failed = |error| Error::query("acknowledging an alert", error);
        let text = "SELECT id FROM alerts WHERE id = $1 AND resolved_at IS NULL";
        if self
            .connection()
            .query_one_raw(sql(self.backend(), text, [id.into()]))
            .await
            .map_err(failed)?
            .is_none()
        {
            return Ok(false);
        }
        let text =
            "UPDATE alerts SET acknowledged_at = $1 WHERE id = $2 AND acknowledged_at IS NULL";
        self.connection()
            .execute_raw(sql(self.backend(), text, [at.into(), id.into()]))
            .await
            .map_err(failed)?;
        Ok(true)
    }
}

fn number(count: u64) -> sea_orm::Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

fn read(row: &QueryResult) -> Result<AlertRow, sea_orm::DbErr> {
    let count = |name: &str| -> Result<u64, sea_orm::DbErr> {
        Ok(u64::try_from(row.try_get::<i64>("", name)?).unwrap_or(0))
    };
    Ok(AlertRow {
        id: row.try_get("", "id")?,
        classy_id: row.try_get("", "classy_id")?,
        key: row.try_get("", "alert_key")?,
        severity: row.try_get("", "severity")?,
        message: row.try_get("", "message")?,
        opened_at: row.try_get("", "opened_at")?,
        last_seen_at: row.try_get("", "last_seen_at")?,
        acknowledged_at: row.try_get("", "acknowledged_at")?,
        resolved_at: row.try_get("", "resolved_at")?,
        count: count("seen_count")?,
        notices: count("notices")?,
        notified_at: row.try_get("", "notified_at")?,
        notified_by: row.try_get("", "notified_by")?,
    })
}
