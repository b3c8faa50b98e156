//! The four views that analysts read.
//!
//! Stubs and records that are gone at the source are left out. A gift is a transaction with status
//! `success` that is still at the source; amounts are in the organization's currency, and days are
//! those of its time zone. Tiers and states are the words of the main crate's `domain::segment`; a
//! test compares them.
//!
//! A supporter's or a campaign's gifts and plans are looked up by the index of that link, and
//! nothing else is left to the database to choose: right after a load it has no statistics, takes
//! any index that begins with the organization for as good, and walks all of the organization's
//! rows for each supporter (six minutes for 100,000 gifts). The lookups also keep a question about
//! one organization from reading all others'.

use super::dialect::Dialect;

/// Name and body of each, in an order in which they can be made.
pub(super) fn all(dialect: Dialect) -> [(&'static str, String); 4] {
    [
        ("supporter_summary", supporter_summary(dialect)),
        ("campaign_performance", campaign_performance(dialect)),
        (
            "donor_value_distribution",
            donor_value_distribution(dialect),
        ),
        (
            "donor_engagement_distribution",
            donor_engagement_distribution(dialect),
        ),
    ]
}

const DONOR_SEGMENT: &str = "CASE WHEN s.lifetime_donation_amount >= 10000 THEN 'Transformational' \
     WHEN s.lifetime_donation_amount >= 5000 THEN 'Principal' WHEN s.lifetime_donation_amount >= 1000 THEN 'Major' \
     WHEN s.lifetime_donation_amount >= 500 THEN 'Mid-Level' WHEN s.lifetime_donation_amount >= 100 THEN 'Regular' \
     WHEN s.lifetime_donation_amount > 0 THEN 'Small' ELSE 'None' END";

/// The active plans of supporter `s`, as what follows SELECT and its list.
fn active_plans(dialect: Dialect) -> String {
    format!(
        "FROM recurring_plans AS p{} WHERE p.organization_id = s.organization_id AND p.supporter_id = s.id AND p.status = 'active' \
         AND {} AND p.absent_since IS NULL",
        dialect.by_index("recurring_plans_supporter"),
        dialect.not("p.is_paused")
    )
}

/// The gifts and refunds of campaign `c`, as what follows SELECT and its list.
fn campaign_gifts(dialect: Dialect) -> String {
    format!(
        "FROM transactions AS t{} WHERE t.organization_id = c.organization_id AND t.campaign_id = c.id AND t.absent_since IS NULL",
        dialect.by_index("transactions_campaign")
    )
}

fn engagement(dialect: Dialect) -> String {
    let days = dialect.days_since("s", "s.last_donation_at");
    format!(
        "CASE WHEN EXISTS (SELECT 1 {plan}) THEN 'Active Recurring' \
         WHEN s.last_donation_at IS NULL THEN 'Never' WHEN {days} <= 30 THEN 'Recent' WHEN {days} <= 90 THEN 'Active' \
         WHEN {days} <= 180 THEN 'Warm' WHEN {days} <= 365 THEN 'Cooling' WHEN {days} <= 730 THEN 'Lapsed' ELSE 'Dormant' END",
        plan = active_plans(dialect)
    )
}

/// Supporters that count.
fn present(dialect: Dialect) -> String {
    format!("{} AND s.absent_since IS NULL", dialect.not("s.is_stub"))
}

fn supporter_summary(dialect: Dialect) -> String {
    format!(
        "SELECT s.organization_id, s.id AS supporter_id, s.email_address, s.first_name, s.last_name, s.phone, s.city, s.state, s.postal_code, \
         s.country, s.email_opt_in, s.consent_decided_at, s.lifetime_donation_amount, s.lifetime_donation_count, \
         {average} AS average_gift, s.largest_donation_amount, s.first_donation_at, s.last_donation_at, \
         {days} AS days_since_last_gift, \
         (SELECT COUNT(*) FROM transactions AS t{by_supporter} WHERE t.organization_id = s.organization_id AND t.supporter_id = s.id \
          AND t.status = 'success' AND t.absent_since IS NULL AND {purchased_at} >= {year_ago}) AS gifts_last_12_months, \
         s.monthly_recurring_amount, (SELECT COUNT(*) {plan}) AS active_plans, \
         {DONOR_SEGMENT} AS donor_segment, {engagement} AS engagement_status, \
         CASE WHEN EXISTS (SELECT 1 {plan}) THEN 'Recurring' \
          WHEN s.lifetime_donation_count > 0 THEN 'One-time' ELSE 'None' END AS giving_type \
         FROM supporters AS s WHERE {present}",
        average = dialect.ratio("s.lifetime_donation_amount", "s.lifetime_donation_count"),
        days = dialect.days_since("s", "s.last_donation_at"),
        by_supporter = dialect.by_index("transactions_supporter"),
        purchased_at = dialect.unindexed("t.purchased_at"),
        year_ago = dialect.year_ago("s"),
        plan = active_plans(dialect),
        engagement = engagement(dialect),
        present = present(dialect),
    )
}

fn campaign_performance(dialect: Dialect) -> String {
    let end = format!(
        "CASE WHEN c.ended_at IS NULL OR c.ended_at > {now} THEN {now} ELSE c.ended_at END",
        now = dialect.now()
    );
    // The first day counts.
    let days = format!(
        "CASE WHEN c.started_at > {} THEN 0 ELSE {} + 1 END",
        dialect.now(),
        dialect.days_between("c", "c.started_at", &format!("({end})"))
    );
    format!(
        "SELECT c.organization_id, c.id AS campaign_id, c.name, c.status, c.currency_code, c.goal, c.total_raised AS raised, \
         {percent} AS percent_of_goal, c.donors_count AS donors, c.transactions_count AS gifts, {average} AS average_gift, \
         (SELECT COUNT(*) {gifts} AND t.status = 'refunded') AS refunds, \
         (SELECT {net} {gifts} AND t.status = 'success') AS net_after_fees, c.started_at, c.ended_at, \
         {days} AS days_running, {per_day} AS raised_per_day \
         FROM campaigns AS c WHERE {not_stub} AND c.absent_since IS NULL",
        percent = dialect.ratio("c.total_raised * 100", "c.goal"),
        average = dialect.ratio("c.total_raised", "c.transactions_count"),
        per_day = dialect.ratio("c.total_raised", &format!("({days})")),
        gifts = campaign_gifts(dialect),
        net = dialect.sum("t.donation_net_amount"),
        not_stub = dialect.not("c.is_stub"),
    )
}

fn donor_value_distribution(dialect: Dialect) -> String {
    format!(
        "SELECT d.organization_id, d.donor_segment, d.supporters, d.total, {average} AS average, {share} AS share_of_giving, d.monthly_recurring \
         FROM (SELECT s.organization_id, {DONOR_SEGMENT} AS donor_segment, COUNT(*) AS supporters, {total} AS total, \
          {monthly} AS monthly_recurring FROM supporters AS s WHERE {present} GROUP BY s.organization_id, {DONOR_SEGMENT}) AS d",
        average = dialect.ratio("d.total", "d.supporters"),
        share = dialect.ratio(
            "d.total * 100",
            "SUM(d.total) OVER (PARTITION BY d.organization_id)"
        ),
        total = dialect.sum("s.lifetime_donation_amount"),
        monthly = dialect.sum("s.monthly_recurring_amount"),
        present = present(dialect),
    )
}

fn donor_engagement_distribution(dialect: Dialect) -> String {
    format!(
        "SELECT e.organization_id, e.engagement_status, COUNT(*) AS supporters, {total} AS total, {average} AS average_gift, \
         SUM(CASE WHEN {opted_in} THEN 1 ELSE 0 END) AS opted_in \
         FROM (SELECT s.organization_id, s.email_opt_in, s.lifetime_donation_amount, s.lifetime_donation_count, {engagement} AS engagement_status \
          FROM supporters AS s WHERE {present}) AS e GROUP BY e.organization_id, e.engagement_status",
        total = dialect.sum("e.lifetime_donation_amount"),
        average = dialect.ratio(
            &dialect.sum("e.lifetime_donation_amount"),
            "SUM(e.lifetime_donation_count)"
        ),
        opted_in = dialect.is("e.email_opt_in"),
        engagement = engagement(dialect),
        present = present(dialect),
    )
}
