//! Organizations: who is synced, in which state, with which sealed credentials.

use super::clocks::keep_clocks;
use super::connect::now_in;
use super::statement::{quoted, sql};
use super::{Error, Store, TenantStore, audit};
use crate::domain::{Time, Zone};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use serde_json::json;

/// Whether an organization is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Synced.
    Active,
    /// Not synced, because a person said so or its file was removed.
    Paused,
    /// Not synced until a person mends something: refused credentials, a missing key.
    Suspended,
}

impl Status {
    /// The word in `organizations.status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Paused => "paused",
            Status::Suspended => "suspended",
        }
    }

    fn from_word(word: &str) -> Status {
        match word {
            "paused" => Status::Paused,
            "suspended" => Status::Suspended,
            _ => Status::Active,
        }
    }
}

/// A row of `organizations`.
#[derive(Debug, Clone)]
pub struct Organization {
    id: i64,
    /// Classy's id, the one people use.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Whether it is synced.
    pub status: Status,
    /// Why it is not.
    pub status_reason: Option<String>,
    /// Sealed by the vault; `None` when there are none here.
    pub credentials_encrypted: Option<String>,
    /// IANA name, when the source told it.
    pub timezone: Option<String>,
    /// The reporting currency, when the source told it.
    pub currency_code: Option<String>,
    /// The month with which its fiscal years begin: 1 to 12.
    pub fiscal_year_starts: i64,
    /// From where its file was last applied, see [`Store::note_applied`].
    pub applied_from: Option<String>,
    /// When it was first known here.
    pub created_at: Time,
}

const COLUMNS: &str = "id, classy_id, name, status, status_reason, credentials_encrypted, timezone, currency_code, fiscal_year_starts, applied_from, \
     created_at";

/// Organizations of one statement.
const AT_ONCE: usize = 500;

fn read(row: &QueryResult) -> Result<Organization, sea_orm::DbErr> {
    Ok(Organization {
        id: row.try_get("", "id")?,
        classy_id: row.try_get("", "classy_id")?,
        name: row.try_get("", "name")?,
        status: Status::from_word(&row.try_get::<String>("", "status")?),
        status_reason: row.try_get("", "status_reason")?,
        credentials_encrypted: row.try_get("", "credentials_encrypted")?,
        timezone: row.try_get("", "timezone")?,
        currency_code: row.try_get("", "currency_code")?,
        fiscal_year_starts: row.try_get("", "fiscal_year_starts")?,
        applied_from: row.try_get("", "applied_from")?,
        created_at: row.try_get("", "created_at")?,
    })
}

impl Organization {
    /// The key that the tables use.
    pub(super) const fn row_id(&self) -> i64 {
        self.id
    }
}

impl Store {
    /// All organizations, by Classy's id.
    pub async fn organizations(&self) -> Result<Vec<Organization>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let text = format!("SELECT {COLUMNS} FROM organizations ORDER BY classy_id");
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, []))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// One organization by Classy's id.
    pub async fn organization(&self, classy_id: i64) -> Result<Option<Organization>, Error> {
        let failed = |error| Error::query("reading an organization", error);
        let text = format!("SELECT {COLUMNS} FROM organizations WHERE classy_id = $1");
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, [classy_id.into()]))
            .await
            .map_err(failed)?;
        row.as_ref().map(read).transpose().map_err(failed)
    }

    /// The organizations whose row changed at or after a moment, by Classy's id.
    pub async fn organizations_changed_since(&self, at: Time) -> Result<Vec<Organization>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let text = format!(
            "SELECT {COLUMNS} FROM organizations WHERE updated_at >= $1 ORDER BY classy_id"
        );
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, [at.into()]))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }

    /// Notes from where the files of these organizations (Classy's ids) were applied. That is no
    /// change of theirs.
    pub async fn note_applied(&self, classy_ids: &[i64], from: &str) -> Result<(), Error> {
        for some in classy_ids.chunks(AT_ONCE) {
            let list = some
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            let text = format!(
                "UPDATE organizations SET applied_from = $1 WHERE classy_id IN ({list}) AND (applied_from IS NULL OR applied_from <> $2)"
            );
            let done = self
                .connection()
                .execute_raw(sql(self.backend(), &text, [from.into(), from.into()]))
                .await;
            done.map_err(|error| Error::query("writing organizations", error))?;
        }
        Ok(())
    }

    /// The store as one organization sees it.
    pub fn tenant(&self, organization: &Organization) -> TenantStore {
        TenantStore {
            store: self.clone(),
            organization_id: organization.id,
            classy_id: organization.classy_id,
        }
    }

    /// Makes an organization known, or renames it.
    pub async fn put_organization(
        &self,
        classy_id: i64,
        name: &str,
    ) -> Result<Organization, Error> {
        let failed = |error| Error::query("writing an organization", error);
        if let Some(known) = self.organization(classy_id).await? {
            if known.name == name {
                return Ok(known);
            }
            let text = "UPDATE organizations SET name = $1, updated_at = $2 WHERE id = $3";
            let now = self.ping().await?;
            let values = [name.into(), now.into(), known.id.into()];
            self.connection()
                .execute_raw(sql(self.backend(), text, values))
                .await
                .map_err(failed)?;
        } else {
            let text = "INSERT INTO organizations (classy_id, name, status, change_seq, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
            let now = self.ping().await?;
            let values = [
                classy_id.into(),
                name.into(),
                Status::Active.as_str().into(),
                0_i64.into(),
                now.into(),
                now.into(),
            ];
            let done = self
                .connection()
                .execute_raw(sql(self.backend(), text, values))
                .await
                .map_err(failed);
            // Another process that begins at the same time may have been first.
            if let Err(error) = done
                && self.organization(classy_id).await?.is_none()
            {
                return Err(error);
            }
        }
        self.organization(classy_id)
            .await?
            .ok_or(Error::NoOrganization)
    }
}

