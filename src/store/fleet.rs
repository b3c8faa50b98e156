//! Several processes on one database: who is there, and who serves which organization. The database
//! and its clock are the arbiter.

use super::holder::place_of;
use super::lease::{NOBODY, after};
use super::statement::{document, insert_missing, sql};
use super::{Error, Fence, Store, tuple};
use crate::domain::Time;
use crate::entities::record::Kind;
use crate::entities::{daemon, lease};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, SqlErr,
};
use std::time::Duration;

/// An organization that should be synced and that nobody holds.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Unserved {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Who let the lease end; empty when it was given back, or never taken.
    #[sea_orm(from_alias = "holder")]
    pub last_holder: String,
}

impl Store {
    /// Frees what dead predecessors left: those of the same place (see [`place_of`]), whose lock
    /// the caller has, so that they are dead for sure. Everybody else's leases end by themselves.
    pub async fn succeed(&self, holder: &str) -> Result<(), Error> {
        let failed = |error| Error::query("freeing a predecessor's leases", error);
        let Some(place) = place_of(holder) else {
            return Ok(());
        };
        let text = format!(
            "SELECT holder FROM leases WHERE holder <> '{NOBODY}' UNION SELECT holder FROM daemons"
        );
        let statement = sql(self.dialect(), &text, []);
        let holders: Vec<String> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        for dead in holders
            .iter()
            .filter(|other| *other != holder && place_of(other) == Some(place))
        {
            self.leave(dead).await?;
        }
        Ok(())
    }

    /// Expiries that were written while the clock was ahead count from now on.
    async fn bound_expiries(&self, ttl: Duration) -> Result<(), Error> {
        let failed = |error| Error::query("looking after the leases", error);
        let latest = after(self.ping().await?, ttl);
        lease::Entity::update_many()
            .set(lease_until(latest))
            .filter(lease::Column::ExpiresAt.gt(latest))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        daemon::Entity::update_many()
            .set(there_until(latest))
            .filter(daemon::Column::ExpiresAt.gt(latest))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Says that this process is there for another `ttl`, and renews all its leases. Answers with
    /// everybody who is there, and with the organizations (Classy's ids) whose leases it holds.
    pub async fn attend(
        &self,
        holder: &str,
        ttl: Duration,
    ) -> Result<(Vec<String>, Vec<(i64, Fence)>), Error> {
        let failed = |error| Error::query("renewing the leases", error);
        self.bound_expiries(ttl).await?;
        let now = self.ping().await?;
        let until = after(now, ttl);
        let renewed = daemon::Entity::update_many()
            .set(there_until(until))
            .filter(daemon::Column::Holder.eq(holder))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        if renewed.rows_affected == 0 {
            let row = daemon::ActiveModel {
                holder: Set(holder.to_owned()),
                expires_at: Set(until),
            };
            let inserted = daemon::Entity::insert(row)
                .exec_without_returning(self.connection())
                .await;
            // One that found no row and one that came meanwhile: the second is there already.
            // Whoever cannot write must not go on: it would take itself for absent, and leave its
            // organizations to others.
            inserted.map(drop).or_else(|error| {
                if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
                    Ok(())
                } else {
                    Err(failed(error))
                }
            })?;
        }
        let held = self.renew_leases(holder, ttl).await?;
        let there = daemon::Entity::find()
            .select_only()
            .column(daemon::Column::Holder)
            .filter(daemon::Column::ExpiresAt.gt(now))
            .order_by_asc(daemon::Column::Holder)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok((there, held))
    }

    /// Renews all leases of this process, and answers with them.
    pub async fn renew_leases(
        &self,
        holder: &str,
        ttl: Duration,
    ) -> Result<Vec<(i64, Fence)>, Error> {
        let failed = |error| Error::query("renewing the leases", error);
        let now = self.ping().await?;
        lease::Entity::update_many()
            .set(lease_until(after(now, ttl)))
            .filter(lease::Column::Holder.eq(holder))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        self.leases_of(holder).await
    }

