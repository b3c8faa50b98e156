//! What came in during spans of time, of one organization or of several at once.

use crate::domain::{Money, Time};
use crate::store::amount::Amount;
use crate::store::statement::GIFT;
use crate::store::statement::sql;
use crate::store::{Error, Organization, Store, TenantStore};
use sea_orm::{FromQueryResult, Value};

/// From a moment up to another one, without that.
pub type Span = (Time, Time);

/// Spans of one statement: a database takes only so many parts.
const AT_ONCE: usize = 100;

/// What came in during one span in one currency, either by plans or singly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Which of the spans that were asked for.
    pub place: usize,
    /// Absent where the source does not tell it: the organization's.
    pub currency: Option<String>,
    /// Whether a plan brought it.
    pub is_recurring: bool,
    /// How many gifts.
    pub gifts: u64,
    /// Their sum.
    pub total: Money,
}

impl TenantStore {
    /// What came in during each of these spans. Spans in which nothing came in are left out.
    pub async fn sums(&self, spans: &[Span]) -> Result<Vec<Sum>, Error> {
        let of = |span: &Span| (self.organization_id, *span);
        sums(&self.store, &spans.iter().map(of).collect::<Vec<_>>()).await
    }
}

impl Store {
    /// What came in during spans, each of an organization.
    pub async fn sums_of(&self, spans: &[(&Organization, Span)]) -> Result<Vec<Sum>, Error> {
        let spans: Vec<_> = spans
            .iter()
            .map(|(organization, span)| (organization.row_id(), *span))
            .collect();
        sums(self, &spans).await
    }
}

async fn sums(store: &Store, spans: &[(i64, Span)]) -> Result<Vec<Sum>, Error> {
    let mut found = Vec::new();
    for (chunk, spans) in spans.chunks(AT_ONCE).enumerate() {
        found.extend(sums_at_once(store, chunk * AT_ONCE, spans).await?);
    }
    Ok(found)
}

async fn sums_at_once(
    store: &Store,
    first: usize,
    spans: &[(i64, Span)],
) -> Result<Vec<Sum>, Error> {
    let failed = |error| Error::query("summing gifts by time", error);
    let dialect = store.dialect();
    let part = |place: usize| {
        let recurring = "CASE WHEN t.recurring_plan_id IS NULL THEN 0 ELSE 1 END";
        format!(
            "SELECT {place} AS place, t.currency_code AS currency, {is_recurring} AS is_recurring, \
             {gifts} AS gifts, {total} AS total FROM transactions AS t {index} \
             WHERE t.organization_id = ${a} AND t.purchased_at >= ${b} AND t.purchased_at < ${c} \
             AND {GIFT} GROUP BY t.currency_code, {recurring}",
            place = dialect.as_bigint(&(first + place).to_string()),
            is_recurring = dialect.as_bigint(recurring),
            gifts = dialect.as_bigint("COUNT(*)"),
            total = dialect.sum_text("t.total_gross_amount"),
            index = dialect.by_index("transactions_purchased"),
            a = place * 3 + 1,
            b = place * 3 + 2,
            c = place * 3 + 3,
        )
    };
    let text = (0..spans.len())
        .map(part)
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    let values = spans
        .iter()
        .flat_map(|(id, (from, to))| [Value::from(*id), (*from).into(), (*to).into()]);
    let rows = Row::find_by_statement(sql(dialect, &text, values))
        .all(store.connection())
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Sum::from).collect())
}

#[derive(FromQueryResult)]
struct Row {
    place: i64,
    currency: Option<String>,
    is_recurring: i64,
    gifts: i64,
    total: Option<Amount>,
}

impl From<Row> for Sum {
    fn from(row: Row) -> Sum {
        Sum {
            place: usize::try_from(row.place).unwrap_or_default(),
            currency: row.currency,
            is_recurring: row.is_recurring != 0,
            gifts: u64::try_from(row.gifts).unwrap_or_default(),
            total: row.total.map(Money::from).unwrap_or_default(),
        }
    }
}
