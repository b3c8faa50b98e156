//! Who is due though nothing changed here, and who is made due.

use super::PluginKey;
use super::moments::unplanned;
use crate::clock;
use crate::domain::Time;
use crate::entities::plugin_delivery::{ActiveModel, Column, Entity};
use crate::net::retry;
use crate::store::fenced::TransactionTries;
use crate::store::statement::sql;
use crate::store::{Error, Fence, TenantStore, tuple};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

impl TenantStore {
    /// Who is due though nothing changed here, the lowest `limit` ids after one: another try, a
    /// review, a change that was held, or a send that a crash cut off.
    pub async fn due_after(
        &self,
        key: &PluginKey,
        after: i64,
        now: Time,
        limit: u64,
    ) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading who is due", error);
        let mut parts = Vec::new();
        let mut values = Vec::new();
        let planned = [
            ("state = 'sending'", None),
            // Not those who were held a moment ago: once in a delivery is enough.
            ("state = 'held' AND updated_at < ", Some(now)),
            ("next_attempt_at <= ", Some(now)),
            ("review_at <= ", Some(now)),
        ];
        for (condition, moment) in planned.into_iter().chain(unplanned(now)) {
            let first = values.len() + 1;
            let moment_parameter = moment.map_or(String::new(), |_| format!("${}", first + 4));
            parts.push(format!(
                "SELECT supporter_id FROM plugin_deliveries WHERE organization_id = ${first} AND plugin = ${} AND destination = ${} \
                 AND supporter_id > ${} AND {condition}{moment_parameter}",
                first + 1,
                first + 2,
                first + 3
            ));
            values.extend(self.plugin_values(key));
            values.push(after.into());
            values.extend(moment.map(sea_orm::Value::from));
        }
        let text = format!(
            "SELECT u.supporter_id FROM ({}) AS u ORDER BY u.supporter_id LIMIT {limit}",
            parts.join(" UNION ")
        );
        tuple::all(self.connection(), sql(self.dialect(), &text, values))
            .await
            .map_err(failed)
    }

    /// Everybody who is in the ledger, the lowest `limit` ids after one.
    pub async fn delivered_after(
        &self,
        key: &PluginKey,
        after: i64,
        limit: u64,
    ) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading who is in the ledger", error);
        Entity::find()
            .select_only()
            .column(Column::SupporterId)
            .filter(self.here::<Entity>(key))
            .filter(Column::SupporterId.gt(after))
            .order_by_asc(Column::SupporterId)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(failed)
    }

    /// Has people looked at again: those that were rejected or put off. Answers with how many.
    pub async fn retry_deliveries(&self, key: &PluginKey) -> Result<u64, Error> {
        let due = ActiveModel {
            next_attempt_at: Set(Some(clock::now())),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(due)
            .filter(self.here::<Entity>(key))
            .filter(Column::State.is_in(["rejected", "deferred"]))
            .exec(self.connection())
            .await;
        Ok(done
            .map_err(|error| Error::query("asking for another try", error))?
            .rows_affected)
    }

    /// Has these people looked at again from a moment on, since the other side changed.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn make_due(
        &self,
        fence: &Fence,
        key: &PluginKey,
        ids: &[i64],
        from: Time,
    ) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let list = ids
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        self.mark_due(fence, key, from, &format!(" AND supporter_id IN ({list})"))
            .await
    }

    /// The same for everybody who is in the ledger.
    ///
    /// # Errors
    /// [`Error::FenceLost`]; database errors.
    pub async fn make_everybody_due(
        &self,
        fence: &Fence,
        key: &PluginKey,
        from: Time,
    ) -> Result<(), Error> {
        self.mark_due(fence, key, from, "").await
    }

    async fn mark_due(
        &self,
        fence: &Fence,
        key: &PluginKey,
        from: Time,
        who: &str,
    ) -> Result<(), Error> {
        let text = format!(
            "UPDATE plugin_deliveries SET next_attempt_at = $1 WHERE organization_id = $2 AND plugin = $3 AND destination = $4{who}"
        );
        let once = || async {
            let tx = self.begin_fenced(fence).await?;
            let values = std::iter::once(from.into()).chain(self.plugin_values(key));
            tx.execute_raw(sql(self.dialect(), &text, values))
                .await
                .map_err(|error| Error::query("asking for another look", error))?;
            tx.commit().await.map_err(Error::commit)
        };
        retry(TransactionTries::of_repeatable(), once).await
    }
}
