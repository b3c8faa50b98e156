//! What waits for a person's word, and what a person allowed: for exactly these people, once, for a
//! while.

use super::harm::{self, Counting};
use super::{HarmEntry, PluginKey};
use crate::clock;
use crate::domain::{Deed, Fate, Harm, Harms, Held, Time, Verdict};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::row::time_text;
use crate::store::statement::{as_bigint, document, insert, sql, upsert};
use crate::store::{Error, Fence, Store, TenantStore, audit};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, Value};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, destination, supporter_id, kind";

/// The columns that name one deed to one person, in the tables of what is held and of what is
/// granted.
const DEED: [(&str, Kind); 6] = [
    ("organization_id", Kind::Int),
    ("plugin", Kind::Text),
    ("destination", Kind::Text),
    ("supporter_id", Kind::Int),
    ("kind", Kind::Text),
    ("mark", Kind::Int),
];

/// The longest time for which a person's word holds because those whom it is about wait for the
/// other side.
const WAITS: TimeDelta = TimeDelta::days(30);

/// Rows in one statement.
const PIECE: usize = 5_000;

/// Harm that is about to be done, as the guard let it pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// What was taken from the budget for them, by whether a person allowed it.
    pub harms: BTreeMap<HarmEntry, Harms>,
    /// Grants that are used up by it.
    pub grants: Vec<(i64, Harm)>,
    /// The moment for which it counts.
    pub at: Time,
}

/// A person's word on a plan.
#[derive(Debug, Clone)]
pub struct Approval<'a> {
    /// What is allowed.
    pub granted: &'a [Held],
    /// The plan to which it belongs.
    pub plan: &'a str,
    /// It is all that a first push held: once it is made, whoever turns up later is judged as after
    /// one.
    pub opens: bool,
    /// When the grants end, UTC.
    pub expires_at: Time,
    /// Who says so: `cli` or `http`.
    pub actor: &'a str,
}

/// How much is held of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldCount {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// Its name, as in the configuration.
    pub plugin: String,
    /// How many people wait, for each kind of deed.
    pub harms: Harms,
}

impl TenantStore {
    /// What waits for a person's word, by person.
    pub async fn holds(&self, key: &PluginKey) -> Result<Vec<Held>, Error> {
        let failed = |error| Error::query("reading what is held", error);
        let text = "SELECT supporter_id, kind, mark FROM plugin_holds WHERE organization_id = $1 AND plugin = $2 AND destination = $3 \
                    ORDER BY supporter_id, kind";
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        Ok(rows
            .iter()
            .map(held)
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?
            .into_iter()
            .flatten()
            .collect())
    }

    /// What a person allowed and was not done yet. What was begun and is still `sending` counts as
    /// not done.
    pub async fn grants(
        &self,
        key: &PluginKey,
        now: Time,
    ) -> Result<BTreeMap<(i64, Harm), i64>, Error> {
        let failed = |error| Error::query("reading what is allowed", error);
        let text = "SELECT g.supporter_id, g.kind, g.mark FROM plugin_grants AS g LEFT JOIN plugin_deliveries AS d \
                    ON d.organization_id = g.organization_id AND d.plugin = g.plugin AND d.destination = g.destination \
                    AND d.supporter_id = g.supporter_id \
                    WHERE g.organization_id = $1 AND g.plugin = $2 AND g.destination = $3 AND g.expires_at > $4 \
                    AND (g.used_at IS NULL OR d.state = 'sending')";
        let values = self.plugin_values(key).into_iter().chain([now.into()]);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        let all = rows
            .iter()
            .map(held)
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        Ok(all
            .into_iter()
            .flatten()
            .map(|one| ((one.supporter_id, one.deed.kind), one.deed.mark))
            .collect())
    }

    /// A person allows what is named, and nothing else. Said twice it is allowed once. Those who
    /// are held are looked at again by themselves.
    pub async fn approve(&self, key: &PluginKey, approval: &Approval<'_>) -> Result<(), Error> {
        retry(TransactionTries::of_countable(), || {
            self.approve_once(key, approval)
        })
        .await
    }

