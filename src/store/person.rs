//! One supporter as a person at a desk asks for them: who they are, what they gave, what they said
//! of e-mail, where they were sent and why not.

use super::statement::{as_bigint, money_text, sql};
use super::value::money;
use super::{AuditRow, Error, TenantStore};
use crate::domain::{Address, Money, Time};
use crate::entities::audit_entry;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Value,
};

/// People that a word may mean.
const FOUND: u64 = 20;

/// Rows of each list.
const SHOWN: u64 = 100;

/// One supporter.
#[derive(Debug, Clone)]
pub struct Person {
    /// Classy's id.
    pub id: i64,
    /// First and last name.
    pub name: String,
    /// As it is written at Classy.
    pub email_address: Option<String>,
    /// City, state and country.
    pub place: String,
    /// What they said of e-mail: yes, no, or nothing.
    pub email_opt_in: Option<bool>,
    /// When they last said it.
    pub consent_decided_at: Option<Time>,
    /// What they gave in all.
    pub lifetime: Money,
    /// How often.
    pub gifts: i64,
    /// What their plans bring in a month.
    pub monthly: Money,
    /// They are no longer at the source since.
    pub absent_since: Option<Time>,
}

/// A gift or a plan of theirs.
#[derive(Debug, Clone)]
pub struct Given {
    /// Classy's id.
    pub id: i64,
    /// When it was given, or began.
    pub at: Option<Time>,
    /// `success`, `refunded`, `active`, `canceled`, ...
    pub status: String,
    /// How much, each time.
    pub amount: Option<Money>,
    /// Of which currency.
    pub currency: Option<String>,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// How often.
    pub frequency: Option<String>,
}

/// What a plugin did of them, at one place.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The plugin's name.
    pub plugin: String,
    /// The place that it delivers to.
    pub destination: String,
    /// `delivered`, `skipped`, `deferred`, `held`, `rejected` or `sending`.
    pub state: String,
    /// Why, if it is not simply delivered.
    pub reason: Option<String>,
    /// When they were last delivered.
    pub delivered_at: Option<Time>,
    /// When a delivery last had a word on them.
    pub updated_at: Time,
    /// How the contact stands on the other side.
    pub remote_status: Option<String>,
}

/// A word of no that is in force.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Classy's id of whom it is about; none where it is the address alone.
    pub supporter_id: Option<i64>,
    /// The plugin that learned of it.
    pub plugin: String,
    /// How: unsubscribed, bounced, ...
    pub way: String,
    /// Why, in words.
    pub reason: String,
    /// Since when.
    pub since: Time,
}

impl TenantStore {
    /// The supporters that a word means: an id, or an e-mail address in any spelling.
    pub async fn people_by(&self, word: &str) -> Result<Vec<i64>, Error> {
        let word = word.trim();
        let (column, value): (_, Value) = match (word.parse::<i64>(), Address::parse(word)) {
            (Ok(id), _) => ("id", id.into()),
            (_, Some(address)) => ("email_key", address.key().into()),
            _ => return Ok(Vec::new()),
        };
        let text = format!(
            "SELECT s.id FROM supporters AS s WHERE s.organization_id = $1 AND s.{column} = $2 \
             AND NOT s.is_stub ORDER BY s.absent_since IS NOT NULL, s.id LIMIT {FOUND}"
        );
        self.rows("finding a supporter", &text, [value], |row| {
            row.try_get("", "id")
        })
        .await
    }

    /// One supporter.
    pub async fn person(&self, id: i64) -> Result<Option<Person>, Error> {
        let backend = self.backend();
        let text = format!(
            "SELECT s.id, s.first_name, s.last_name, s.email_address, s.city, s.state, s.country, \
             s.email_opt_in, s.consent_decided_at, {} AS lifetime, \
             {} AS gifts, {} AS monthly, s.absent_since \
             FROM supporters AS s WHERE s.organization_id = $1 AND s.id = $2 AND NOT s.is_stub",
            money_text(backend, "s.lifetime_donation_amount"),
            as_bigint(backend, "s.lifetime_donation_count"),
            money_text(backend, "s.monthly_recurring_amount"),
        );
        let found = self.rows("reading a supporter", &text, [id.into()], |row| {
            let words = |names: &[&str], between: &str| -> Result<String, DbErr> {
                let words: Vec<Option<String>> = names
                    .iter()
                    .map(|name| row.try_get("", name))
                    .collect::<Result<_, _>>()?;
                let words: Vec<String> = words.into_iter().flatten().collect();
                let words = words.iter().map(|word| word.trim());
                Ok(words
                    .filter(|word| !word.is_empty())
                    .collect::<Vec<_>>()
                    .join(between))
            };
            Ok(Person {
                id: row.try_get("", "id")?,
                name: words(&["first_name", "last_name"], " ")?,
                email_address: row.try_get("", "email_address")?,
                place: words(&["city", "state", "country"], ", ")?,
                email_opt_in: row.try_get("", "email_opt_in")?,
                consent_decided_at: row.try_get("", "consent_decided_at")?,
                lifetime: money(row, "lifetime")?.unwrap_or_default(),
                gifts: row.try_get("", "gifts")?,
                monthly: money(row, "monthly")?.unwrap_or_default(),
                absent_since: row.try_get("", "absent_since")?,
            })
        });
        Ok(found.await?.into_iter().next())
    }

