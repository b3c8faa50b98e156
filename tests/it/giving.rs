//! The views about giving, held against sums made here from the same gifts: two organizations in
//! two zones whose fiscal years begin in other months, refunds, gifts of nobody, registrations that
//! cost nothing, and gifts minutes before a fiscal year ends.

mod made;
mod sums;

use crate::backend::{Fresh, Kind, kinds};
use chrono::{Datelike, NaiveDate, TimeDelta};
use classy_sync::domain::{Item, Money, Time, Zone};
use classy_sync::entities::{RecurringPlan, Supporter, Transaction};
use classy_sync::store::{Batch, Settings, Store};
use made::{charities, plans};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sums::{by_month, cohorts, retention, rfm, unfortunately};

const PEOPLE: i64 = 40;

/// An organization of this world.
struct Charity {
    id: i64,
    zone: &'static str,
    starts: i64,
    gifts: Vec<Transaction>,
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn money(text: &str) -> Option<Money> {
    Some(Money::parse(text).unwrap())
}

impl Charity {
    fn day(&self, at: Time) -> NaiveDate {
        Zone::parse(self.zone).unwrap().day(at)
    }

    fn fiscal_year(&self, day: NaiveDate) -> i64 {
        let later = self.starts > 1 && i64::from(day.month()) >= self.starts;
        i64::from(day.year()) + i64::from(later)
    }

    /// What counts as a gift, said here once more.
    fn counted(&self) -> impl Iterator<Item = (&Transaction, Decimal, String, i64)> {
        self.gifts.iter().filter_map(|gift| {
            let amount = gift.total_gross_amount?.decimal();
            let day = self.day(gift.purchased_at?);
            let counts = gift.status == "success" && amount > Decimal::ZERO;
            counts.then(|| {
                (
                    gift,
                    amount,
                    day.format("%Y-%m").to_string(),
                    self.fiscal_year(day),
                )
            })
        })
    }

    /// What each supporter gave in each fiscal year.
    fn years(&self) -> BTreeMap<i64, BTreeMap<i64, Decimal>> {
        let mut years: BTreeMap<i64, BTreeMap<i64, Decimal>> = BTreeMap::new();
        for (gift, amount, _, year) in self.counted() {
            if let Some(person) = gift.supporter_id {
                *years.entry(person).or_default().entry(year).or_default() += amount;
            }
        }
        years
    }

    fn this_year(&self) -> i64 {
        self.fiscal_year(self.day(chrono::Utc::now()))
    }
}

/// A value as all three databases are made to tell it.
fn plain(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    match text.as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        other if other.contains('-') => text,
        other => other
            .parse::<Decimal>()
            .map_or(text.clone(), |number| number.normalize().to_string()),
    }
}

struct World {
    fresh: Fresh,
    store: Store,
    connection: DatabaseConnection,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(kind: Kind, charities: &[Charity]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 4,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        for charity in charities {
            let name = format!("Charity {}", charity.id);
            let organization = store.put_organization(charity.id, &name).await.unwrap();
            let tenant = store.tenant(&organization);
            tenant
                .set_zone(Zone::parse(charity.zone).unwrap())
                .await
                .unwrap();
            tenant
                .set_fiscal_year_starts(1, charity.starts)
                .await
                .unwrap();
            let fence = tenant
                .acquire("here", Duration::from_secs(60))
                .await
                .unwrap();
            let people = (1..=PEOPLE).map(|id| {
                Item::Good(Supporter {
                    id,
                    first_name: Some(format!("P{id}")),
                    ..Supporter::default()
                })
            });
            tenant
                .commit(&fence, &Batch::of(people.collect()))
                .await
                .unwrap();
            let plans = plans().into_iter().map(Item::Good).collect();
            tenant.commit(&fence, &Batch::of(plans)).await.unwrap();
            let gifts = charity.gifts.iter().cloned().map(Item::Good).collect();
            tenant.commit(&fence, &Batch::of(gifts)).await.unwrap();
        }
        let connection = fresh.connect().await;
        World {
            fresh,
            store,
            connection,
            _folder: folder,
        }
    }

