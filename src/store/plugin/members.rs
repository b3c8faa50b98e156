//! The mirror: the contacts of a destination as they were last seen.

use super::{PluginKey, words_document};
use crate::domain::{Member, Time, Values};
use crate::entities::plugin_member::{Column, Entity, Model};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{columns, document, ids_document, sql, upsert};
use crate::store::{Error, Fence, TenantStore, audit, tuple};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select, Value,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, destination, remote_id";

/// The other side's words for who is there.
const IN: [&str; 2] = ["subscribed", "pending"];

/// Somebody of ours who was seen to have left, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Classy's id of the supporter.
    pub supporter_id: i64,
    /// The other side's word.
    pub status: String,
    /// The other side's time of it.
    pub at: Option<Time>,
}

impl TenantStore {
    /// The contacts that were delivered for these supporters.
    pub async fn members_of(
        &self,
        key: &PluginKey,
        supporters: &[i64],
    ) -> Result<Vec<Member>, Error> {
        let join = self.dialect().lookup();
        let source = self.dialect().unpack(&[("id", Kind::Int)]);
        let rest = format!(
            "FROM {source} {join} plugin_members AS m ON m.supporter_id = j.id WHERE m.organization_id = $2 AND m.plugin = $3 AND m.destination = $4"
        );
        self.members_by(
            &rest,
            std::iter::once(ids_document(supporters.iter().copied()))
                .chain(self.plugin_values(key)),
        )
        .await
    }

    /// The contacts with these ids of the other side.
    pub async fn members(
        &self,
        key: &PluginKey,
        remote_ids: &[String],
    ) -> Result<Vec<Member>, Error> {
        self.members_with(key, "remote_id", remote_ids).await
    }

    /// The contacts that the other side calls by these names, whatever their addresses.
    pub async fn members_of_contacts(
        &self,
        key: &PluginKey,
        contact_ids: &[String],
    ) -> Result<Vec<Member>, Error> {
        self.members_with(key, "contact_id", contact_ids).await
    }

