//! Organizations: who is synced, in which state, with which sealed credentials.

use super::statement::sql;
use super::{Error, Store, TenantStore, audit};
use crate::clock;
use crate::domain::Time;
use sea_orm::{ConnectionTrait, QueryResult};
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
    /// When it was first known here.
    pub created_at: Time,
}

const COLUMNS: &str = "id, classy_id, name, status, status_reason, credentials_encrypted, timezone, currency_code, created_at";

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
    ///
    /// # Errors
    /// Database errors.
    pub async fn organizations(&self) -> Result<Vec<Organization>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let text = format!("SELECT {COLUMNS} FROM organizations ORDER BY classy_id");
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, [])).await.map_err(failed)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }

    /// One organization by Classy's id.
    ///
    /// # Errors
    /// Database errors.
    pub async fn organization(&self, classy_id: i64) -> Result<Option<Organization>, Error> {
        let failed = |error| Error::query("reading an organization", error);
        let text = format!("SELECT {COLUMNS} FROM organizations WHERE classy_id = $1");
        let row = self.connection().query_one_raw(sql(self.backend(), &text, [classy_id.into()])).await.map_err(failed)?;
        row.as_ref().map(read).transpose().map_err(failed)
    }

    /// The organizations whose row changed at or after a moment, by Classy's id.
    ///
    /// # Errors
    /// Database errors.
    pub async fn organizations_changed_since(&self, at: Time) -> Result<Vec<Organization>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let text = format!("SELECT {COLUMNS} FROM organizations WHERE updated_at >= $1 ORDER BY classy_id");
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, [at.into()])).await.map_err(failed)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(failed)
    }

    /// The store as one organization sees it.
    pub fn tenant(&self, organization: &Organization) -> TenantStore {
        TenantStore { store: self.clone(), organization_id: organization.id, classy_id: organization.classy_id }
    }

    /// Makes an organization known, or renames it.
    ///
    /// # Errors
    /// Database errors.
    pub async fn put_organization(&self, classy_id: i64, name: &str) -> Result<Organization, Error> {
        let failed = |error| Error::query("writing an organization", error);
        if let Some(known) = self.organization(classy_id).await? {
            if known.name == name {
                return Ok(known);
            }
            let text = "UPDATE organizations SET name = $1, updated_at = $2 WHERE id = $3";
            let values = [name.into(), clock::now().into(), known.id.into()];
            self.connection().execute_raw(sql(self.backend(), text, values)).await.map_err(failed)?;
        } else {
            let text =
                "INSERT INTO organizations (classy_id, name, status, change_seq, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
            let now = clock::now();
            let values = [classy_id.into(), name.into(), Status::Active.as_str().into(), 0_i64.into(), now.into(), now.into()];
            self.connection().execute_raw(sql(self.backend(), text, values)).await.map_err(failed)?;
        }
        self.organization(classy_id).await?.ok_or(Error::NoOrganization)
    }
}

impl TenantStore {
    async fn set(&self, assignments: &str, values: Vec<sea_orm::Value>) -> Result<(), Error> {
        let next = values.len() + 1;
        let text = format!("UPDATE organizations SET {assignments}, updated_at = ${next} WHERE id = ${}", next + 1);
        let values = values.into_iter().chain([clock::now().into(), self.organization_id.into()]);
        self.connection()
            .execute_raw(sql(self.backend(), &text, values))
            .await
            .map_err(|error| Error::query("writing an organization", error))?;
        Ok(())
    }

    /// Changes the state, with its reason, and notes it in the audit trail.
    ///
    /// # Errors
    /// Database errors.
    pub async fn set_status(&self, status: Status, reason: Option<&str>) -> Result<(), Error> {
        self.set("status = $1, status_reason = $2", vec![status.as_str().into(), reason.into()]).await?;
        self.note("org.status", json!({ "status": status.as_str(), "reason": reason })).await
    }

    /// Stores sealed credentials, or forgets them.
    ///
    /// # Errors
    /// Database errors.
    pub async fn set_credentials(&self, sealed: Option<&str>) -> Result<(), Error> {
        self.set("credentials_encrypted = $1", vec![sealed.into()]).await?;
        self.note(if sealed.is_some() { "org.credentials_sealed" } else { "org.credentials_forgotten" }, json!({})).await
    }

    /// Replaces sealed credentials by the same under another key, unless they changed meanwhile. Answers whether it did.
    ///
    /// # Errors
    /// Database errors.
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

    /// Keeps what the source says of the organization itself.
    ///
    /// # Errors
    /// Database errors.
    pub async fn set_profile(&self, timezone: Option<&str>, currency_code: Option<&str>) -> Result<(), Error> {
        self.set(
            "timezone = COALESCE($1, timezone), currency_code = COALESCE($2, currency_code)",
            vec![timezone.into(), currency_code.into()],
        )
        .await
    }

    /// Notes a person's command about this organization.
    ///
    /// # Errors
    /// Database errors.
    pub async fn note(&self, action: &str, detail: serde_json::Value) -> Result<(), Error> {
        let subject = format!("organization:{}", self.classy_id);
        audit::note(self.connection(), self.backend(), Some(self.organization_id), action, &subject, detail).await
    }
}
