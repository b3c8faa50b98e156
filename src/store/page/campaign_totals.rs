//! What campaigns raised, kept by difference: a batch of gifts touches most campaigns, and each may
//! have a million gifts, so summing them afresh for every batch would make a first load quadratic.
//! At the end of each pass they are summed afresh all the same.

use super::total_rows::{opening, save};
use super::tx::PageTx;
use crate::domain::Money;
use crate::entities::record::{Gift, Kind};
use crate::store::Error;
use crate::store::amount::Amount;
use crate::store::dialect::Dialect;
use crate::store::row::{write_key, write_text};
use crate::store::statement::{GIFT, document, ids_document};
use crate::store::value;
use rust_decimal::Decimal;
use sea_orm::{DbErr, FromQueryResult};
use std::collections::BTreeMap;

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Totals {
    raised: Decimal,
    donors: i64,
    gifts: i64,
}

/// What is stored of a campaign, or what its gifts sum up to.
#[derive(FromQueryResult)]
struct TotalsRow {
    raised: Option<Amount>,
    donors: i64,
    gifts: i64,
}

impl From<TotalsRow> for Totals {
    fn from(row: TotalsRow) -> Totals {
        Totals {
            raised: row.raised.map(Money::from).unwrap_or_default().decimal(),
            donors: row.donors,
            gifts: row.gifts,
        }
    }
}

#[derive(FromQueryResult)]
struct Stored {
    id: i64,
    #[sea_orm(nested)]
    totals: TotalsRow,
}

#[derive(FromQueryResult)]
struct Summed {
    id: i64,
    #[sea_orm(nested)]
    is: TotalsRow,
    #[sea_orm(nested(prefix = "was_"))]
    was: TotalsRow,
}

