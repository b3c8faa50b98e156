//! Who left: the address, and the people who had it then. It holds for every destination of a
//! plugin, until the other side itself shows the person there again.

use super::{PluginKey, words_document};
use crate::domain::{Time, Way, Why};
use crate::entities::plugin_suppression::{ActiveModel, Column, Entity};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{document, ids_document, sql, upsert};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Value,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, remote_id, supporter_id";

/// Stands for the address itself, whoever has it.
const WHOEVER: i64 = 0;

/// Somebody who left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The other side's id of the address by which they left.
    pub remote_id: String,
    /// Who had it then; nobody where only the address is meant, such as one that bounces.
    pub supporter_id: Option<i64>,
    /// How they left.
    pub why: Why,
}

/// Leavings that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Why nothing is sent to an address, by the other side's id of it.
    pub addresses: BTreeMap<String, Why>,
    /// Why nothing is sent to a supporter, by the id of each address by which they left.
    pub supporters: BTreeMap<i64, BTreeMap<String, Why>>,
    /// Those of the addresses by which somebody left another place than the one that is asked for.
    pub elsewhere: BTreeSet<String>,
    /// Supporters whom we took off at any time, since they said no at the source, with the ids of
    /// their addresses and why; whether or not they came back.
    pub taken_off: BTreeMap<i64, BTreeMap<String, Why>>,
    /// Those of the addresses that we took off at any time, since anybody said no at the source.
    pub addresses_taken_off: BTreeSet<String>,
}

impl Suppressed {
    /// Why nothing is sent to a supporter at an address: they left under whatever address, or
    /// somebody else left under this one.
    pub fn why(&self, supporter: i64, remote_id: &str) -> Option<&Why> {
        let by_person = self
            .supporters
            .get(&supporter)
            .and_then(|by| by.values().next());
        by_person.or_else(|| self.addresses.get(remote_id))
    }
}

impl TenantStore {
    /// Which of these addresses and supporters left, in whatever destination.
    pub async fn suppressed(
        &self,
        key: &PluginKey,
        remote_ids: &[String],
        supporters: &[i64],
    ) -> Result<Suppressed, Error> {
        let dialect = self.dialect();
        let (join, words, ids) = (
            dialect.lookup(),
            dialect.unpack(&[("word", Kind::Text)]),
            dialect.unpack(&[("id", Kind::Int)]),
        );
        let rest = "s.organization_id = $2 AND s.plugin = $3 AND s.lifted_at IS NULL";
        let columns = "s.remote_id, s.supporter_id, s.destination, s.way, s.reason";
        let by_address = format!(
            "SELECT {columns} FROM {words} {join} plugin_suppressions AS s ON s.remote_id = j.word AND s.supporter_id = {WHOEVER} WHERE {rest}"
        );
        let by_supporter = format!(
            "SELECT {columns} FROM {ids} {join} plugin_suppressions AS s ON s.supporter_id = j.id WHERE {rest}"
        );
        let at_any_time = format!(
            "WHERE s.organization_id = $2 AND s.plugin = $3 AND s.way = '{}'",
            Way::TakenOff.as_str()
        );
        let mut found = Suppressed::default();
        if !remote_ids.is_empty() {
            let list = || words_document(remote_ids.iter().map(String::as_str));
            let taken_off = format!(
                "SELECT {columns} FROM {words} {join} plugin_suppressions AS s ON s.remote_id = j.word {at_any_time}"
            );
            found.addresses_taken_off = self
                .leavings(&taken_off, list(), &key.plugin)
                .await?
                .into_iter()
                .map(|row| row.remote_id)
                .collect();
            for row in self.leavings(&by_address, list(), &key.plugin).await? {
                let is_elsewhere = row.destination != key.destination;
                found
                    .elsewhere
                    .extend(Some(row.remote_id.clone()).filter(|_| is_elsewhere));
                let why = row.why();
                found.addresses.insert(row.remote_id, why);
            }
        }
        if !supporters.is_empty() {
            let list = || ids_document(supporters.iter().copied());
            let taken_off = format!(
                "SELECT {columns} FROM {ids} {join} plugin_suppressions AS s ON s.supporter_id = j.id {at_any_time}"
            );
            let taken_off = self.leavings(&taken_off, list(), &key.plugin).await?;
            for row in taken_off {
                let of_supporter = found.taken_off.entry(row.supporter_id).or_default();
                let why = row.why();
                of_supporter.insert(row.remote_id, why);
            }
            for row in self.leavings(&by_supporter, list(), &key.plugin).await? {
                let of_supporter = found.supporters.entry(row.supporter_id).or_default();
                let why = row.why();
                of_supporter.insert(row.remote_id, why);
            }
        }
        Ok(found)
    }

    async fn leavings(&self, text: &str, list: Value, plugin: &str) -> Result<Vec<Row>, Error> {
        let values = [list, self.organization_id.into(), plugin.into()];
        Row::find_by_statement(sql(self.dialect(), text, values))
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading who left", error))
    }

