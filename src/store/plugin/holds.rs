//! What waits for a person's word: written with the verdicts of a batch, released, and counted.

use super::PluginKey;
use super::guarded_changes::{CHANGE_KEY, StoredChange};
use crate::domain::{Fate, Harm, Harms, Held, Verdict};
use crate::entities::plugin_hold::{Column, Entity};
use crate::store::statement::{document, insert, sql};
use crate::store::{Error, Store, TenantStore, tuple};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

/// How much is held of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldCount {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// How many people wait, for each kind of change.
    pub harms: Harms,
}

/// How much is held of one plugin, for one kind of change.
#[derive(FromQueryResult)]
struct KindCount {
    classy_id: i64,
    plugin: String,
    kind: String,
    n: i64,
}

impl TenantStore {
    /// What waits for a person's word, by person.
    pub async fn holds(&self, key: &PluginKey) -> Result<Vec<Held>, Error> {
        let failed = |error| Error::query("reading what is held", error);
        let guarded_changes = Entity::find()
            .select_only()
            .columns([Column::SupporterId, Column::Kind, Column::Mark])
            .filter(self.here::<Entity>(key))
            .order_by_asc(Column::SupporterId)
            .order_by_asc(Column::Kind)
            .into_model::<StoredChange>()
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(guarded_changes
            .into_iter()
            .filter_map(StoredChange::held)
            .collect())
    }

    /// Replaces what is held of these people, and gives grants back to those who were put off,
    /// within a transaction. What is held of an order to take back is another plan's.
    pub(super) async fn rewrite_holds(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        verdicts: &Verdicts,
    ) -> Result<(), Error> {
        let (others, undo) = ("kind <> $4 AND ", [Harm::Undo.as_str().into()]);
        self.for_each_piece(
            tx,
            "DELETE FROM plugin_holds",
            None,
            key,
            others,
            &undo,
            &verdicts.all,
        )
        .await?;
        self.for_each_piece(
            tx,
            "UPDATE plugin_grants SET used_at = NULL",
            None,
            key,
            others,
            &undo,
            &verdicts.put_off,
        )
        .await?;
        self.insert_holds(tx, key, &verdicts.held).await
    }

    /// Replaces all that is held of one kind, within a transaction.
    pub(super) async fn replace_holds(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        kind: Harm,
        held: &[Held],
    ) -> Result<(), Error> {
        Entity::delete_many()
            .filter(self.here::<Entity>(key))
            .filter(Column::Kind.eq(kind.as_str()))
            .exec(tx)
            .await
            .map_err(|error| Error::query("writing what is held", error))?;
        self.insert_holds(tx, key, held).await
    }

    /// One kind is not held of these people any more, within a transaction.
    pub(super) async fn release_holds(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        kind: Harm,
        ids: &[i64],
    ) -> Result<(), Error> {
        self.for_each_piece(
            tx,
            "DELETE FROM plugin_holds",
            None,
            key,
            "kind = $4 AND ",
            &[kind.as_str().into()],
            ids,
        )
        .await
    }

    async fn insert_holds(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        held: &[Held],
    ) -> Result<(), Error> {
        if held.is_empty() {
            return Ok(());
        }
        let object = |one: &Held| {
            json!({
                "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination,
                "supporter_id": one.supporter_id, "kind": one.guarded_change.kind.as_str(), "mark": one.guarded_change.mark,
            })
            .to_string()
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = held.iter().map(object).collect();
        let text = insert(self.dialect(), "plugin_holds", &CHANGE_KEY);
        tx.execute_raw(sql(
            self.dialect(),
            &text,
            [document(objects.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing what is held", error))?;
        Ok(())
    }

    /// How many people wait for a person's word, and for what.
    pub async fn count_holds(&self, key: &PluginKey) -> Result<(u64, Harms), Error> {
        let failed = |error| Error::query("counting what is held", error);
        let of =
            "FROM plugin_holds WHERE organization_id = $1 AND plugin = $2 AND destination = $3";
        let (people, rows) = (
            self.dialect().as_bigint("COUNT(DISTINCT supporter_id)"),
            self.dialect().as_bigint("COUNT(*)"),
        );
        let text = format!("SELECT kind, {rows} AS n {of} GROUP BY kind");
        let mut harms = Harms::default();
        let statement = sql(self.dialect(), &text, self.plugin_values(key));
        for (kind, count) in tuple::all::<(String, i64)>(self.connection(), statement)
            .await
            .map_err(failed)?
        {
            if let Some(kind) = Harm::of(&kind) {
                harms.add(kind, count.max(0) as u64);
            }
        }
        let text = format!("SELECT {people} AS n {of}");
        let statement = sql(self.dialect(), &text, self.plugin_values(key));
        let people: i64 = tuple::one(self.connection(), statement)
            .await
            .map_err(failed)?
            .unwrap_or_default();
        Ok((people.max(0) as u64, harms))
    }
}

impl Verdicts {
    pub(super) fn of(verdicts: &[Verdict]) -> Verdicts {
        let mut found = Verdicts::default();
        for verdict in verdicts {
            let supporter_id = verdict.supporter_id;
            found.all.push(supporter_id);
            if matches!(verdict.fate, Fate::Deferred { .. }) {
                found.put_off.push(supporter_id);
            }
            found
                .held
                .extend(verdict.held.iter().map(|guarded_change| Held {
                    supporter_id,
                    guarded_change: *guarded_change,
                }));
        }
        found
    }
}

/// What a batch of verdicts says about holds.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Everybody in it.
    pub(super) all: Vec<i64>,
    /// Those who are tried again later.
    pub(super) put_off: Vec<i64>,
    /// What is held.
    pub(super) held: Vec<Held>,
}

impl Store {
    /// How much is held, by organization and plugin, of the places that are delivered to now.
    pub async fn hold_counts(&self) -> Result<Vec<HoldCount>, Error> {
        let failed = |error| Error::query("counting what is held", error);
        let text = format!(
            "SELECT o.classy_id, h.plugin, h.kind, {} AS n FROM plugin_holds AS h JOIN organizations AS o ON o.id = h.organization_id \
             JOIN plugin_states AS p ON p.organization_id = h.organization_id AND p.plugin = h.plugin AND p.destination = h.destination \
             GROUP BY o.classy_id, h.plugin, h.kind ORDER BY o.classy_id, h.plugin",
            self.dialect().as_bigint("COUNT(*)")
        );
        let mut counts: Vec<HoldCount> = Vec::new();
        let rows = KindCount::find_by_statement(sql(self.dialect(), &text, []))
            .all(self.connection())
            .await
            .map_err(failed)?;
        for row in rows {
            let KindCount {
                classy_id,
                plugin,
                kind,
                n: count,
            } = row;
            if counts
                .last()
                .is_none_or(|last| last.classy_id != classy_id || last.plugin != plugin)
            {
                counts.push(HoldCount {
                    classy_id,
                    plugin,
                    harms: Harms::default(),
                });
            }
            if let (Some(last), Some(kind)) = (counts.last_mut(), Harm::of(&kind)) {
                last.harms.add(kind, count.max(0) as u64);
            }
        }
        Ok(counts)
    }
}
