//! Giving totals, recomputed in the page transaction for the parents that the page touched: equal to a fresh sum at every commit.

use super::decide::Write;
use super::page::Step;
use super::row::{Gift, Kind, Row, time_text, write_key, write_text};
use super::statement::{as_bigint, by_index, document, ids_document, is_tenants, lookup, money_text, sql, sum_text, unpack, update};
use super::value::{Stored, money};
use super::{Error, campaign_totals, seq};
use crate::domain::{Entity, Money, MonthlyRate, Time};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::{BTreeSet, HashMap};

/// The supporters whose gifts or plans a batch touched, and the gifts that came and went with it.
#[derive(Debug, Default)]
pub(super) struct Touched {
    supporters: BTreeSet<i64>,
    /// What each row brought in before, and what it does now.
    gifts: Vec<(Option<Gift>, Option<Gift>)>,
}

impl Touched {
    /// By the rows to be written, and those that are gone.
    pub(super) fn of<R: Row>(writes: &[Write<'_, R>], gone: &[Stored]) -> Touched {
        let mut touched = Touched::default();
        let written = writes.iter().map(|write| (write.before.as_ref(), Some(&write.row)));
        for (before, now) in written.chain(gone.iter().map(|stored| (Some(stored), None))) {
            for (index, link) in R::table().links.iter().enumerate().filter(|(_, link)| link.parent == Entity::Supporters) {
                touched.supporters.extend(before.and_then(|stored| stored.links.get(index).copied().flatten()));
                touched.supporters.extend(now.and_then(link.get));
            }
            let gifts = (before.and_then(|stored| stored.gift.clone()), now.and_then(Row::gift));
            if gifts.0 != gifts.1 {
                touched.gifts.push(gifts);
            }
        }
        touched
    }
}

/// Brings the totals of the touched supporters and campaigns up to date; a supporter whose totals changed gets a new `change_seq`.
/// At the end of a pass (`whole`) the campaigns' are summed afresh.
pub(super) async fn refresh(step: &Step<'_>, touched: &Touched, whole: bool) -> Result<(), Error> {
    match step.entity {
        Entity::Transactions => {
            refresh_gifts(step, &touched.supporters).await?;
            if whole { campaign_totals::sum_afresh(step).await } else { campaign_totals::apply(step, &touched.gifts).await }
        }
        Entity::RecurringPlans => refresh_monthly(step, &touched.supporters).await,
        Entity::Supporters | Entity::Campaigns => Ok(()),
    }
}

/// What counts as a gift: money in, and still at the source.
pub(super) const GIFT: &str = "t.status = 'success' AND t.absent_since IS NULL";

#[derive(PartialEq)]
struct Gifts {
    sum: Money,
    count: i64,
    first: Option<Time>,
    last: Option<Time>,
    largest: Money,
}

async fn refresh_gifts(step: &Step<'_>, ids: &BTreeSet<i64>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let backend = step.backend;
    let (source, join) = (unpack(backend, &[("id", Kind::Int)]), lookup(backend));
    let text = format!(
        "SELECT s.id, {was_sum} AS was_sum, {was_count} AS was_count, s.first_donation_at AS was_first, s.last_donation_at AS was_last, \
         {was_largest} AS was_largest, {sum} AS is_sum, {count} AS is_count, MIN(t.purchased_at) AS is_first, MAX(t.purchased_at) AS is_last, \
         {largest} AS is_largest \
         FROM {source} {join} supporters AS s ON s.id = j.id \
         LEFT JOIN transactions AS t {by_index} ON t.organization_id = s.organization_id AND t.supporter_id = s.id AND {GIFT} \
         WHERE {is_tenants} \
         GROUP BY s.id, s.lifetime_donation_amount, s.lifetime_donation_count, s.first_donation_at, s.last_donation_at, s.largest_donation_amount",
        was_sum = money_text(backend, "s.lifetime_donation_amount"),
        was_count = as_bigint(backend, "s.lifetime_donation_count"),
        was_largest = money_text(backend, "s.largest_donation_amount"),
        sum = sum_text(backend, "t.total_gross_amount"),
        count = as_bigint(backend, "COUNT(t.id)"),
        largest = money_text(backend, "COALESCE(MAX(t.total_gross_amount), 0)"),
        is_tenants = is_tenants("s"),
        by_index = by_index(backend, "transactions_supporter"),
    );
    let rows = fetch(step, &text, ids, "summing gifts").await?;
    let read = |row: &QueryResult, prefix: &str| -> Result<Gifts, DbErr> {
        Ok(Gifts {
            sum: money(row, &format!("{prefix}_sum"))?.unwrap_or_default(),
            count: row.try_get("", &format!("{prefix}_count"))?,
            first: row.try_get("", &format!("{prefix}_first"))?,
            last: row.try_get("", &format!("{prefix}_last"))?,
            largest: money(row, &format!("{prefix}_largest"))?.unwrap_or_default(),
        })
    };
    let mut changed = Vec::new();
    for row in &rows {
        let failed = |error| Error::query("summing gifts", error);
        let id: i64 = row.try_get("", "id").map_err(failed)?;
        let is = read(row, "is").map_err(failed)?;
        if is != read(row, "was").map_err(failed)? {
            let mut object = opening(id);
            write_key("lifetime_donation_amount", &mut object);
            write_text(&is.sum.to_string(), &mut object);
            object.extend_from_slice(format!(",\"lifetime_donation_count\":{}", is.count).as_bytes());
            write_key("largest_donation_amount", &mut object);
            write_text(&is.largest.to_string(), &mut object);
            for (name, time) in [("first_donation_at", is.first), ("last_donation_at", is.last)] {
                if let Some(time) = time {
                    write_key(name, &mut object);
                    write_text(&time_text(time, backend), &mut object);
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
    save_supporters(step, changed, &fields).await
}

async fn refresh_monthly(step: &Step<'_>, ids: &BTreeSet<i64>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let backend = step.backend;
    let (source, join) = (unpack(backend, &[("id", Kind::Int)]), lookup(backend));
    let unpaused = if backend == sea_orm::DbBackend::Postgres { "NOT t.is_paused" } else { "t.is_paused = 0" };
    let text = format!(
        "SELECT s.id, t.frequency, {sum} AS total FROM {source} {join} supporters AS s ON s.id = j.id \
         LEFT JOIN recurring_plans AS t {by_index} ON t.organization_id = s.organization_id AND t.supporter_id = s.id \
         AND t.status = 'active' AND {unpaused} AND t.absent_since IS NULL \
         WHERE {is_tenants} GROUP BY s.id, t.frequency",
        sum = sum_text(backend, "t.amount"),
        by_index = by_index(backend, "recurring_plans_supporter"),
        is_tenants = is_tenants("s"),
    );
    let failed = |error| Error::query("summing plans", error);
    let mut plans: HashMap<i64, Vec<(String, Money)>> = HashMap::new();
    for row in fetch(step, &text, ids, "summing plans").await? {
        let id: i64 = row.try_get("", "id").map_err(failed)?;
        let frequency: Option<String> = row.try_get("", "frequency").map_err(failed)?;
        let total = money(&row, "total").map_err(failed)?.unwrap_or_default();
        plans.entry(id).or_default().extend(frequency.map(|frequency| (frequency, total)));
    }
    let mut changed = Vec::new();
    for (id, sums) in plans {
        let monthly = MonthlyRate::monthly(sums.iter().map(|(frequency, sum)| (frequency.as_str(), sum.decimal())));
        let is = Money::new(monthly).map_err(|error| failed(DbErr::Type(format!("monthly_recurring_amount: {error}"))))?;
        // With an equal amount, too: that there is an active plan is part of the picture, and a plan may be worth nothing a month.
        let mut object = opening(id);
        write_key("monthly_recurring_amount", &mut object);
        write_text(&is.to_string(), &mut object);
        changed.push(object);
    }
    changed.sort_unstable();
    save_supporters(step, changed, &[("monthly_recurring_amount", Kind::Money)]).await
}

pub(super) fn opening(id: i64) -> Vec<u8> {
    format!("{{\"id\":{id}").into_bytes()
}

async fn fetch(step: &Step<'_>, text: &str, ids: &BTreeSet<i64>, what: &'static str) -> Result<Vec<QueryResult>, Error> {
    let values = [ids_document(ids.iter().copied()), step.organization_id.into()];
    step.tx.query_all_raw(sql(step.backend, text, values)).await.map_err(|error| Error::query(what, error))
}

async fn save_supporters(step: &Step<'_>, mut changed: Vec<Vec<u8>>, fields: &[(&str, Kind)]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let first = seq::reserve(step, changed.len()).await?;
    for (index, object) in changed.iter_mut().enumerate() {
        object.extend_from_slice(format!(",\"change_seq\":{}}}", first + index as i64).as_bytes());
    }
    let mut fields = fields.to_vec();
    fields.push(("change_seq", Kind::Int));
    save(step, "supporters", &changed, &fields).await
}

pub(super) async fn save(step: &Step<'_>, table: &str, changed: &[Vec<u8>], fields: &[(&str, Kind)]) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let values = [document(changed.iter().map(Vec::as_slice)), step.organization_id.into()];
    step.tx
        .execute_raw(sql(step.backend, &update(step.backend, table, fields), values))
        .await
        .map_err(|error| Error::query("writing totals", error))?;
    Ok(())
}
