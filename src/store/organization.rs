//! Organizations: who is synced, in which state, with which sealed credentials.

use super::clocks::keep_clocks;
use super::connect::now_in;
use super::{Error, Store, TenantStore, audit};
use crate::domain::{Time, Zone};
use crate::entities::organization::{ActiveModel, Column, Entity, Model};
use crate::entities::plugin_state;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    UpdateMany,
};
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

/// Organizations of one statement.
const AT_ONCE: usize = 500;

impl From<Model> for Organization {
    fn from(row: Model) -> Organization {
        Organization {
            id: row.id,
            classy_id: row.classy_id,
            name: row.name,
            status: Status::from_word(&row.status),
            status_reason: row.status_reason,
            credentials_encrypted: row.credentials_encrypted,
            timezone: row.timezone,
            currency_code: row.currency_code,
            fiscal_year_starts: row.fiscal_year_starts,
            applied_from: row.applied_from,
            created_at: row.created_at,
        }
    }
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
        self.organizations_found(Entity::find()).await
    }

    async fn organizations_found(&self, rows: Select<Entity>) -> Result<Vec<Organization>, Error> {
        let rows = rows
            .order_by_asc(Column::ClassyId)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading organizations", error))?;
        Ok(rows.into_iter().map(Organization::from).collect())
    }

    /// One organization by Classy's id.
    pub async fn organization(&self, classy_id: i64) -> Result<Option<Organization>, Error> {
        let row = Entity::find()
            .filter(Column::ClassyId.eq(classy_id))
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading an organization", error))?;
        Ok(row.map(Organization::from))
    }

    /// The organizations whose row changed at or after a moment, by Classy's id.
    pub async fn organizations_changed_since(&self, at: Time) -> Result<Vec<Organization>, Error> {
        self.organizations_found(Entity::find().filter(Column::UpdatedAt.gte(at)))
            .await
    }

    /// Notes from where the files of these organizations (Classy's ids) were applied. That is no
    /// change of theirs.
    pub async fn note_applied(&self, classy_ids: &[i64], from: &str) -> Result<(), Error> {
        for some in classy_ids.chunks(AT_ONCE) {
            let applied = ActiveModel {
                applied_from: Set(Some(from.to_owned())),
                ..Default::default()
            };
            let is_news = Column::AppliedFrom
                .is_null()
                .or(Column::AppliedFrom.ne(from));
            let done = Entity::update_many()
                .set(applied)
                .filter(Column::ClassyId.is_in(some.iter().copied()))
                .filter(is_news)
                .exec(self.connection())
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
            let renamed = ActiveModel {
                name: Set(name.to_owned()),
                updated_at: Set(self.ping().await?),
                ..Default::default()
            };
            Entity::update_many()
                .set(renamed)
                .filter(Column::Id.eq(known.id))
                .exec(self.connection())
                .await
                .map_err(failed)?;
        } else {
            let now = self.ping().await?;
            let row = ActiveModel {
                classy_id: Set(classy_id),
                name: Set(name.to_owned()),
                status: Set(Status::Active.as_str().to_owned()),
                change_seq: Set(0),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            };
            let done = Entity::insert(row)
                .exec_without_returning(self.connection())
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
    /// The organization's row, to be changed.
    fn ours(&self) -> UpdateMany<Entity> {
        Entity::update_many().filter(Column::Id.eq(self.organization_id))
    }

    async fn set(&self, change: ActiveModel) -> Result<(), Error> {
        self.write_row(self.ours().set(change)).await
    }

    /// Writes a change of the row, and that it changed.
    async fn write_row(&self, change: UpdateMany<Entity>) -> Result<(), Error> {
        // By the database's clock: other processes look for what changed by that one.
        let now = self.store.ping().await?;
        change
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .exec(self.connection())
            .await
            .map(drop)
            .map_err(writing)
    }

    /// The row counts as changed, so that the process that serves the organization looks at it.
    pub(super) async fn touch(&self, tx: &DatabaseTransaction) -> Result<(), Error> {
        let now = now_in(tx, self.dialect()).await?;
        self.ours()
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .exec(tx)
            .await
            .map(drop)
            .map_err(writing)
    }

    /// Changes the state, with its reason, and notes it in the audit trail.
    pub async fn set_status(&self, status: Status, reason: Option<&str>) -> Result<(), Error> {
        self.set(ActiveModel {
            status: Set(status.as_str().to_owned()),
            status_reason: Set(reason.map(str::to_owned)),
            ..Default::default()
        })
        .await?;
        self.note(
            "org.status",
            json!({ "status": status.as_str(), "reason": reason }),
        )
        .await
    }

    /// Stores sealed credentials, or forgets them.
    pub async fn set_credentials(&self, sealed: Option<&str>) -> Result<(), Error> {
        self.set(ActiveModel {
            credentials_encrypted: Set(sealed.map(str::to_owned)),
            ..Default::default()
        })
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
        let resealed = ActiveModel {
            credentials_encrypted: Set(Some(new.to_owned())),
            ..Default::default()
        };
        let done = self
            .ours()
            .set(resealed)
            .filter(Column::CredentialsEncrypted.eq(old))
            .exec(self.connection())
            .await
            .map_err(|error| Error::query("resealing credentials", error))?;
        Ok(done.rows_affected > 0)
    }

    /// Keeps what the source says of the organization itself. A time zone that is known already
    /// stays: its file may name it.
    pub async fn set_profile(
        &self,
        timezone: Option<&str>,
        currency_code: Option<&str>,
    ) -> Result<(), Error> {
        let before = self.zone().await?;
        let known_first = Func::coalesce([Expr::col(Column::Timezone), Expr::value(timezone)]);
        let told_first =
            Func::coalesce([Expr::value(currency_code), Expr::col(Column::CurrencyCode)]);
        let change = self
            .ours()
            .col_expr(Column::Timezone, known_first.into())
            .col_expr(Column::CurrencyCode, told_first.into());
        self.write_row(change).await?;
        self.zone_is(before).await
    }

    /// Whose days, months and years are counted.
    pub async fn zone(&self) -> Result<Zone, Error> {
        let name: Option<Option<String>> = Entity::find_by_id(self.organization_id)
            .select_only()
            .column(Column::Timezone)
            .into_tuple()
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading a time zone", error))?;
        let name = name.flatten();
        Ok(Zone::of(name.as_deref()))
    }

    /// Counts by another zone from now on.
    pub async fn set_zone(&self, zone: Zone) -> Result<(), Error> {
        let before = self.zone().await?;
        self.set(ActiveModel {
            timezone: Set(Some(zone.name().to_owned())),
            ..Default::default()
        })
        .await?;
        self.zone_is(before).await
    }

    /// Counts fiscal years from another month on, which the views do from now on.
    pub async fn set_fiscal_year_starts(&self, before: i64, month: i64) -> Result<(), Error> {
        self.set(ActiveModel {
            fiscal_year_starts: Set(month),
            ..Default::default()
        })
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
        let from_the_start = plugin_state::ActiveModel {
            cursor: Set(0),
            ..Default::default()
        };
        let again = plugin_state::Entity::update_many()
            .set(from_the_start)
            .filter(plugin_state::Column::OrganizationId.eq(self.organization_id))
            .exec(self.connection())
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
            self.dialect(),
            Some(self.organization_id),
            action,
            &subject,
            detail,
        )
        .await
    }
}

fn writing(error: sea_orm::DbErr) -> Error {
    Error::query("writing an organization", error)
}