    /// Who holds a lease that has not expired, by Classy's id of the organization.
    pub async fn lease_holders(&self) -> Result<Vec<(i64, String)>, Error> {
        let failed = |error| Error::query("reading the leases", error);
        let now = self.ping().await?;
        let text = format!(
            "SELECT o.classy_id, l.holder FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id \
             WHERE l.expires_at > $1 AND l.holder <> '{NOBODY}'"
        );
        tuple::all(self.connection(), sql(self.dialect(), &text, [now.into()]))
            .await
            .map_err(failed)
    }

    /// Who holds the lease of one organization (Classy's id), unless it has expired.
    pub async fn lease_holder(&self, classy_id: i64) -> Result<Option<String>, Error> {
        Ok(self
            .lease_holders()
            .await?
            .into_iter()
            .find(|(id, _)| *id == classy_id)
            .map(|(_, holder)| holder))
    }

    /// The same with the end of the lease, which its holder puts off at each look at the database.
    pub async fn lease_of(&self, classy_id: i64) -> Result<Option<(String, Time)>, Error> {
        let failed = |error| Error::query("reading a lease", error);
        let now = self.ping().await?;
        let text = format!(
            "SELECT l.holder, l.expires_at FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id \
             WHERE o.classy_id = $1 AND l.expires_at > $2 AND l.holder <> '{NOBODY}'"
        );
        let values = [classy_id.into(), now.into()];
        tuple::one(self.connection(), sql(self.dialect(), &text, values))
            .await
            .map_err(failed)
    }

    /// Whether any daemon is there.
    pub async fn has_daemons(&self) -> Result<bool, Error> {
        let failed = |error| Error::query("reading who is there", error);
        let now = self.ping().await?;
        let one = daemon::Entity::find()
            .filter(daemon::Column::ExpiresAt.gt(now))
            .one(self.connection())
            .await
            .map_err(failed)?;
        Ok(one.is_some())
    }

    /// Organizations that should be synced and that nobody holds, with the last holder's name;
    /// empty when it gave its lease back.
    pub async fn unserved(&self) -> Result<Vec<Unserved>, Error> {
        let failed = |error| Error::query("reading the leases", error);
        let now = self.ping().await?;
        let text = format!(
            "SELECT o.classy_id, o.name, COALESCE(l.holder, '{NOBODY}') AS holder FROM organizations AS o \
             LEFT JOIN leases AS l ON l.organization_id = o.id \
             WHERE o.status = 'active' AND (l.holder IS NULL OR l.holder = '{NOBODY}' OR l.expires_at <= $1)"
        );
        Unserved::find_by_statement(sql(self.dialect(), &text, [now.into()]))
            .all(self.connection())
            .await
            .map_err(failed)
    }

