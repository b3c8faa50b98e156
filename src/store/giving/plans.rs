//! Recurring plans: what each is worth a month, and from when to when.

use crate::domain::{Money, MonthlyRate, Time};
use crate::store::amount::Amount;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore};
use sea_orm::FromQueryResult;

/// One plan, as far as charts need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is worth a month.
    pub monthly: Money,
    /// Absent where the source does not tell it: the organization's.
    pub currency: Option<String>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it stopped bringing anything: it was canceled, failed or was paused. Absent while it is
    /// active.
    pub ended_at: Option<Time>,
}

impl Plan {
    /// Whether it brought something at a moment.
    pub fn is_active_at(&self, at: Time) -> bool {
        self.started_at.is_some_and(|start| start <= at) && self.ended_at.is_none_or(|end| end > at)
    }
}

impl TenantStore {
    /// All plans that the source shows. When one that is not active ended is told by the source, or
    /// it is the time of its last change.
    pub async fn plans(&self) -> Result<Vec<Plan>, Error> {
        let failed = |error| Error::query("reading recurring plans", error);
        let text = format!(
            "SELECT {amount} AS amount, t.currency_code, t.frequency, \
             {is_active} AS is_active, \
             COALESCE(t.started_at, t.source_created_at) AS started_at, \
             CASE WHEN t.status = 'active' \
             THEN COALESCE(t.plan_paused_on_date, t.source_updated_at) \
             ELSE COALESCE(t.canceled_at, t.failed_at, t.source_updated_at) END AS ended_at \
             FROM recurring_plans AS t WHERE t.organization_id = $1 \
             AND NOT t.is_stub AND t.absent_since IS NULL AND t.amount > 0",
            amount = self.dialect().money_text("t.amount"),
            is_active = self
                .dialect()
                .as_bigint("CASE WHEN t.status = 'active' AND NOT t.is_paused THEN 1 ELSE 0 END"),
        );
        let statement = sql(self.dialect(), &text, [self.organization_id.into()]);
        let rows = Row::find_by_statement(statement)
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(rows.into_iter().map(Plan::from).collect())
    }
}

#[derive(FromQueryResult)]
struct Row {
    amount: Option<Amount>,
    currency_code: Option<String>,
    frequency: Option<String>,
    is_active: i64,
    started_at: Option<Time>,
    ended_at: Option<Time>,
}

impl From<Row> for Plan {
    fn from(row: Row) -> Plan {
        let amount = row.amount.map(Money::from).unwrap_or_default();
        let frequency = row.frequency.as_deref().unwrap_or_default();
        let monthly = MonthlyRate::monthly([(frequency, amount.decimal())]);
        Plan {
            monthly: Money::total(monthly),
            currency: row.currency_code,
            started_at: row.started_at,
            ended_at: row.ended_at.filter(|_| row.is_active == 0),
        }
    }
}