    /// Remembers who left, the address and the person, and notes it in the audit trail.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn suppress(
        &self,
        fence: &Fence,
        key: &PluginKey,
        leavings: &[Leaving],
        now: Time,
    ) -> Result<(), Error> {
        if leavings.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        let stamp = dialect.time_text(now);
        let ids: BTreeSet<String> = leavings.iter().map(|one| one.remote_id.clone()).collect();
        let people: BTreeSet<i64> = leavings.iter().filter_map(|one| one.supporter_id).collect();
        let known = self
            .suppressed(
                key,
                &ids.into_iter().collect::<Vec<_>>(),
                &people.into_iter().collect::<Vec<_>>(),
            )
            .await?;
        let mut rows: BTreeMap<(&str, i64), Why> = BTreeMap::new();
        for one in leavings {
            let id = one.remote_id.as_str();
            let of_address = rows.get(&(id, WHOEVER)).or_else(|| known.addresses.get(id));
            let why = one.why.clone().beside(of_address, true);
            rows.insert((id, WHOEVER), why);
            if let Some(supporter) = one.supporter_id {
                let of_person = known.supporters.get(&supporter).and_then(|by| by.get(id));
                let why = one
                    .why
                    .clone()
                    .beside(rows.get(&(id, supporter)).or(of_person), false);
                rows.insert((id, supporter), why);
            }
        }
        let object = |((remote_id, supporter), why): (&(&str, i64), &Why)| {
            json!({
                "organization_id": self.organization_id, "plugin": key.plugin, "remote_id": remote_id, "supporter_id": supporter,
                "destination": key.destination, "way": why.way.as_str(), "reason": why.reason, "since": stamp, "lifted_at": null,
            })
            .to_string()
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = rows.iter().map(object).collect();
        let fields = [
            ("organization_id", Kind::Int),
            ("plugin", Kind::Text),
            ("remote_id", Kind::Text),
            ("supporter_id", Kind::Int),
            ("destination", Kind::Text),
            ("way", Kind::Text),
            ("reason", Kind::Text),
            ("since", Kind::Time),
            ("lifted_at", Kind::Time),
        ];
        let kept = ["organization_id", "plugin", "remote_id", "supporter_id"];
        let text = upsert(dialect, "plugin_suppressions", KEY, &fields, &kept, &[]);
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            tx.execute_raw(sql(
                dialect,
                &text,
                [document(objects.iter().map(Vec::as_slice))],
            ))
            .await
            .map_err(|error| Error::query("writing who left", error))?;
            for (one, supporter_id) in leavings
                .iter()
                .filter_map(|one| Some((one, one.supporter_id?)))
            {
                let subject = format!("supporter:{supporter_id}");
                let detail = json!({ "destination": key.destination, "reason": one.why.reason });
                let action = format!("{}.suppressed", key.plugin);
                audit::note_by(
                    &tx,
                    dialect,
                    &key.plugin,
                    Some(self.organization_id),
                    &action,
                    &subject,
                    detail,
                )
                .await?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_countable(), once).await
    }

    /// Ends the suppression of these addresses and of these people: the other side shows them there
    /// again, by their own doing. Somebody else who left by one of the addresses, and has another
    /// one now, stays suppressed.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn lift_suppressions(
        &self,
        fence: &Fence,
        key: &PluginKey,
        remote_ids: &BTreeSet<String>,
        supporters: &BTreeSet<i64>,
        now: Time,
    ) -> Result<(), Error> {
        if remote_ids.is_empty() && supporters.is_empty() {
            return Ok(());
        }
        let failed = |error| Error::query("writing who came back", error);
        let lifted = || {
            let lifted = ActiveModel {
                lifted_at: Set(Some(now)),
                ..Default::default()
            };
            Entity::update_many()
                .set(lifted)
                .filter(Column::OrganizationId.eq(self.organization_id))
                .filter(Column::Plugin.eq(key.plugin.as_str()))
                .filter(Column::LiftedAt.is_null())
        };
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            for id in remote_ids {
                lifted()
                    .filter(Column::RemoteId.eq(id.as_str()))
                    .filter(Column::SupporterId.eq(WHOEVER))
                    .exec(&tx)
                    .await
                    .map_err(failed)?;
            }
            for id in supporters {
                lifted()
                    .filter(Column::SupporterId.eq(*id))
                    .exec(&tx)
                    .await
                    .map_err(failed)?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

impl TenantStore {
    /// Those of these addresses by which somebody left and came back since.
    pub async fn came_back(
        &self,
        key: &PluginKey,
        remote_ids: &[String],
    ) -> Result<BTreeSet<String>, Error> {
        let rows: Vec<(String,)> = Entity::find()
            .select_only()
            .column(Column::RemoteId)
            .filter(Column::OrganizationId.eq(self.organization_id))
            .filter(Column::Plugin.eq(key.plugin.as_str()))
            .filter(Column::SupporterId.eq(WHOEVER))
            .filter(Column::LiftedAt.is_not_null())
            .filter(Column::RemoteId.is_in(remote_ids))
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading who came back", error))?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Of leavings that are over, those of these supporters that were for one reason are for another
    /// one from now on: what they said since is another word than then.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn explain_leavings(
        &self,
        fence: &Fence,
        key: &PluginKey,
        supporters: &BTreeSet<i64>,
        was: &Why,
        is: &Why,
    ) -> Result<(), Error> {
        if supporters.is_empty() {
            return Ok(());
        }
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            for id in supporters {
                let explained = ActiveModel {
                    reason: Set(is.reason.clone()),
                    ..Default::default()
                };
                Entity::update_many()
                    .set(explained)
                    .filter(Column::OrganizationId.eq(self.organization_id))
                    .filter(Column::Plugin.eq(key.plugin.as_str()))
                    .filter(Column::SupporterId.eq(*id))
                    .filter(Column::Way.eq(was.way.as_str()))
                    .filter(Column::Reason.eq(was.reason.as_str()))
                    .filter(Column::LiftedAt.is_not_null())
                    .exec(&tx)
                    .await
                    .map_err(|error| Error::query("writing who said yes since", error))?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

/// A leaving as it is kept.
#[derive(FromQueryResult)]
struct Row {
    remote_id: String,
    supporter_id: i64,
    destination: String,
    way: String,
    reason: String,
}

impl Row {
    fn why(&self) -> Why {
        Why {
            way: Way::of(&self.way),
            reason: self.reason.clone(),
        }
    }
}
