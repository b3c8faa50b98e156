//! What a gift is, decided once, and what came in month by month.
//!
//! A gift is a transaction with status `success` that is still at the source and whose amount is
//! above 0: a registration that costs nothing is none, and what was given back is none any more.
//! Its amount is the whole of it, in the organization's currency; the part that is a donation is
//! told beside it, since a ticket is none. Gifts without a supporter count, and are told apart.

use super::words::Local;
use crate::dialect::Dialect;

const WHEN: Local<'_> = Local {
    at: "t.purchased_at",
    offset: "COALESCE(z.offset_s, 0)",
};

/// Transactions of these states that count, with their organization and the clocks of its zone.
fn transactions(t: Dialect, states: &str) -> String {
    let counts =
        format!("t.status IN ({states}) AND t.absent_since IS NULL AND t.total_gross_amount > 0");
    format!(
        "FROM transactions AS t JOIN organizations AS o ON o.id = t.organization_id {} WHERE {}",
        t.clocks(WHEN.at),
        t.mostly(&counts)
    )
}

/// What an organization's calendar says now.
pub(super) fn organization_calendar(t: Dialect) -> String {
    let now = Local {
        at: t.clock(),
        ..WHEN
    };
    format!(
        "SELECT o.id AS organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, COALESCE(o.timezone, 'UTC') AS time_zone, o.currency_code, \
         o.fiscal_year_starts, {day} AS today, {month} AS this_month, {year} AS this_fiscal_year \
         FROM organizations AS o {clocks}",
        day = t.day(&now),
        month = t.month(&now),
        year = t.fiscal_year(&now),
        clocks = t.clocks(t.clock()),
    )
}

/// The part of a transaction that is no donation.
fn other(t: Dialect) -> &'static str {
    match t {
        Dialect::Sqlite => "ROUND(t.total_gross_amount - t.donation_gross_amount, 4)",
        _ => "t.total_gross_amount - t.donation_gross_amount",
    }
}

pub(super) fn gifts(t: Dialect) -> String {
    format!(
        "SELECT t.organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, t.id AS transaction_id, t.supporter_id, \
         CASE WHEN t.supporter_id IS NOT NULL THEN 'supporter' \
          WHEN t.company_name <> '' THEN 'company' ELSE 'nobody known' END AS given_by, \
         t.company_name, t.campaign_id, t.designation_id, t.fundraising_page_id, \
         t.recurring_plan_id, t.total_gross_amount AS amount, \
         t.donation_gross_amount AS donation_amount, {other} AS other_amount, t.fees_amount, \
         t.donation_net_amount AS net_amount, t.currency_code, \
         COALESCE(t.raw_total_gross_amount, t.total_gross_amount) AS donor_amount, \
         COALESCE(t.raw_currency_code, t.currency_code) AS donor_currency_code, \
         CASE WHEN t.donation_gross_amount IS NULL THEN 'unknown' \
          WHEN t.donation_gross_amount <= 0 THEN 'purchase' \
          WHEN t.donation_gross_amount < t.total_gross_amount THEN 'both' \
          ELSE 'donation' END AS kind, \
         CASE WHEN t.recurring_plan_id IS NULL THEN 'one-time' ELSE 'recurring' END AS giving_type, \
         t.payment_method, t.payment_type, t.purchased_at, {day} AS gift_day, \
         {month} AS gift_month, {year} AS fiscal_year {from}",
        other = other(t),
        day = t.day(&WHEN),
        month = t.month(&WHEN),
        year = t.fiscal_year(&WHEN),
        from = transactions(t, "'success'"),
    )
}

pub(super) fn giving_by_month(t: Dialect) -> String {
    let sum = |amount: &str, more: &str| {
        t.total(&format!(
            "CASE WHEN m.status = 'success'{more} THEN {amount} ELSE 0 END"
        ))
    };
    let count = |more: &str| format!("COUNT(CASE WHEN m.status = 'success'{more} THEN 1 END)");
    let (recurring, one_time) = (
        " AND m.recurring_plan_id IS NOT NULL",
        " AND m.recurring_plan_id IS NULL",
    );
    let nobody = " AND m.supporter_id IS NULL";
    format!(
        "SELECT o.id AS organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, g.gift_month, g.fiscal_year, g.gifts, g.amount, \
         {average} AS average_gift, g.donation_amount, g.other_amount, g.net_amount, g.donors, \
         g.one_time_gifts, g.one_time_amount, g.recurring_gifts, g.recurring_amount, \
         g.gifts_without_supporter, g.amount_without_supporter, g.refunds, g.refunded_amount \
         FROM (SELECT m.organization_id, m.gift_month, m.fiscal_year, {gifts} AS gifts, \
          {amount} AS amount, {donated} AS donation_amount, {other} AS other_amount, \
          {net} AS net_amount, \
          COUNT(DISTINCT CASE WHEN m.status = 'success' THEN m.supporter_id END) AS donors, \
          {one_time_gifts} AS one_time_gifts, {one_time_amount} AS one_time_amount, \
          {recurring_gifts} AS recurring_gifts, {recurring_amount} AS recurring_amount, \
          {nobodys_gifts} AS gifts_without_supporter, \
          {nobodys_amount} AS amount_without_supporter, \
          COUNT(CASE WHEN m.status = 'refunded' THEN 1 END) AS refunds, \
          {refunded} AS refunded_amount \
          FROM (SELECT t.organization_id, t.status, t.supporter_id, t.recurring_plan_id, \
           t.total_gross_amount, t.donation_gross_amount, {other_of} AS other_amount, \
           t.donation_net_amount, {month} AS gift_month, {year} AS fiscal_year \
           {from}) AS m \
          GROUP BY m.organization_id, m.gift_month, m.fiscal_year) AS g \
         JOIN organizations AS o ON o.id = g.organization_id",
        average = t.average("g.amount", "g.gifts"),
        gifts = count(""),
        amount = sum("m.total_gross_amount", ""),
        donated = sum("m.donation_gross_amount", ""),
        other = sum("m.other_amount", ""),
        net = sum("m.donation_net_amount", ""),
        one_time_gifts = count(one_time),
        one_time_amount = sum("m.total_gross_amount", one_time),
        recurring_gifts = count(recurring),
        recurring_amount = sum("m.total_gross_amount", recurring),
        nobodys_gifts = count(nobody),
        nobodys_amount = sum("m.total_gross_amount", nobody),
        refunded = t.total("CASE WHEN m.status = 'refunded' THEN m.total_gross_amount ELSE 0 END"),
        other_of = other(t),
        month = t.month(&WHEN),
        year = t.fiscal_year(&WHEN),
        from = transactions(t, "'success', 'refunded'"),
    )
}