/// Adds the gifts that came and takes off those that went.
pub(super) async fn apply(
    page: &PageTx<'_>,
    gifts: &[(Option<Gift>, Option<Gift>)],
) -> Result<(), Error> {
    let mut changes: BTreeMap<i64, Totals> = BTreeMap::new();
    let mut pairs: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    let signed = gifts
        .iter()
        .flat_map(|(before, now)| [(before, -1), (now, 1)]);
    for (gift, sign) in signed.filter_map(|(gift, sign)| Some((gift.as_ref()?, sign))) {
        let Some(campaign) = gift.campaign_id else {
            continue;
        };
        let change = changes.entry(campaign).or_default();
        change.raised += gift.amount.decimal() * Decimal::from(sign);
        change.gifts += sign;
        if let Some(supporter) = gift.supporter_id {
            *pairs.entry((campaign, supporter)).or_default() += sign;
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    pairs.retain(|_, change| *change != 0);
    for ((campaign, supporter), now) in gifts_of(page, pairs.keys().copied()).await? {
        let before = now
            - pairs
                .get(&(campaign, supporter))
                .copied()
                .unwrap_or_default();
        changes.entry(campaign).or_default().donors += i64::from(now > 0) - i64::from(before > 0);
    }
    let doing = "reading what campaigns raised";
    let failed = |error| Error::query(doing, error);
    let text = format!(
        "SELECT s.id, {} AS raised, {} AS donors, {} AS gifts FROM {} {}",
        page.dialect.money_text("s.total_raised"),
        page.dialect.as_bigint("s.donors_count"),
        page.dialect.as_bigint("s.transactions_count"),
        page.dialect.unpack(&[("id", Kind::Int)]),
        page.dialect.found_by_id("campaigns", "s", 2),
    );
    let values = [
        ids_document(changes.keys().copied()),
        page.organization_id.into(),
    ];
    let mut objects = Vec::new();
    let rows: Vec<Stored> = page.query(doing, &text, values).await?;
    for Stored { id, totals } in rows {
        let mut totals = Totals::from(totals);
        let change = changes.get(&id).copied().unwrap_or_default();
        if change != Totals::default() {
            totals.raised += change.raised;
            totals.donors += change.donors;
            totals.gifts += change.gifts;
            objects.push(object(id, totals, page.dialect).map_err(failed)?);
        }
    }
    write(page, &objects).await
}

/// How many gifts each supporter has in each campaign now.
async fn gifts_of(
    page: &PageTx<'_>,
    pairs: impl Iterator<Item = (i64, i64)>,
) -> Result<Vec<((i64, i64), i64)>, Error> {
    let objects: Vec<Vec<u8>> = pairs
        .map(|(campaign, supporter)| {
            format!("{{\"campaign\":{campaign},\"supporter\":{supporter}}}").into_bytes()
        })
        .collect();
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let doing = "counting donors";
    // A question for each pair: as a join, a database without statistics compares every pair with
    // every gift.
    let count = format!(
        "SELECT COUNT(*) FROM transactions AS t {} WHERE t.organization_id = o.id AND t.campaign_id = j.campaign \
         AND t.supporter_id = j.supporter AND {GIFT}",
        page.dialect.by_index("transactions_campaign"),
    );
    let text = format!(
        "SELECT j.campaign, j.supporter, {} AS gifts FROM {} {} organizations AS o ON o.id = $2",
        page.dialect.as_bigint(&format!("({count})")),
        page.dialect
            .unpack(&[("campaign", Kind::Int), ("supporter", Kind::Int)]),
        page.dialect.lookup(),
    );
    let values = [
        document(objects.iter().map(Vec::as_slice)),
        page.organization_id.into(),
    ];
    let rows: Vec<(i64, i64, i64)> = page.tuples(doing, &text, values).await?;
    let pair = |(campaign, supporter, gifts)| ((campaign, supporter), gifts);
    Ok(rows.into_iter().map(pair).collect())
}

/// Sums every campaign's gifts and writes what differs.
pub(super) async fn sum_afresh(page: &PageTx<'_>) -> Result<(), Error> {
    let dialect = page.dialect;
    let doing = "summing campaigns";
    let failed = |error| Error::query(doing, error);
    let text = format!(
        "WITH g AS {once}(SELECT t.campaign_id, {raised} AS raised, COUNT(DISTINCT t.supporter_id) AS donors, COUNT(t.id) AS gifts \
         FROM transactions AS t WHERE t.organization_id = $1 AND {GIFT} GROUP BY t.campaign_id) \
         SELECT s.id, {was_raised} AS was_raised, {was_donors} AS was_donors, {was_gifts} AS was_gifts, COALESCE(g.raised, {zero}) AS raised, \
         {donors} AS donors, {gifts} AS gifts FROM campaigns AS s LEFT JOIN g ON g.campaign_id = s.id WHERE s.organization_id = $2",
        once = dialect.answered_once(),
        was_raised = dialect.money_text("s.total_raised"),
        was_donors = dialect.as_bigint("s.donors_count"),
        was_gifts = dialect.as_bigint("s.transactions_count"),
        raised = dialect.sum_text("t.total_gross_amount"),
        zero = "'0'",
        donors = dialect.as_bigint("COALESCE(g.donors, 0)"),
        gifts = dialect.as_bigint("COALESCE(g.gifts, 0)"),
    );
    let mut objects = Vec::new();
    let values = [page.organization_id.into(), page.organization_id.into()];
    let rows: Vec<Summed> = page.query(doing, &text, values).await?;
    for Summed { id, is, was } in rows {
        let (is, was) = (Totals::from(is), Totals::from(was));
        if is != was {
            objects.push(object(id, is, dialect).map_err(failed)?);
        }
    }
    write(page, &objects).await
}

fn object(id: i64, totals: Totals, dialect: Dialect) -> Result<Vec<u8>, DbErr> {
    let raised = value::sum("total_raised", totals.raised, dialect)?;
    let mut object = opening(id);
    write_key("total_raised", &mut object);
    write_text(&raised.to_string(), &mut object);
    object.extend_from_slice(
        format!(
            ",\"donors_count\":{},\"transactions_count\":{}}}",
            totals.donors, totals.gifts
        )
        .as_bytes(),
    );
    Ok(object)
}

async fn write(page: &PageTx<'_>, objects: &[Vec<u8>]) -> Result<(), Error> {
    let fields = [
        ("total_raised", Kind::Money),
        ("donors_count", Kind::Int),
        ("transactions_count", Kind::Int),
    ];
    save(page, "campaigns", objects, &fields).await
}
