//! One supporter as a person at a desk asks for them: who they are, what they gave, what they said
//! of e-mail, where they were sent and why not.

use super::amount::Amount;
use super::statement::sql;
use super::{AuditRow, Error, TenantStore, tuple};
use crate::domain::{Address, Money, Time};
use crate::entities::{audit_entry, plugin_suppression};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Select,
    Statement, Value,
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
#[derive(Debug, Clone, FromQueryResult)]
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

#[derive(FromQueryResult)]
struct PersonRow {
    id: i64,
    first_name: Option<String>,
    last_name: Option<String>,
    email_address: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    email_opt_in: Option<bool>,
    consent_decided_at: Option<Time>,
    lifetime: Option<Amount>,
    gifts: i64,
    monthly: Option<Amount>,
    absent_since: Option<Time>,
}

#[derive(FromQueryResult)]
struct GivenRow {
    id: i64,
    given_at: Option<Time>,
    status: Option<String>,
    amount: Option<Amount>,
    currency_code: Option<String>,
    frequency: Option<String>,
    campaign: Option<String>,
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
        tuple::all(self.connection(), self.asked(&text, value))
            .await
            .map_err(|error| Error::query("finding a supporter", error))
    }

    /// One supporter.
    pub async fn person(&self, id: i64) -> Result<Option<Person>, Error> {
        let dialect = self.dialect();
        let text = format!(
            "SELECT s.id, s.first_name, s.last_name, s.email_address, s.city, s.state, s.country, \
             s.email_opt_in, s.consent_decided_at, {} AS lifetime, \
             {} AS gifts, {} AS monthly, s.absent_since \
             FROM supporters AS s WHERE s.organization_id = $1 AND s.id = $2 AND NOT s.is_stub",
            dialect.money_text("s.lifetime_donation_amount"),
            dialect.as_bigint("s.lifetime_donation_count"),
            dialect.money_text("s.monthly_recurring_amount"),
        );
        let row = PersonRow::find_by_statement(self.asked(&text, id))
            .one(self.connection())
            .await
            .map_err(|error| Error::query("reading a supporter", error))?;
        Ok(row.map(Person::from))
    }

    /// What they gave, the latest first; what was refunded or failed, too.
    pub async fn gifts_of(&self, id: i64) -> Result<Vec<Given>, Error> {
        let text = format!(
            "SELECT t.id, t.purchased_at AS given_at, t.status, {} AS amount, t.currency_code, \
             t.frequency, c.name AS campaign FROM transactions AS t LEFT JOIN campaigns AS c \
             ON c.organization_id = t.organization_id AND c.id = t.campaign_id \
             WHERE t.organization_id = $1 AND t.supporter_id = $2 AND t.absent_since IS NULL \
             ORDER BY t.purchased_at DESC, t.id DESC LIMIT {SHOWN}",
            self.dialect().money_text("t.total_gross_amount"),
        );
        self.given("reading gifts", self.asked(&text, id)).await
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
            self.dialect().money_text("t.amount"),
        );
        self.given("reading plans", self.asked(&text, id)).await
    }

    async fn given(&self, doing: &'static str, asked: Statement) -> Result<Vec<Given>, Error> {
        let rows = GivenRow::find_by_statement(asked)
            .all(self.connection())
            .await
            .map_err(|error| Error::query(doing, error))?;
        Ok(rows.into_iter().map(Given::from).collect())
    }

    /// Where they were sent, and why not.
    pub async fn sent_of(&self, id: i64) -> Result<Vec<Sent>, Error> {
        let text = "SELECT d.plugin, d.destination, d.state, d.reason, d.delivered_at, \
                    d.updated_at, (SELECT MIN(m.remote_status) FROM plugin_members AS m \
                    WHERE m.organization_id = d.organization_id AND m.plugin = d.plugin \
                    AND m.destination = d.destination AND m.supporter_id = d.supporter_id) \
                    AS remote_status FROM plugin_deliveries AS d WHERE d.organization_id = $1 \
                    AND d.supporter_id = $2 ORDER BY d.plugin, d.updated_at DESC";
        Sent::find_by_statement(self.asked(text, id))
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading deliveries", error))
    }

    /// Words of no that are in force for them.
    pub async fn refusals_of(&self, id: i64) -> Result<Vec<Refusal>, Error> {
        let of_person = self
            .refusals()
            .filter(plugin_suppression::Column::SupporterId.eq(id));
        self.refusals_found(of_person).await
    }

    /// Who left by a plugin, the latest first.
    pub async fn latest_refusals(&self, plugin: &str, limit: u64) -> Result<Vec<Refusal>, Error> {
        let of_plugin = self
            .refusals()
            .filter(plugin_suppression::Column::Plugin.eq(plugin))
            .order_by_asc(plugin_suppression::Column::SupporterId)
            .limit(limit);
        self.refusals_found(of_plugin).await
    }

    /// Words of no that are in force, the latest first.
    fn refusals(&self) -> Select<plugin_suppression::Entity> {
        plugin_suppression::Entity::find()
            .filter(plugin_suppression::Column::OrganizationId.eq(self.organization_id))
            .filter(plugin_suppression::Column::LiftedAt.is_null())
            .order_by_desc(plugin_suppression::Column::Since)
    }

    async fn refusals_found(
        &self,
        rows: Select<plugin_suppression::Entity>,
    ) -> Result<Vec<Refusal>, Error> {
        let rows = rows
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading who left", error))?;
        Ok(rows.into_iter().map(Refusal::from).collect())
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

    /// A statement about the organization (`$1`) and a value (`$2`).
    fn asked(&self, text: &str, value: impl Into<Value>) -> Statement {
        let values = [self.organization_id.into(), value.into()];
        sql(self.dialect(), text, values)
    }
}

/// Those words that are there and not blank.
fn words<const N: usize>(words: [Option<String>; N], between: &str) -> String {
    let words: Vec<String> = words.into_iter().flatten().collect();
    let words = words.iter().map(|word| word.trim());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(between)
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Person {
        Person {
            id: row.id,
            name: words([row.first_name, row.last_name], " "),
            email_address: row.email_address,
            place: words([row.city, row.state, row.country], ", "),
            email_opt_in: row.email_opt_in,
            consent_decided_at: row.consent_decided_at,
            lifetime: row.lifetime.map(Money::from).unwrap_or_default(),
            gifts: row.gifts,
            monthly: row.monthly.map(Money::from).unwrap_or_default(),
            absent_since: row.absent_since,
        }
    }
}

impl From<GivenRow> for Given {
    fn from(row: GivenRow) -> Given {
        Given {
            id: row.id,
            at: row.given_at,
            status: row.status.unwrap_or_default(),
            amount: row.amount.map(Money::from),
            currency: row.currency_code,
            campaign: row.campaign,
            frequency: row.frequency,
        }
    }
}

impl From<plugin_suppression::Model> for Refusal {
    fn from(row: plugin_suppression::Model) -> Refusal {
        let id = row.supporter_id;
        Refusal {
            supporter_id: (id != 0).then_some(id),
            plugin: row.plugin,
            way: row.way,
            reason: row.reason,
            since: row.since,
        }
    }
}
