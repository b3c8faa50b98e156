//! How large gifts are.

use super::Span;
use crate::domain::Money;
use crate::store::amount::Amount;
use crate::store::statement::GIFT;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore};
use sea_orm::FromQueryResult;

/// Where each band of sizes ends and the next one begins; the last one has no end.
pub const SIZES: [u32; 8] = [10, 25, 50, 100, 250, 500, 1_000, 5_000];

/// Gifts of one size in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// How many of `SIZES` are not larger.
    pub place: usize,
    /// Absent where the source does not tell it: the organization's.
    pub currency: Option<String>,
    /// How many gifts.
    pub gifts: u64,
    /// Their sum.
    pub total: Money,
}

impl TenantStore {
    /// The gifts of a span by their size; sizes that nobody gave are left out.
    pub async fn gift_sizes(&self, (from, to): Span) -> Result<Vec<Band>, Error> {
        let failed = |error| Error::query("reading the sizes of gifts", error);
        let dialect = self.dialect();
        let cases: String = SIZES
            .iter()
            .enumerate()
            .map(|(place, size)| format!("WHEN t.total_gross_amount < {size} THEN {place} "))
            .collect();
        let band = format!("CASE {cases}ELSE {} END", SIZES.len());
        let text = format!(
            "SELECT {place} AS place, t.currency_code AS currency, {gifts} AS gifts, \
             {total} AS total FROM transactions AS t {index} WHERE t.organization_id = $1 \
             AND t.purchased_at >= $2 AND t.purchased_at < $3 AND {GIFT} \
             GROUP BY {band}, t.currency_code ORDER BY 1, 2",
            place = dialect.as_bigint(&band),
            gifts = dialect.as_bigint("COUNT(*)"),
            total = dialect.sum_text("t.total_gross_amount"),
            index = dialect.by_index("transactions_purchased"),
        );
        let values = [self.organization_id.into(), from.into(), to.into()];
        let rows = Row::find_by_statement(sql(dialect, &text, values))
            .all(self.connection())
            .await
            .map_err(failed)?;
        Ok(rows.into_iter().map(Band::from).collect())
    }
}

#[derive(FromQueryResult)]
struct Row {
    place: i64,
    currency: Option<String>,
    gifts: i64,
    total: Option<Amount>,
}

impl From<Row> for Band {
    fn from(row: Row) -> Band {
        Band {
            place: usize::try_from(row.place).unwrap_or_default(),
            currency: row.currency,
            gifts: u64::try_from(row.gifts).unwrap_or_default(),
            total: row.total.map(Money::from).unwrap_or_default(),
        }
    }
}