    async fn approve_once(&self, key: &PluginKey, approval: &Approval<'_>) -> Result<(), Error> {
        let backend = self.backend();
        let (now, until) = (
            time_text(clock::now(), backend),
            time_text(approval.expires_at, backend),
        );
        let granted = [
            ("plan_id", Kind::Text),
            ("granted_at", Kind::Time),
            ("expires_at", Kind::Time),
            ("used_at", Kind::Time),
        ];
        let fields = [&DEED[..], &granted].concat();
        let kept = [
            "organization_id",
            "plugin",
            "destination",
            "supporter_id",
            "kind",
        ];
        let text = upsert(backend, "plugin_grants", KEY, &fields, &kept, &[]);
        let tx = self.store.begin_write().await?;
        for piece in approval.granted.chunks(PIECE) {
            let object = |one: &Held| {
                json!({
                    "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination,
                    "supporter_id": one.supporter_id, "kind": one.deed.kind.as_str(), "mark": one.deed.mark, "plan_id": approval.plan,
                    "granted_at": now, "expires_at": until, "used_at": null,
                })
                .to_string()
                .into_bytes()
            };
            let objects: Vec<Vec<u8>> = piece.iter().map(object).collect();
            tx.execute_raw(sql(
                backend,
                &text,
                [document(objects.iter().map(Vec::as_slice))],
            ))
            .await
            .map_err(|error| Error::query("writing what is allowed", error))?;
        }
        if approval.opens {
            super::guard::open(&tx, self, key, approval.expires_at).await?;
        }
        let mut harms = Harms::default();
        approval
            .granted
            .iter()
            .for_each(|one| harms.add(one.deed.kind, 1));
        let counts: serde_json::Map<_, _> = harms
            .each()
            .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
            .collect();
        let detail =
            json!({ "destination": key.destination, "plan": approval.plan, "people": counts });
        let subject = format!("plugin:{}", key.plugin);
        audit::note_by(
            &tx,
            backend,
            approval.actor,
            Some(self.organization_id),
            "plugin.approve",
            &subject,
            detail,
        )
        .await?;
        tx.commit().await.map_err(Error::commit)
    }

    /// Counts harm that is about to be done, and uses its grants up, within a transaction.
    pub(super) async fn note_taken(
        &self,
        tx: &DatabaseTransaction,
        key: &PluginKey,
        taken: &Taken,
    ) -> Result<(), Error> {
        for (entry, harms) in &taken.harms {
            harm::count(tx, self, key, *entry, harms, taken.at, Counting::Done).await?;
        }
        for kind in Harm::ALL {
            let ids: Vec<i64> = taken
                .grants
                .iter()
                .filter(|(_, other)| *other == kind)
                .map(|(id, _)| *id)
                .collect();
            let rest = [kind.as_str().into()];
            self.for_each_piece(
                tx,
                "UPDATE plugin_grants SET used_at = $1",
                Some(taken.at.into()),
                key,
                "kind = $5 AND ",
                &rest,
                &ids,
            )
            .await?;
        }
        Ok(())
    }

