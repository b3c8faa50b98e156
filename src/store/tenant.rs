//! Everything that one organization owns is reached through here; no method takes an organization's
//! id.

use super::dialect::Dialect;
use super::row::{Fingerprint, has_stubs};
use super::statement::sql;
use super::{Error, Store, tuple};
use crate::domain::{Item, Time};
use crate::entities::{Entity, Record};
use sea_orm::DatabaseConnection;

/// The store as one organization sees it.
#[derive(Clone)]
pub struct TenantStore {
    pub(super) store: Store,
    pub(super) organization_id: i64,
    pub(super) classy_id: i64,
}

impl std::fmt::Debug for TenantStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantStore")
            .field("classy_id", &self.classy_id)
            .finish_non_exhaustive()
    }
}

impl TenantStore {
    /// Classy's id of the organization.
    pub const fn classy_id(&self) -> i64 {
        self.classy_id
    }

    /// The fingerprints of records, for which no transaction is needed, so that they can be made
    /// while another one goes on.
    pub fn fingerprints<R: Record>(&self, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        let mut scratch = Vec::with_capacity(4 * 1024);
        let mut of = |item: &Item<R>| match item {
            Item::Good(record) => Some(Fingerprint::of(record, self.dialect(), &mut scratch)),
            Item::Bad(_) => None,
        };
        items.iter().map(&mut of).collect()
    }

    /// Has statistics gathered when the tables grew; see [`Store::keep_statistics`].
    pub async fn keep_statistics(&self) -> Result<bool, Error> {
        self.store.keep_statistics().await
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        self.store.connection()
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.store.dialect()
    }

    /// The stored ids above `after` and up to `upto` that the source should show (neither stubs nor
    /// absent ones), the lowest `limit` of them.
    pub async fn ids_between<R: Record>(
        &self,
        after: i64,
        upto: i64,
        limit: u64,
    ) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading stored ids", error);
        let text = format!(
            "SELECT id FROM {} WHERE {} AND id > $2 AND id <= $3 AND absent_since IS NULL{} ORDER BY id LIMIT {limit}",
            R::ENTITY,
            self.dialect().is_tenants_in_range(1),
            self.no_stubs(R::ENTITY)
        );
        let values = [self.organization_id.into(), after.into(), upto.into()];
        tuple::all(self.connection(), sql(self.dialect(), &text, values))
            .await
            .map_err(failed)
    }

    /// The largest stored id that the source should show; 0 when nothing is stored.
    pub async fn max_id(&self, entity: Entity) -> Result<i64, Error> {
        let failed = |error| Error::query("reading stored ids", error);
        let text = format!(
            "SELECT COALESCE(MAX(id), 0) AS n FROM {entity} WHERE organization_id = $1 AND absent_since IS NULL{}",
            self.no_stubs(entity)
        );
        let statement = sql(self.dialect(), &text, [self.organization_id.into()]);
        tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)
    }

    /// How many stored records the source should show.
    pub async fn count(&self, entity: Entity) -> Result<u64, Error> {
        self.count_where(entity, "", None).await
    }

    /// How many of them changed at or after a moment.
    pub async fn count_since(&self, entity: Entity, from: Time) -> Result<u64, Error> {
        self.count_where(entity, " AND source_updated_at >= $2", Some(from))
            .await
    }

    async fn count_where(
        &self,
        entity: Entity,
        condition: &str,
        from: Option<Time>,
    ) -> Result<u64, Error> {
        let failed = |error| Error::query("counting records", error);
        let text = format!(
            "SELECT COUNT(*) AS n FROM {entity} WHERE organization_id = $1{condition} AND absent_since IS NULL{}",
            self.no_stubs(entity)
        );
        let values = [self.organization_id.into()]
            .into_iter()
            .chain(from.map(Into::into));
        let statement = sql(self.dialect(), &text, values);
        let count: i64 = tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        Ok(count.max(0) as u64)
    }

    fn no_stubs(&self, entity: Entity) -> String {
        if has_stubs(entity) {
            format!(" AND {}", self.dialect().not("is_stub"))
        } else {
            String::new()
        }
    }
}