    /// These columns of a view, of one organization, sorted.
    async fn rows(&self, view: &str, columns: &str, charity: i64) -> Vec<String> {
        let names: Vec<&str> = columns.split(' ').collect();
        let list = names
            .iter()
            .map(|name| format!("{} AS {name}", self.fresh.text(&format!("v.{name}"))));
        let text = format!(
            "SELECT {} FROM {view} AS v WHERE v.classy_organization_id = {charity} \
             AND v.organization_name = 'Charity {charity}'",
            list.collect::<Vec<_>>().join(", ")
        );
        let backend = self.connection.get_database_backend();
        let rows = self
            .connection
            .query_all_raw(Statement::from_string(backend, text))
            .await
            .unwrap();
        let mut rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let cell = |name: &&str| plain(row.try_get::<Option<String>>("", name).unwrap());
                names.iter().map(cell).collect::<Vec<_>>().join(" ")
            })
            .collect();
        rows.sort();
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_view_about_giving_says_what_the_gifts_say() {
    for kind in kinds() {
        let charities = charities();
        let world = World::new(kind, &charities).await;
        for charity in &charities {
            let mut expected: Vec<String> = charity
                .counted()
                .map(|(gift, amount, month, year)| {
                    let kind = match gift.donation_gross_amount.map(Money::decimal) {
                        None => "unknown",
                        Some(part) if part.is_zero() => "purchase",
                        Some(part) if part < amount => "both",
                        Some(_) => "donation",
                    };
                    let by = match (gift.supporter_id, &gift.company_name) {
                        (Some(_), _) => "supporter",
                        (None, Some(_)) => "company",
                        (None, None) => "nobody known",
                    };
                    let day = charity.day(gift.purchased_at.unwrap());
                    format!(
                        "{} {} {day} {month} {year} {kind} {by}",
                        gift.id,
                        amount.normalize()
                    )
                })
                .collect();
            expected.sort();
            let rows =
                async |view: &str, columns: &str| world.rows(view, columns, charity.id).await;
            let columns = "transaction_id amount gift_day gift_month fiscal_year kind given_by";
            assert_eq!(rows("gifts", columns).await, expected, "{kind:?}");
            let columns = "gift_month fiscal_year gifts amount recurring_amount donation_amount \
                           other_amount net_amount donors gifts_without_supporter refunds refunded_amount";
            assert_eq!(
                rows("giving_by_month", columns).await,
                by_month(charity),
                "{kind:?}"
            );
            let columns = "fiscal_year is_over new_donors kept_donors regained_donors lost_donors \
                           new_amount kept_amount regained_amount lost_amount";
            assert_eq!(
                rows("donor_retention", columns).await,
                retention(charity),
                "{kind:?}"
            );
            let columns = "cohort fiscal_year years_since cohort_donors donors amount";
            assert_eq!(
                rows("donor_cohorts", columns).await,
                cohorts(charity),
                "{kind:?}"
            );
            let columns = "supporter_id last_fiscal_year last_year_amount";
            assert_eq!(
                rows("donors_lybunt", columns).await,
                unfortunately(charity, true)
            );
            let some_year = unfortunately(charity, false);
            assert_eq!(rows("donors_sybunt", columns).await, some_year, "{kind:?}");
            let columns = "supporter_id days_since_last_gift gifts amount rfm";
            assert_eq!(rows("donor_rfm", columns).await, rfm(charity), "{kind:?}");
        }
        world.store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recurring_giving_is_told_month_by_month() {
    for kind in kinds() {
        // Charges of plan 7: 20, then 25 though the rate made less of it, then 20 again.
        let charge = |id: i64, amount: &str, raw: &str, moment: &str| Transaction {
            id,
            recurring_plan_id: Some(7),
            status: "success".to_owned(),
            total_gross_amount: money(amount),
            raw_total_gross_amount: money(raw),
            raw_currency_code: Some("EUR".to_owned()),
            purchased_at: Some(at(moment)),
            ..Transaction::default()
        };
        let charity = Charity {
            id: 10_001,
            zone: "America/New_York",
            starts: 1,
            gifts: vec![
                charge(1, "22", "20", "2024-02-02T12:00:00Z"),
                charge(2, "21", "25", "2024-03-02T12:00:00Z"),
                charge(3, "21", "20", "2024-05-01T03:00:00Z"),
            ],
        };
        let world = World::new(kind, &[charity]).await;
        let columns = "gift_month fiscal_year started stopped failed paused upgraded downgraded \
                       plans_at_end monthly_amount_at_end charges charged_amount";
        assert_eq!(
            world.rows("recurring_by_month", columns, 10_001).await,
            [
                // Plans 1 (10 a month) and 2 (30 a quarter); then 3 (12 a year), 4 (5) and 7 (20).
                "2024-01 2024 2 0 0 0 0 0 2 20 0 0",
                "2024-02 2024 3 0 0 0 0 0 5 46 1 22",
                "2024-03 2024 0 1 1 1 1 0 2 30 1 21",
                "2024-04 2024 0 0 0 0 0 1 2 30 1 21",
            ],
            "{kind:?}"
        );
        world.store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_zone_or_fiscal_year_moves_gifts_and_writes_none_anew() {
    for kind in kinds() {
        let charities = charities();
        let world = World::new(kind, &charities[..1]).await;
        // 23:30 on the last day of June in New York.
        let told = async || {
            let rows = world
                .rows("gifts", "transaction_id gift_month fiscal_year", 10_001)
                .await;
            rows.into_iter()
                .find(|row| row.starts_with("1000 "))
                .unwrap()
        };
        let written = "SELECT CAST(SUM(change_seq) AS CHAR(40)) AS n FROM supporters";
        let changes = async || {
            let backend = world.connection.get_database_backend();
            let row = world
                .connection
                .query_one_raw(Statement::from_string(backend, written))
                .await;
            row.unwrap().unwrap().try_get::<String>("", "n").unwrap()
        };
        let before = changes().await;
        assert_eq!(told().await, "1000 2024-06 2024", "{kind:?}");
        let organization = world.store.organization(10_001).await.unwrap().unwrap();
        let tenant = world.store.tenant(&organization);
        tenant.set_fiscal_year_starts(7, 1).await.unwrap();
        assert_eq!(told().await, "1000 2024-06 2024", "{kind:?}");
        tenant.set_fiscal_year_starts(1, 6).await.unwrap();
        assert_eq!(told().await, "1000 2024-06 2025", "{kind:?}");
        tenant
            .set_zone(Zone::parse("Europe/Berlin").unwrap())
            .await
            .unwrap();
        assert_eq!(told().await, "1000 2024-07 2025", "{kind:?}");
        assert_eq!(changes().await, before, "{kind:?}");
        world.store.close().await.unwrap();
    }
}