    /// Nothing was done to these people: it counts no more, and a person's word on it holds for
    /// another day, for 30 days at most.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn give_back(
        &self,
        fence: &Fence,
        key: &PluginKey,
        people: &BTreeSet<i64>,
        harms: &BTreeMap<HarmEntry, Harms>,
        now: Time,
    ) -> Result<(), Error> {
        let ids: Vec<i64> = people.iter().copied().collect();
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            for (entry, harms) in harms {
                harm::count(&tx, self, key, *entry, harms, now, Counting::NotDone).await?;
            }
            let also = "granted_at > $5 AND expires_at > $6 AND kind <> $7 AND ";
            let rest = [(now - WAITS).into(), now.into(), Harm::Undo.as_str().into()];
            let until = now + TimeDelta::days(1);
            self.for_each_piece(
                &tx,
                "UPDATE plugin_grants SET expires_at = $1",
                Some(until.into()),
                key,
                also,
                &rest,
                &ids,
            )
            .await?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_countable(), once).await
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
        let text = "DELETE FROM plugin_holds WHERE organization_id = $1 AND plugin = $2 AND destination = $3 AND kind = $4";
        let values = self
            .plugin_values(key)
            .into_iter()
            .chain([kind.as_str().into()]);
        tx.execute_raw(sql(self.backend(), text, values))
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
                "supporter_id": one.supporter_id, "kind": one.deed.kind.as_str(), "mark": one.deed.mark,
            })
            .to_string()
            .into_bytes()
        };
        let objects: Vec<Vec<u8>> = held.iter().map(object).collect();
        let text = insert(self.backend(), "plugin_holds", &DEED);
        tx.execute_raw(sql(
            self.backend(),
            &text,
            [document(objects.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing what is held", error))?;
        Ok(())
    }

    /// A statement about the rows of these people, some at a time.
    #[allow(clippy::too_many_arguments, reason = "the parts of one statement")]
    async fn for_each_piece(
        &self,
        tx: &DatabaseTransaction,
        what: &str,
        first: Option<Value>,
        key: &PluginKey,
        also: &str,
        rest: &[Value],
        ids: &[i64],
    ) -> Result<(), Error> {
        let place = 1 + usize::from(first.is_some());
        for ids in ids.chunks(PIECE) {
            let list = ids
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            let text = format!(
                "{what} WHERE organization_id = ${place} AND plugin = ${} AND destination = ${} AND {also}supporter_id IN ({list})",
                place + 1,
                place + 2
            );
            let values = first
                .iter()
                .cloned()
                .chain(self.plugin_values(key))
                .chain(rest.iter().cloned());
            tx.execute_raw(sql(self.backend(), &text, values))
                .await
                .map_err(|error| Error::query("writing what is held or allowed", error))?;
        }
        Ok(())
    }

    /// How many people wait for a person's word, and for what.
    pub async fn count_holds(&self, key: &PluginKey) -> Result<(u64, Harms), Error> {
        let failed = |error| Error::query("counting what is held", error);
        let of =
            "FROM plugin_holds WHERE organization_id = $1 AND plugin = $2 AND destination = $3";
        let (people, rows) = (
            as_bigint(self.backend(), "COUNT(DISTINCT supporter_id)"),
            as_bigint(self.backend(), "COUNT(*)"),
        );
        let text = format!("SELECT kind, {rows} AS n {of} GROUP BY kind");
        let mut harms = Harms::default();
        for row in self
            .connection()
            .query_all_raw(sql(self.backend(), &text, self.plugin_values(key)))
            .await
            .map_err(failed)?
        {
            let (kind, count): (String, i64) = (
                row.try_get("", "kind").map_err(failed)?,
                row.try_get("", "n").map_err(failed)?,
            );
            if let Some(kind) = Harm::of(&kind) {
                harms.add(kind, count.max(0) as u64);
            }
        }
        let text = format!("SELECT {people} AS n {of}");
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, self.plugin_values(key)))
            .await
            .map_err(failed)?;
        let people: i64 = row
            .map(|row| row.try_get("", "n"))
            .transpose()
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
            found.held.extend(verdict.held.iter().map(|deed| Held {
                supporter_id,
                deed: *deed,
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
            as_bigint(self.backend(), "COUNT(*)")
        );
        let mut counts: Vec<HoldCount> = Vec::new();
        for row in self
            .connection()
            .query_all_raw(sql(self.backend(), &text, []))
            .await
            .map_err(failed)?
        {
            let classy_id: i64 = row.try_get("", "classy_id").map_err(failed)?;
            let (plugin, kind): (String, String) = (
                row.try_get("", "plugin").map_err(failed)?,
                row.try_get("", "kind").map_err(failed)?,
            );
            let count: i64 = row.try_get("", "n").map_err(failed)?;
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

/// `None` of a kind that is not known here.
fn held(row: &QueryResult) -> Result<Option<Held>, DbErr> {
    let (kind, supporter_id, mark): (String, i64, i64) = (
        row.try_get("", "kind")?,
        row.try_get("", "supporter_id")?,
        row.try_get("", "mark")?,
    );
    Ok(Harm::of(&kind).map(|kind| Held {
        supporter_id,
        deed: Deed { kind, mark },
    }))
}