    /// The other places of the plugin into which it subscribed somebody who is there still, as far
    /// as known.
    pub async fn earlier_destinations(&self, key: &PluginKey) -> Result<Vec<String>, Error> {
        let failed = |error| Error::query("reading earlier audiences", error);
        Entity::find()
            .select_only()
            .column(Column::Destination)
            .distinct()
            .filter(self.elsewhere::<Entity>(key))
            .filter(Column::SubscribedByUs.eq(true))
            .filter(Column::RemoteStatus.is_in(IN))
            .order_by_asc(Column::Destination)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)
    }

    /// Contacts that are in, carry tags of ours, and belong to nobody, by the traces of their
    /// names.
    pub async fn nobodys_members(
        &self,
        key: &PluginKey,
        names: &BTreeSet<i64>,
    ) -> Result<Vec<Member>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let names = names
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let rest = format!(
            "FROM plugin_members AS m WHERE m.organization_id = $1 AND m.plugin = $2 AND m.destination = $3 AND m.supporter_id IS NULL \
             AND m.subscribed_by_us = $4 AND m.remote_status IN ('subscribed', 'pending') AND m.managed_tags <> '[]' AND m.name_hash IN ({names})"
        );
        self.members_by(
            &rest,
            self.plugin_values(key).into_iter().chain([false.into()]),
        )
        .await
    }

    async fn members_with(
        &self,
        key: &PluginKey,
        column: &str,
        words: &[String],
    ) -> Result<Vec<Member>, Error> {
        let list = words_document(words.iter().map(String::as_str));
        let join = self.dialect().lookup();
        let source = self.dialect().unpack(&[("word", Kind::Text)]);
        let rest = format!(
            "FROM {source} {join} plugin_members AS m ON m.{column} = j.word WHERE m.organization_id = $2 AND m.plugin = $3 AND m.destination = $4"
        );
        self.members_by(&rest, std::iter::once(list).chain(self.plugin_values(key)))
            .await
    }

    /// The next `limit` contacts after an id of the other side, in their order.
    pub async fn members_after(
        &self,
        key: &PluginKey,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        let rows = self.mirror(key).filter(Column::RemoteId.gt(after));
        self.members_found(rows.order_by_asc(Column::RemoteId).limit(limit))
            .await
    }

    /// The `limit` contacts in one of these statuses that changed last, by the other side's time,
    /// after a moment and up to another.
    pub async fn latest_members(
        &self,
        key: &PluginKey,
        statuses: &[&str],
        (after, until): (Option<Time>, Option<Time>),
        limit: u64,
    ) -> Result<Vec<Member>, Error> {
        let mut rows = self
            .mirror(key)
            .filter(Column::RemoteStatus.is_in(statuses.iter().copied()))
            .filter(Column::LastSeenAt.is_not_null());
        if let Some(after) = after {
            rows = rows.filter(Column::LastSeenAt.gt(after));
        }
        if let Some(until) = until {
            rows = rows.filter(Column::LastSeenAt.lte(until));
        }
        let rows = rows
            .order_by_desc(Column::LastSeenAt)
            .order_by_asc(Column::RemoteId);
        self.members_found(rows.limit(limit)).await
    }

    /// How many contacts there are in each status; `since`: of those that the other side says
    /// changed since.
    pub async fn member_counts(
        &self,
        key: &PluginKey,
        since: Option<Time>,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let failed = |error| Error::query("counting the mirror", error);
        let changed = since.map_or("", |_| "AND last_seen_at > $4");
        let text = format!(
            "SELECT remote_status, {} AS n FROM plugin_members WHERE organization_id = $1 AND plugin = $2 AND destination = $3 {changed} \
             GROUP BY remote_status",
            self.dialect().as_bigint("COUNT(*)")
        );
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain(since.map(Value::from));
        let rows: Vec<(Option<String>, i64)> =
            tuple::all(self.connection(), sql(self.dialect(), &text, values))
                .await
                .map_err(failed)?;
        let count = |(status, count): (Option<String>, i64)| {
            (
                status.unwrap_or_default(),
                u64::try_from(count).unwrap_or_default(),
            )
        };
        Ok(rows.into_iter().map(count).collect())
    }

    /// The contacts of a place.
    fn mirror(&self, key: &PluginKey) -> Select<Entity> {
        Entity::find().filter(self.here::<Entity>(key))
    }

    async fn members_found(&self, rows: Select<Entity>) -> Result<Vec<Member>, Error> {
        let rows = rows.all(self.connection()).await.map_err(reading)?;
        members(rows)
    }

    async fn members_by(
        &self,
        rest: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Member>, Error> {
        let text = format!("SELECT {} {rest}", columns::<Entity>(self.dialect(), "m"));
        let rows = Model::find_by_statement(sql(self.dialect(), &text, values))
            .all(self.connection())
            .await
            .map_err(reading)?;
        members(rows)
    }

    /// Writes contacts into the mirror, and into the audit trail who left.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn save_members(
        &self,
        fence: &Fence,
        key: &PluginKey,
        members: &[Member],
        left: &[Left],
    ) -> Result<(), Error> {
        if members.is_empty() && left.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        let time = |time: Option<Time>| time.map(|time| dialect.time_text(time));
        let object = |member: &Member| {
            json!({
                "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination,
                "remote_id": member.remote_id, "contact_id": member.contact_id, "supporter_id": member.supporter_id, "remote_status": member.remote_status,
                "managed_tags": json!(member.managed_tags).to_string(), "name_hash": member.name_hash,
                "subscribed_by_us": i32::from(member.subscribed_by_us), "ever_left_at": time(member.ever_left_at),
                "last_seen_at": time(member.last_seen_at),
                "field_values": member.values.as_ref().map(|values| json!(values.0).to_string()),
            })
            .to_string()
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = members.iter().map(object).collect();
        let fields = [
            ("organization_id", Kind::Int),
            ("plugin", Kind::Text),
            ("destination", Kind::Text),
            ("remote_id", Kind::Text),
            ("contact_id", Kind::Text),
            ("supporter_id", Kind::Int),
            ("remote_status", Kind::Text),
            ("managed_tags", Kind::Text),
            ("name_hash", Kind::Int),
            ("subscribed_by_us", Kind::Bool),
            ("ever_left_at", Kind::Time),
            ("last_seen_at", Kind::Time),
            ("field_values", Kind::Text),
        ];
        let kept = ["organization_id", "plugin", "destination", "remote_id"];
        let text = upsert(dialect, "plugin_members", KEY, &fields, &kept, &[]);
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            if !objects.is_empty() {
                tx.execute_raw(sql(
                    dialect,
                    &text,
                    [document(objects.iter().map(Vec::as_slice))],
                ))
                .await
                .map_err(|error| Error::query("writing the mirror", error))?;
            }
            for one in left {
                let subject = format!("supporter:{}", one.supporter_id);
                let detail = json!({ "destination": key.destination, "status": one.status, "at": one.at.map(|at| at.to_rfc3339()) });
                let action = format!("{}.left", key.plugin);
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

    /// Takes contacts out of the mirror: under these ids the other side has nobody any more.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn forget_members(
        &self,
        fence: &Fence,
        key: &PluginKey,
        remote_ids: &[String],
    ) -> Result<(), Error> {
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            for id in remote_ids {
                Entity::delete_many()
                    .filter(self.here::<Entity>(key))
                    .filter(Column::RemoteId.eq(id.as_str()))
                    .exec(&tx)
                    .await
                    .map_err(|error| Error::query("writing the mirror", error))?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

fn reading(error: DbErr) -> Error {
    Error::query("reading the mirror", error)
}

fn members(rows: Vec<Model>) -> Result<Vec<Member>, Error> {
    rows.into_iter()
        .map(Member::try_from)
        .collect::<Result<_, _>>()
        .map_err(reading)
}

impl TryFrom<Model> for Member {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Member, DbErr> {
        let strange =
            |name: &str, error: serde_json::Error| DbErr::Type(format!("{name}: {error}"));
        let tags = |text: String| {
            serde_json::from_str(&text).map_err(|error| strange("managed_tags", error))
        };
        let values = |text: String| {
            serde_json::from_str(&text)
                .map(Values)
                .map_err(|error| strange("field_values", error))
        };
        Ok(Member {
            remote_id: row.remote_id,
            contact_id: row.contact_id,
            supporter_id: row.supporter_id,
            remote_status: row.remote_status.unwrap_or_default(),
            managed_tags: row.managed_tags.map(tags).transpose()?.unwrap_or_default(),
            name_hash: row.name_hash,
            values: row.field_values.map(values).transpose()?,
            subscribed_by_us: row.subscribed_by_us,
            ever_left_at: row.ever_left_at,
            last_seen_at: row.last_seen_at,
        })
    }
}
