//! What Classy has of a record and nobody reads here.

use super::{Error, Store, TenantStore};
use crate::clock;
use crate::entities::{Entity, unread_field};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeSet, HashSet};

impl TenantStore {
    /// Writes down keys that were not met before.
    pub async fn note_unread_fields(
        &self,
        entity: Entity,
        names: &BTreeSet<String>,
    ) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let failed = |error| Error::query("writing unread fields", error);
        let of_entity =
            unread_field::Entity::find().filter(unread_field::Column::Entity.eq(entity.as_str()));
        let known: Vec<String> = of_entity
            .select_only()
            .column(unread_field::Column::Name)
            .into_tuple()
            .all(self.store.connection())
            .await
            .map_err(failed)?;
        let known: HashSet<String> = known.into_iter().collect();
        let now = clock::now();
        let news = names
            .iter()
            .filter(|name| !known.contains(*name))
            .map(|name| unread_field::ActiveModel {
                entity: ActiveValue::Set(entity.as_str().to_owned()),
                name: ActiveValue::Set(name.clone()),
                first_seen_at: ActiveValue::Set(now),
            });
        let news: Vec<_> = news.collect();
        if news.is_empty() {
            return Ok(());
        }
        // Another organization's run may write the same now.
        let key = [unread_field::Column::Entity, unread_field::Column::Name];
        let there = OnConflict::columns(key).do_nothing_on(key).to_owned();
        unread_field::Entity::insert_many(news)
            .on_conflict(there)
            .exec_without_returning(self.store.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

impl Store {
    /// All of them, by entity and name.
    pub async fn unread_fields(&self) -> Result<Vec<unread_field::Model>, Error> {
        let all = unread_field::Entity::find()
            .order_by_asc(unread_field::Column::Entity)
            .order_by_asc(unread_field::Column::Name);
        all.all(self.connection())
            .await
            .map_err(|error| Error::query("reading unread fields", error))
    }
}