    /// Gives back leases (by Classy's id of the organization), as far as this process has them
    /// under these numbers.
    pub async fn release_leases(&self, leases: &[(i64, Fence)]) -> Result<(), Error> {
        for (classy_id, fence) in leases {
            if let Some(organization) = self.organization(*classy_id).await? {
                match self.tenant(&organization).release(fence).await {
                    Ok(()) | Err(Error::FenceLost) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    async fn leases_of(&self, holder: &str) -> Result<Vec<(i64, Fence)>, Error> {
        let failed = |error| Error::query("reading the leases", error);
        let text = "SELECT o.classy_id, l.epoch FROM leases AS l JOIN organizations AS o ON o.id = l.organization_id WHERE l.holder = $1";
        let statement = sql(self.dialect(), text, [holder.into()]);
        let rows: Vec<(i64, i64)> = tuple::all(self.connection(), statement)
            .await
            .map_err(failed)?;
        let held = |(classy_id, epoch)| (classy_id, Fence::of(holder.to_owned(), epoch));
        Ok(rows.into_iter().map(held).collect())
    }

    /// Takes the leases of these organizations (Classy's ids) as far as they are free, expired, or
    /// this process's own. One that a person paused is not taken. Answers with what it holds of
    /// them now.
    pub async fn take_leases(
        &self,
        holder: &str,
        ttl: Duration,
        classy_ids: &[i64],
    ) -> Result<Vec<(i64, Fence)>, Error> {
        if classy_ids.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error| Error::query("taking leases", error);
        let dialect = self.dialect();
        let ids = self.row_ids(classy_ids).await?;
        let never = dialect.time_text(Time::UNIX_EPOCH);
        let object = |id: &i64| {
            format!(
                r#"{{"organization_id":{id},"holder":"{NOBODY}","epoch":0,"expires_at":"{never}"}}"#
            )
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = ids.iter().map(object).collect();
        let fields = [
            ("organization_id", Kind::Int),
            ("holder", Kind::Text),
            ("epoch", Kind::Int),
            ("expires_at", Kind::Time),
        ];
        let text = insert_missing(dialect, "leases", "organization_id", &fields);
        let document = || document(objects.iter().map(Vec::as_slice));
        self.connection()
            .execute_raw(sql(dialect, &text, [document()]))
            .await
            .map_err(failed)?;
        self.bound_expiries(ttl).await?;
        let now = self.ping().await?;
        let source = dialect.unpack(&[("organization_id", Kind::Int)]);
        let unpaused = "(SELECT id FROM organizations WHERE status <> 'paused')";
        // Each row is judged again when its lock is had: of two that take at once, one finds it
        // taken.
        let takable = format!("(t.expires_at <= $4 OR t.holder = $5 OR t.holder = '{NOBODY}')");
        let text = dialect.update_matched(
            "leases",
            &source,
            "j.organization_id = t.organization_id",
            &[
                ("holder", "$2"),
                ("epoch", "t.epoch + 1"),
                ("expires_at", "$3"),
            ],
            &format!("{takable} AND t.organization_id IN {unpaused}"),
        );
        let values = [
            document(),
            holder.into(),
            after(now, ttl).into(),
            now.into(),
            holder.into(),
        ];
        self.connection()
            .execute_raw(sql(dialect, &text, values))
            .await
            .map_err(failed)?;
        let mut held = self.leases_of(holder).await?;
        held.retain(|(classy_id, _)| classy_ids.contains(classy_id));
        Ok(held)
    }

    async fn row_ids(&self, classy_ids: &[i64]) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading organizations", error);
        let objects: Vec<Vec<u8>> = classy_ids
            .iter()
            .map(|id| format!("{{\"classy_id\":{id}}}").into_bytes())
            .collect();
        let source = self.dialect().unpack(&[("classy_id", Kind::Int)]);
        let join = self.dialect().lookup();
        let text = format!(
            "SELECT o.id FROM {source} {join} organizations AS o ON o.classy_id = j.classy_id ORDER BY o.id"
        );
        let document = document(objects.iter().map(Vec::as_slice));
        tuple::all(self.connection(), sql(self.dialect(), &text, [document]))
            .await
            .map_err(failed)
    }

    /// Says that this process is gone, and gives all its leases back.
    pub async fn leave(&self, holder: &str) -> Result<(), Error> {
        let failed = |error| Error::query("giving the leases back", error);
        let now = self.ping().await?;
        let given_back = lease::ActiveModel {
            holder: Set(NOBODY.to_owned()),
            ..lease_until(now)
        };
        lease::Entity::update_many()
            .set(given_back)
            .filter(lease::Column::Holder.eq(holder))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        daemon::Entity::delete_many()
            .filter(daemon::Column::Holder.eq(holder))
            .exec(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

fn lease_until(at: Time) -> lease::ActiveModel {
    lease::ActiveModel {
        expires_at: Set(at),
        ..Default::default()
    }
}

fn there_until(at: Time) -> daemon::ActiveModel {
    daemon::ActiveModel {
        expires_at: Set(at),
        ..Default::default()
    }
}
