//! The mirror: the contacts of a destination as they were last seen.

use super::{PluginKey, words_document};
use crate::domain::{Member, Time, Values};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::row::time_text;
use crate::store::statement::{as_bigint, document, ids_document, lookup, sql, unpack, upsert};
use crate::store::{Error, Fence, TenantStore, audit};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, destination, remote_id";

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
        let join = lookup(self.backend());
        let source = unpack(self.backend(), &[("id", Kind::Int)]);
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
        let text = "SELECT DISTINCT destination FROM plugin_members WHERE organization_id = $1 AND plugin = $2 AND destination <> $3 \
                    AND subscribed_by_us = $4 AND remote_status IN ('subscribed', 'pending') ORDER BY destination";
        let values = self.plugin_values(key).into_iter().chain([true.into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| row.try_get("", "destination"))
            .collect::<Result<_, _>>()
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
        let join = lookup(self.backend());
        let source = unpack(self.backend(), &[("word", Kind::Text)]);
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
        let rest = format!(
            "FROM plugin_members AS m WHERE m.organization_id = $1 AND m.plugin = $2 AND m.destination = $3 AND m.remote_id > $4 \
             ORDER BY m.remote_id LIMIT {limit}"
        );
        self.members_by(
            &rest,
            self.plugin_values(key).into_iter().chain([after.into()]),
        )
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
        let mut values: Vec<Value> = self.plugin_values(key).into();
        let mut place = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        let words: Vec<String> = statuses
            .iter()
            .map(|status| place((*status).into()))
            .collect();
        let after = after.map_or_else(String::new, |at| {
            format!("AND m.last_seen_at > {}", place(at.into()))
        });
        let until = until.map_or_else(String::new, |at| {
            format!("AND m.last_seen_at <= {}", place(at.into()))
        });
        let rest = format!(
            "FROM plugin_members AS m WHERE m.organization_id = $1 AND m.plugin = $2 AND m.destination = $3 AND m.remote_status IN ({}) \
             AND m.last_seen_at IS NOT NULL {after} {until} ORDER BY m.last_seen_at DESC, m.remote_id LIMIT {limit}",
            words.join(", ")
        );
        self.members_by(&rest, values).await
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
            as_bigint(self.backend(), "COUNT(*)")
        );
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain(since.map(Value::from));
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        let read = |row: &QueryResult| {
            let count: i64 = row.try_get("", "n")?;
            Ok((
                row.try_get::<Option<String>>("", "remote_status")?
                    .unwrap_or_default(),
                u64::try_from(count).unwrap_or_default(),
            ))
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, DbErr>>()
            .map_err(failed)
    }

    async fn members_by(
        &self,
        rest: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Member>, Error> {
        let failed = |error| Error::query("reading the mirror", error);
        let text = format!(
            "SELECT m.remote_id, m.contact_id, m.supporter_id, m.remote_status, m.managed_tags, m.name_hash, m.subscribed_by_us, m.ever_left_at, \
             m.last_seen_at, m.field_values {rest}"
        );
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), &text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
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
        let backend = self.backend();
        let time = |time: Option<Time>| time.map(|time| time_text(time, backend));
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
        let text = upsert(backend, "plugin_members", KEY, &fields, &kept, &[]);
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            if !objects.is_empty() {
                tx.execute_raw(sql(
                    backend,
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
                    backend,
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
        let text = "DELETE FROM plugin_members WHERE organization_id = $1 AND plugin = $2 AND destination = $3 AND remote_id = $4";
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            for id in remote_ids {
                let values = self
                    .plugin_values(key)
                    .into_iter()
                    .chain([id.as_str().into()]);
                tx.execute_raw(sql(self.backend(), text, values))
                    .await
                    .map_err(|error| Error::query("writing the mirror", error))?;
            }
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}

fn read(row: &QueryResult) -> Result<Member, DbErr> {
    let tags: Option<String> = row.try_get("", "managed_tags")?;
    let tags: BTreeSet<String> = tags
        .map(|text| {
            serde_json::from_str(&text)
                .map_err(|error| DbErr::Type(format!("managed_tags: {error}")))
        })
        .transpose()?
        .unwrap_or_default();
    let values: Option<String> = row.try_get("", "field_values")?;
    let values = values
        .map(|text| {
            serde_json::from_str(&text)
                .map_err(|error| DbErr::Type(format!("field_values: {error}")))
        })
        .transpose()?
        .map(Values);
    Ok(Member {
        remote_id: row.try_get("", "remote_id")?,
        contact_id: row.try_get("", "contact_id")?,
        supporter_id: row.try_get("", "supporter_id")?,
        remote_status: row
            .try_get::<Option<String>>("", "remote_status")?
            .unwrap_or_default(),
        managed_tags: tags,
        name_hash: row.try_get("", "name_hash")?,
        values,
        subscribed_by_us: row.try_get("", "subscribed_by_us")?,
        ever_left_at: row.try_get("", "ever_left_at")?,
        last_seen_at: row.try_get("", "last_seen_at")?,
    })
}