    /// What they gave, the latest first; what was refunded or failed, too.
    pub async fn gifts_of(&self, id: i64) -> Result<Vec<Given>, Error> {
        let text = format!(
            "SELECT t.id, t.purchased_at AS given_at, t.status, {} AS amount, t.currency_code, \
             t.frequency, c.name AS campaign FROM transactions AS t LEFT JOIN campaigns AS c \
             ON c.organization_id = t.organization_id AND c.id = t.campaign_id \
             WHERE t.organization_id = $1 AND t.supporter_id = $2 AND t.absent_since IS NULL \
             ORDER BY t.purchased_at DESC, t.id DESC LIMIT {SHOWN}",
            money_text(self.backend(), "t.total_gross_amount"),
        );
        self.rows("reading gifts", &text, [id.into()], given).await
    }

    /// Their plans, the latest first.
    pub async fn plans_of(&self, id: i64) -> Result<Vec<Given>, Error> {
        let text = format!(
            "SELECT t.id, t.started_at AS given_at, \
             CASE WHEN t.is_paused THEN 'paused' ELSE t.status END AS status, {} AS amount, \
             t.currency_code, t.frequency, c.name AS campaign FROM recurring_plans AS t \
             LEFT JOIN campaigns AS c \
             ON c.organization_id = t.organization_id AND c.id = t.campaign_id \
             WHERE t.organization_id = $1 AND t.supporter_id = $2 AND t.absent_since IS NULL \
             AND NOT t.is_stub ORDER BY t.started_at DESC, t.id DESC LIMIT {SHOWN}",
            money_text(self.backend(), "t.amount"),
        );
        self.rows("reading plans", &text, [id.into()], given).await
    }

    /// Where they were sent, and why not.
    pub async fn sent_of(&self, id: i64) -> Result<Vec<Sent>, Error> {
        let text = "SELECT d.plugin, d.destination, d.state, d.reason, d.delivered_at, \
                    d.updated_at, (SELECT MIN(m.remote_status) FROM plugin_members AS m \
                    WHERE m.organization_id = d.organization_id AND m.plugin = d.plugin \
                    AND m.destination = d.destination AND m.supporter_id = d.supporter_id) \
                    AS remote_status FROM plugin_deliveries AS d WHERE d.organization_id = $1 \
                    AND d.supporter_id = $2 ORDER BY d.plugin, d.updated_at DESC";
        self.rows("reading deliveries", text, [id.into()], |row| {
            Ok(Sent {
                plugin: row.try_get("", "plugin")?,
                destination: row.try_get("", "destination")?,
                state: row.try_get("", "state")?,
                reason: row.try_get("", "reason")?,
                delivered_at: row.try_get("", "delivered_at")?,
                updated_at: row.try_get("", "updated_at")?,
                remote_status: row.try_get("", "remote_status")?,
            })
        })
        .await
    }

    /// Words of no that are in force for them.
    pub async fn refusals_of(&self, id: i64) -> Result<Vec<Refusal>, Error> {
        let text = "SELECT supporter_id, plugin, way, reason, since FROM plugin_suppressions \
                    WHERE organization_id = $1 AND supporter_id = $2 AND lifted_at IS NULL \
                    ORDER BY since DESC";
        self.rows("reading who left", text, [id.into()], refusal)
            .await
    }

    /// Who left by a plugin, the latest first.
    pub async fn latest_refusals(&self, plugin: &str, limit: u64) -> Result<Vec<Refusal>, Error> {
        let text = format!(
            "SELECT supporter_id, plugin, way, reason, since FROM plugin_suppressions \
             WHERE organization_id = $1 AND plugin = $2 AND lifted_at IS NULL \
             ORDER BY since DESC, supporter_id LIMIT {limit}"
        );
        self.rows("reading who left", &text, [plugin.into()], refusal)
            .await
    }

    /// What changed of them, the latest first.
    pub async fn audit_of(&self, id: i64) -> Result<Vec<AuditRow>, Error> {
        let found = audit_entry::Entity::find()
            .filter(audit_entry::Column::OrganizationId.eq(self.organization_id))
            .filter(audit_entry::Column::Subject.eq(format!("supporter:{id}")))
            .order_by_desc(audit_entry::Column::Id)
            .limit(SHOWN)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading the audit trail", error))?;
        let row = |row: audit_entry::Model| AuditRow {
            at: row.at,
            actor: row.actor,
            classy_id: Some(self.classy_id),
            action: row.action,
            subject: row.subject,
            detail: row.detail.unwrap_or_default(),
        };
        Ok(found.into_iter().map(row).collect())
    }

    async fn rows<T, const N: usize>(
        &self,
        doing: &'static str,
        text: &str,
        values: [Value; N],
        read: impl Fn(&QueryResult) -> Result<T, DbErr>,
    ) -> Result<Vec<T>, Error> {
        let failed = |error| Error::query(doing, error);
        let values = std::iter::once(self.organization_id.into()).chain(values);
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}

fn given(row: &QueryResult) -> Result<Given, DbErr> {
    Ok(Given {
        id: row.try_get("", "id")?,
        at: row.try_get("", "given_at")?,
        status: row
            .try_get::<Option<String>>("", "status")?
            .unwrap_or_default(),
        amount: money(row, "amount")?,
        currency: row.try_get("", "currency_code")?,
        campaign: row.try_get("", "campaign")?,
        frequency: row.try_get("", "frequency")?,
    })
}

fn refusal(row: &QueryResult) -> Result<Refusal, DbErr> {
    let id: i64 = row.try_get("", "supporter_id")?;
    Ok(Refusal {
        supporter_id: (id != 0).then_some(id),
        plugin: row.try_get("", "plugin")?,
        way: row.try_get("", "way")?,
        reason: row.try_get("", "reason")?,
        since: row.try_get("", "since")?,
    })
}