impl TenantStore {
    async fn set(&self, assignments: &str, values: Vec<sea_orm::Value>) -> Result<(), Error> {
        let next = values.len() + 1;
        let text = format!(
            "UPDATE organizations SET {assignments}, updated_at = ${next} WHERE id = ${}",
            next + 1
        );
        // By the database's clock: other processes look for what changed by that one.
        let now = self.store.ping().await?;
        let values = values
            .into_iter()
            .chain([now.into(), self.organization_id.into()]);
        self.connection()
            .execute_raw(sql(self.backend(), &text, values))
            .await
            .map_err(|error| Error::query("writing an organization", error))?;
        Ok(())
    }

    /// The row counts as changed, so that the process that serves the organization looks at it.
    pub(super) async fn touch(&self, tx: &DatabaseTransaction) -> Result<(), Error> {
        let now = now_in(tx, self.backend()).await?;
        let text = "UPDATE organizations SET updated_at = $1 WHERE id = $2";
        let values = [now.into(), self.organization_id.into()];
        tx.execute_raw(sql(self.backend(), text, values))
            .await
            .map_err(|error| Error::query("writing an organization", error))?;
        Ok(())
    }

    /// Changes the state, with its reason, and notes it in the audit trail.
    pub async fn set_status(&self, status: Status, reason: Option<&str>) -> Result<(), Error> {
        self.set(
            "status = $1, status_reason = $2",
            vec![status.as_str().into(), reason.into()],
        )
        .await?;
        self.note(
            "org.status",
            json!({ "status": status.as_str(), "reason": reason }),
        )
        .await
    }

    /// Stores sealed credentials, or forgets them.
    pub async fn set_credentials(&self, sealed: Option<&str>) -> Result<(), Error> {
        self.set("credentials_encrypted = $1", vec![sealed.into()])
            .await?;
        self.note(
            if sealed.is_some() {
                "org.credentials_sealed"
            } else {
                "org.credentials_forgotten"
            },
            json!({}),
        )
        .await
    }

    /// Replaces sealed credentials by the same under another key, unless they changed meanwhile.
    /// Answers whether it did.
    pub async fn reseal_credentials(&self, old: &str, new: &str) -> Result<bool, Error> {
        let text = "UPDATE organizations SET credentials_encrypted = $1 WHERE id = $2 AND credentials_encrypted = $3";
        let values = [new.into(), self.organization_id.into(), old.into()];
        let done = self
            .connection()
            .execute_raw(sql(self.backend(), text, values))
            .await
            .map_err(|error| Error::query("resealing credentials", error))?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps what the source says of the organization itself. A time zone that is known already
    /// stays: its file may name it.
    pub async fn set_profile(
        &self,
        timezone: Option<&str>,
        currency_code: Option<&str>,
    ) -> Result<(), Error> {
        let before = self.zone().await?;
        let values = vec![timezone.into(), currency_code.into()];
        self.set(
            "timezone = COALESCE(timezone, $1), currency_code = COALESCE($2, currency_code)",
            values,
        )
        .await?;
        self.zone_is(before).await
    }

    /// Whose days, months and years are counted.
    pub async fn zone(&self) -> Result<Zone, Error> {
        let failed = |error| Error::query("reading a time zone", error);
        let text = "SELECT timezone FROM organizations WHERE id = $1";
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, [self.organization_id.into()]))
            .await
            .map_err(failed)?;
        let name: Option<String> = row
            .map(|row| row.try_get("", "timezone"))
            .transpose()
            .map_err(failed)?
            .flatten();
        Ok(Zone::of(name.as_deref()))
    }

    /// Counts by another zone from now on.
    pub async fn set_zone(&self, zone: Zone) -> Result<(), Error> {
        let before = self.zone().await?;
        self.set("timezone = $1", vec![zone.name().into()]).await?;
        self.zone_is(before).await
    }

    /// Counts fiscal years from another month on, which the views do from now on.
    pub async fn set_fiscal_year_starts(&self, before: i64, month: i64) -> Result<(), Error> {
        self.set("fiscal_year_starts = $1", vec![month.into()])
            .await?;
        self.note("org.fiscal_year", json!({ "from": before, "to": month }))
            .await
    }

    /// When the zone is another than it was, its clocks are written down for the views, and plugins
    /// look at everybody again.
    async fn zone_is(&self, before: Zone) -> Result<(), Error> {
        let zone = self.zone().await?;
        keep_clocks(&self.store, zone).await?;
        if zone == before {
            return Ok(());
        }
        let text = format!(
            "UPDATE plugin_states SET {} = 0 WHERE organization_id = $1",
            quoted(self.backend(), "cursor")
        );
        let again = self
            .connection()
            .execute_raw(sql(self.backend(), &text, [self.organization_id.into()]))
            .await;
        again.map_err(|error| Error::query("having plugins look again", error))?;
        self.note(
            "org.time_zone",
            json!({ "from": before.name(), "to": zone.name() }),
        )
        .await
    }

    /// Notes a person's command about this organization.
    pub async fn note(&self, action: &str, detail: serde_json::Value) -> Result<(), Error> {
        let subject = format!("organization:{}", self.classy_id);
        audit::note(
            self.connection(),
            self.backend(),
            Some(self.organization_id),
            action,
            &subject,
            detail,
        )
        .await
    }
}
