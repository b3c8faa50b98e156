//! Recurring giving month by month: what plans promise, and what was charged.
//!
//! A plan is in force from its start until it was canceled, ended, failed or was paused; one that
//! goes on again is taken as if it had never stopped, since Classy does not tell of it. What a plan
//! was worth before its amount changed is not told either: its present amount counts for the whole
//! time. Whether somebody gives more than before shows in the charges, which are gifts, by what the
//! donor saw (rates of exchange change nothing).

use super::words::Local;
use crate::dialect::Dialect;

/// What one payment of a plan is worth a month: the words and rates of the main crate's
/// `domain::MonthlyRate`; a test compares them.
const MONTHLY: &str = "CASE p.frequency WHEN 'daily' THEN p.amount * 365 / 12 \
     WHEN 'weekly' THEN p.amount * 52 / 12 WHEN 'bi-weekly' THEN p.amount * 26 / 12 \
     WHEN 'monthly' THEN p.amount * 1 / 1 WHEN 'bi-monthly' THEN p.amount * 1 / 2 \
     WHEN 'quarterly' THEN p.amount * 1 / 3 WHEN 'semi-annually' THEN p.amount * 1 / 6 \
     WHEN 'semi-annual' THEN p.amount * 1 / 6 WHEN 'yearly' THEN p.amount * 1 / 12 ELSE 0 END";

/// When a plan that is not in force stopped: where nothing says it, when it last changed.
const STOPPED: &str = "COALESCE(CASE p.status WHEN 'canceled' THEN p.canceled_at \
     WHEN 'ended' THEN p.recur_until WHEN 'active' THEN p.plan_paused_on_date \
     WHEN 'paused' THEN p.plan_paused_on_date ELSE p.failed_at END, p.source_updated_at)";

/// The plans that began: at which moment, and when and why they stopped, if they did.
fn plans(t: Dialect) -> String {
    let stopped = format!(
        "CASE WHEN p.status = 'active' AND {} THEN NULL \
         WHEN {STOPPED} < p.started_at THEN p.started_at ELSE {STOPPED} END",
        t.no("p.is_paused")
    );
    format!(
        "SELECT p.organization_id, p.started_at, {stopped} AS stopped_at, p.status, \
         ROUND(COALESCE({MONTHLY}, 0), 4) AS monthly_amount FROM recurring_plans AS p \
         WHERE {present} AND p.absent_since IS NULL AND p.status <> 'draft' \
         AND p.started_at <= {now}",
        present = t.no("p.is_stub"),
        now = t.clock(),
    )
}

/// Plans at one of their moments, as rows of the month of it.
fn turn(t: Dialect, at: &str, sign: &str, counts: [&str; 4]) -> String {
    let moment = format!("q.{at}");
    let when = Local {
        at: &moment,
        offset: "COALESCE(z.offset_s, 0)",
    };
    let [started, stopped, failed, paused] = counts;
    format!(
        "SELECT q.organization_id, {month} AS gift_month, {year} AS fiscal_year, \
         {started} AS started, {stopped} AS stopped, {failed} AS failed, {paused} AS paused, \
         0 AS upgraded, 0 AS downgraded, 0 AS charges, 0 AS charged_amount, {sign}1 AS plans, \
         {sign}q.monthly_amount AS monthly_amount \
         FROM ({plans}) AS q JOIN organizations AS o ON o.id = q.organization_id {clocks} \
         WHERE {moment} IS NOT NULL AND {moment} <= {now}",
        month = t.month(&when),
        year = t.fiscal_year(&when),
        plans = plans(t),
        clocks = t.clocks(&moment),
        now = t.clock(),
    )
}

pub(super) fn recurring_by_month(t: Dialect) -> String {
    let starts = turn(t, "started_at", "", ["1", "0", "0", "0"]);
    let stops = turn(
        t,
        "stopped_at",
        "-",
        [
            "0",
            "CASE WHEN q.status IN ('canceled', 'ended') THEN 1 ELSE 0 END",
            "CASE WHEN q.status NOT IN ('canceled', 'ended', 'active', 'paused') \
             THEN 1 ELSE 0 END",
            "CASE WHEN q.status IN ('active', 'paused') THEN 1 ELSE 0 END",
        ],
    );
    let before = "LAG(g.donor_amount) OVER (PARTITION BY g.organization_id, g.recurring_plan_id, \
                  g.donor_currency_code ORDER BY g.purchased_at, g.transaction_id)";
    let charges = format!(
        "SELECT k.organization_id, k.gift_month, k.fiscal_year, 0 AS started, 0 AS stopped, \
         0 AS failed, 0 AS paused, CASE WHEN k.donor_amount > k.amount_before THEN 1 ELSE 0 END \
         AS upgraded, CASE WHEN k.donor_amount < k.amount_before THEN 1 ELSE 0 END AS downgraded, \
         1 AS charges, k.amount AS charged_amount, 0 AS plans, 0 AS monthly_amount \
         FROM (SELECT g.organization_id, g.gift_month, g.fiscal_year, g.amount, g.donor_amount, \
          {before} AS amount_before FROM gifts AS g \
          WHERE g.recurring_plan_id IS NOT NULL AND g.gift_month IS NOT NULL) AS k"
    );
    let count = |column: &str| format!("{} AS {column}", t.whole(&format!("SUM(e.{column})")));
    let over = "PARTITION BY m.organization_id ORDER BY m.gift_month";
    format!(
        "SELECT m.organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, m.gift_month, m.fiscal_year, m.started, m.stopped, \
         m.failed, m.paused, m.upgraded, m.downgraded, {plans} AS plans_at_end, \
         {monthly} AS monthly_amount_at_end, m.charges, m.charged_amount \
         FROM (SELECT e.organization_id, e.gift_month, e.fiscal_year, {started}, {stopped}, \
          {failed}, {paused}, {upgraded}, {downgraded}, {charges_of}, \
          {charged} AS charged_amount, {turns}, {worth} AS monthly_amount \
          FROM ({starts} UNION ALL {stops} UNION ALL {charges}) AS e \
          GROUP BY e.organization_id, e.gift_month, e.fiscal_year) AS m \
         JOIN organizations AS o ON o.id = m.organization_id",
        plans = t.whole(&format!("SUM(m.plans) OVER ({over})")),
        monthly = t.running("m.monthly_amount", over),
        started = count("started"),
        stopped = count("stopped"),
        failed = count("failed"),
        paused = count("paused"),
        upgraded = count("upgraded"),
        downgraded = count("downgraded"),
        charges_of = count("charges"),
        charged = t.total("e.charged_amount"),
        turns = count("plans"),
        worth = t.total("e.monthly_amount"),
    )
}
