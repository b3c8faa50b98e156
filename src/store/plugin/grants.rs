//! What a person allowed: for exactly these people, once, for a while; used up when it is done, and
//! given back when nothing was done.

use super::guarded_changes::{CHANGE_KEY, PIECE, StoredChange};
use super::harm::{self, Counting};
use super::{HarmEntry, PluginKey};
use crate::clock;
use crate::domain::{Harm, Harms, Held, Time};
use crate::entities::record::Kind;
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::{document, sql, upsert};
use crate::store::{Error, Fence, TenantStore, audit};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const KEY: &str = "organization_id, plugin, destination, supporter_id, kind";

/// The longest time for which a person's word holds because those whom it is about wait for the
/// other side.
const WAITS: TimeDelta = TimeDelta::days(30);

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

impl TenantStore {
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
        let all = StoredChange::find_by_statement(sql(self.dialect(), text, values))
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(all
            .into_iter()
            .filter_map(StoredChange::held)
            .map(|one| {
                (
                    (one.supporter_id, one.guarded_change.kind),
                    one.guarded_change.mark,
                )
            })
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
        let dialect = self.dialect();
        let (now, until) = (
            dialect.time_text(clock::now()),
            dialect.time_text(approval.expires_at),
        );
        let granted = [
            ("plan_id", Kind::Text),
            ("granted_at", Kind::Time),
            ("expires_at", Kind::Time),
            ("used_at", Kind::Time),
        ];
        let fields = [&CHANGE_KEY[..], &granted].concat();
        let kept = [
            "organization_id",
            "plugin",
            "destination",
            "supporter_id",
            "kind",
        ];
        let text = upsert(dialect, "plugin_grants", KEY, &fields, &kept, &[]);
        let tx = self.store.begin_write().await?;
        for piece in approval.granted.chunks(PIECE) {
            let object = |one: &Held| {
                json!({
                    "organization_id": self.organization_id, "plugin": key.plugin, "destination": key.destination,
                    "supporter_id": one.supporter_id, "kind": one.guarded_change.kind.as_str(), "mark": one.guarded_change.mark, "plan_id": approval.plan,
                    "granted_at": now, "expires_at": until, "used_at": null,
                })
                .to_string()
                .into_bytes()
            };
            let objects: Vec<Vec<u8>> = piece.iter().map(object).collect();
            tx.execute_raw(sql(
                dialect,
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
            .for_each(|one| harms.add(one.guarded_change.kind, 1));
        let counts: serde_json::Map<_, _> = harms
            .each()
            .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
            .collect();
        let detail =
            json!({ "destination": key.destination, "plan": approval.plan, "people": counts });
        let subject = format!("plugin:{}", key.plugin);
        audit::note_by(
            &tx,
            dialect,
            approval.actor,
            Some(self.organization_id),
            "plugin.approve",
            &subject,
            detail,
        )
        .await?;
        // Whoever serves the organization looks at what changed, wherever that is.
        self.touch(&tx).await?;
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
}
