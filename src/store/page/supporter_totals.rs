//! What supporters gave and give: summed afresh from the gifts and plans of those that a batch
//! touched.

use super::total_rows::{opening, save};
use super::tx::PageTx;
use crate::domain::{Money, MonthlyRate, Time};
use crate::entities::record::Kind;
use crate::store::Error;
use crate::store::amount::Amount;
use crate::store::row::{write_key, write_text};
use crate::store::statement::{GIFT, ids_document};
use crate::store::value;
use sea_orm::{FromQueryResult, Value};
use std::collections::{BTreeSet, HashMap};

/// What is stored of a supporter's gifts, or what they sum up to.
#[derive(FromQueryResult)]
struct GiftsRow {
    sum: Option<Amount>,
    count: i64,
    first: Option<Time>,
    last: Option<Time>,
    largest: Option<Amount>,
}

#[derive(FromQueryResult)]
struct Summed {
    id: i64,
    #[sea_orm(nested(prefix = "is_"))]
    is: GiftsRow,
    #[sea_orm(nested(prefix = "was_"))]
    was: GiftsRow,
}

/// What a supporter's active plans of one frequency sum up to.
#[derive(FromQueryResult)]
struct PlansRow {
    id: i64,
    frequency: Option<String>,
    total: Option<Amount>,
}

#[derive(PartialEq)]
struct Gifts {
    sum: Money,
    count: i64,
    first: Option<Time>,
    last: Option<Time>,
    largest: Money,
}

impl From<GiftsRow> for Gifts {
    fn from(row: GiftsRow) -> Gifts {
        let amount = |selected: Option<Amount>| selected.map(Money::from).unwrap_or_default();
        Gifts {
            sum: amount(row.sum),
            count: row.count,
            first: row.first,
            last: row.last,
            largest: amount(row.largest),
        }
    }
}

/// Sums the gifts of these supporters.
pub(super) async fn refresh_gifts(page: &PageTx<'_>, ids: &BTreeSet<i64>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let dialect = page.dialect;
    let (source, supporters) = (
        dialect.unpack(&[("id", Kind::Int)]),
        dialect.found_by_id("supporters", "s", 2),
    );
    let text = format!(
        "SELECT s.id, {was_sum} AS was_sum, {was_count} AS was_count, s.first_donation_at AS was_first, s.last_donation_at AS was_last, \
         {was_largest} AS was_largest, {sum} AS is_sum, {count} AS is_count, MIN(t.purchased_at) AS is_first, MAX(t.purchased_at) AS is_last, \
         {largest} AS is_largest \
         FROM {source} {supporters} \
         LEFT JOIN transactions AS t {by_index} ON t.organization_id = s.organization_id AND t.supporter_id = s.id AND {GIFT} \
         GROUP BY s.id, s.lifetime_donation_amount, s.lifetime_donation_count, s.first_donation_at, s.last_donation_at, s.largest_donation_amount",
        was_sum = dialect.money_text("s.lifetime_donation_amount"),
        was_count = dialect.as_bigint("s.lifetime_donation_count"),
        was_largest = dialect.money_text("s.largest_donation_amount"),
        sum = dialect.sum_text("t.total_gross_amount"),
        count = dialect.as_bigint("COUNT(t.id)"),
        largest = dialect.money_text("COALESCE(MAX(t.total_gross_amount), 0)"),
        by_index = dialect.by_index("transactions_supporter"),
    );
    let doing = "summing gifts";
    let failed = |error| Error::query(doing, error);
    let rows: Vec<Summed> = page.query(doing, &text, values(page, ids)).await?;
    let mut changed = Vec::new();
    for Summed { id, is, was } in rows {
        let (is, was) = (Gifts::from(is), Gifts::from(was));
        if is != was {
            let mut object = opening(id);
            write_key("lifetime_donation_amount", &mut object);
            let sum = value::sum("lifetime_donation_amount", is.sum.decimal(), dialect)
                .map_err(failed)?;
            write_text(&sum.to_string(), &mut object);
            object
                .extend_from_slice(format!(",\"lifetime_donation_count\":{}", is.count).as_bytes());
            write_key("largest_donation_amount", &mut object);
            write_text(&is.largest.to_string(), &mut object);
            for (name, time) in [
                ("first_donation_at", is.first),
                ("last_donation_at", is.last),
            ] {
                if let Some(time) = time {
                    write_key(name, &mut object);
                    write_text(&dialect.time_text(time), &mut object);
                }
            }
            changed.push(object);
        }
    }
    let fields = [
        ("lifetime_donation_amount", Kind::Money),
        ("lifetime_donation_count", Kind::Int),
        ("largest_donation_amount", Kind::Money),
        ("first_donation_at", Kind::Time),
        ("last_donation_at", Kind::Time),
    ];
    save_supporters(page, changed, &fields).await
}

/// Sums what the plans of these supporters bring in a month.
pub(super) async fn refresh_monthly(page: &PageTx<'_>, ids: &BTreeSet<i64>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let dialect = page.dialect;
    let (source, supporters) = (
        dialect.unpack(&[("id", Kind::Int)]),
        dialect.found_by_id("supporters", "s", 2),
    );
    let text = format!(
        "SELECT s.id, t.frequency, {sum} AS total FROM {source} {supporters} \
         LEFT JOIN recurring_plans AS t {by_index} ON t.organization_id = s.organization_id AND t.supporter_id = s.id \
         AND t.status = 'active' AND {unpaused} AND t.absent_since IS NULL \
         GROUP BY s.id, t.frequency",
        unpaused = dialect.not("t.is_paused"),
        sum = dialect.sum_text("t.amount"),
        by_index = dialect.by_index("recurring_plans_supporter"),
    );
    let doing = "summing plans";
    let failed = |error| Error::query(doing, error);
    let rows: Vec<PlansRow> = page.query(doing, &text, values(page, ids)).await?;
    let mut plans: HashMap<i64, Vec<(String, Money)>> = HashMap::new();
    for PlansRow {
        id,
        frequency,
        total,
    } in rows
    {
        let total = total.map(Money::from).unwrap_or_default();
        plans
            .entry(id)
            .or_default()
            .extend(frequency.map(|frequency| (frequency, total)));
    }
    let mut changed = Vec::new();
    for (id, sums) in plans {
        let monthly = MonthlyRate::monthly(
            sums.iter()
                .map(|(frequency, sum)| (frequency.as_str(), sum.decimal())),
        );
        let is = value::sum("monthly_recurring_amount", monthly, dialect).map_err(failed)?;
        // With an equal amount, too: that there is an active plan is part of the picture, and a
        // plan may be worth nothing a month.
        let mut object = opening(id);
        write_key("monthly_recurring_amount", &mut object);
        write_text(&is.to_string(), &mut object);
        changed.push(object);
    }
    changed.sort_unstable();
    save_supporters(page, changed, &[("monthly_recurring_amount", Kind::Money)]).await
}

fn values(page: &PageTx<'_>, ids: &BTreeSet<i64>) -> [Value; 2] {
    [
        ids_document(ids.iter().copied()),
        page.organization_id.into(),
    ]
}

async fn save_supporters(
    page: &PageTx<'_>,
    mut changed: Vec<Vec<u8>>,
    fields: &[(&str, Kind)],
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let first = page.reserve_change_seqs(changed.len()).await?;
    for (index, object) in changed.iter_mut().enumerate() {
        object.extend_from_slice(format!(",\"change_seq\":{}}}", first + index as i64).as_bytes());
    }
    let mut fields = fields.to_vec();
    fields.push(("change_seq", Kind::Int));
    save(page, "supporters", &changed, &fields).await
}
