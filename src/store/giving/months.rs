//! What came in month by month.

use super::Span;
use crate::clock;
use crate::domain::{Money, Time, Zone};
use crate::store::statement::GIFT;
use crate::store::statement::sql;
use crate::store::{Error, Store, TenantStore, tuple};
use std::collections::BTreeMap;

/// What came in during one month of the organization's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// `2026-01`
    pub month: String,
    /// Gifts that succeeded.
    pub gifts: u64,
    /// Their sum, in the organization's currency.
    pub total: Money,
}

impl TenantStore {
    /// When the first gift was given; absent when there is none.
    pub async fn first_gift_at(&self) -> Result<Option<Time>, Error> {
        let failed = |error| Error::query("reading the first gift", error);
        let text = format!(
            "SELECT t.purchased_at AS first_at FROM transactions AS t {} \
             WHERE t.organization_id = $1 AND t.purchased_at IS NOT NULL AND {GIFT} \
             ORDER BY t.purchased_at LIMIT 1",
            self.dialect().by_index("transactions_purchased"),
        );
        let statement = sql(self.dialect(), &text, [self.organization_id.into()]);
        tuple::one(self.connection(), statement)
            .await
            .map_err(failed)
    }
}

impl Store {
    /// The months since a moment in which anything came in, the earliest first.
    pub async fn giving_by_month(&self, classy_id: i64, since: Time) -> Result<Vec<Month>, Error> {
        let Some(organization) = self.organization(classy_id).await? else {
            return Ok(Vec::new());
        };
        let tenant = self.tenant(&organization);
        let Some(first) = tenant.first_gift_at().await? else {
            return Ok(Vec::new());
        };
        let (zone, now) = (Zone::of(organization.timezone.as_deref()), clock::now());
        let months = zone.months(since.max(first), now);
        let next = |place: usize| months.get(place + 1).map_or(now, |(_, at)| *at);
        let spans: Vec<Span> = months
            .iter()
            .enumerate()
            .map(|(place, (_, start))| ((*start).max(since), next(place)))
            .collect();
        let currency = organization.currency_code;
        let mut found: BTreeMap<usize, Month> = BTreeMap::new();
        for sum in tenant.sums(&spans).await? {
            if sum.currency.is_some() && currency.is_some() && sum.currency != currency {
                continue;
            }
            let Some((day, _)) = months.get(sum.place) else {
                continue;
            };
            let month = found.entry(sum.place).or_insert_with(|| Month {
                month: day.format("%Y-%m").to_string(),
                gifts: 0,
                total: Money::ZERO,
            });
            month.gifts += sum.gifts;
            month.total = Money::total(month.total.decimal() + sum.total.decimal());
        }
        Ok(found.into_values().collect())
    }
}
