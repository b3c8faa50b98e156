//! Who gives again and who does not, by fiscal year.

use crate::dialect::Dialect;

/// Who an organization is, in views about its donors.
const WHO: &str = "c.organization_id, c.classy_organization_id, c.organization_name";

/// Supporters that count.
fn present(t: Dialect) -> String {
    t.mostly(&format!("{} AND s.absent_since IS NULL", t.no("s.is_stub")))
}

/// What each supporter gave in each fiscal year, with the years before and after in which they
/// gave.
pub(super) fn donor_years(t: Dialect) -> String {
    let person = "PARTITION BY d.organization_id, d.supporter_id";
    format!(
        "SELECT d.organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, d.supporter_id, d.fiscal_year, d.gifts, d.amount, \
         MIN(d.fiscal_year) OVER ({person}) AS first_year, \
         LAG(d.fiscal_year) OVER ({person} ORDER BY d.fiscal_year) AS previous_year, \
         LEAD(d.fiscal_year) OVER ({person} ORDER BY d.fiscal_year) AS next_year \
         FROM (SELECT g.organization_id, g.supporter_id, g.fiscal_year, COUNT(*) AS gifts, \
          {amount} AS amount FROM gifts AS g WHERE g.supporter_id IS NOT NULL \
          AND g.fiscal_year IS NOT NULL \
          GROUP BY g.organization_id, g.supporter_id, g.fiscal_year) AS d \
         JOIN organizations AS o ON o.id = d.organization_id",
        amount = t.total("g.amount"),
    )
}

/// New, kept, regained and lost donors. Each year of a donor is a row of that year, and one of the
/// next as lost where there is no gift in it.
pub(super) fn donor_retention(t: Dialect) -> String {
    let new = "s.step = 0 AND y.previous_year IS NULL";
    let kept = "s.step = 0 AND y.previous_year = y.fiscal_year - 1";
    let regained = "s.step = 0 AND y.previous_year < y.fiscal_year - 1";
    let count = |which: &str| format!("COUNT(CASE WHEN {which} THEN 1 END)");
    let sum = |which: &str| t.total(&format!("CASE WHEN {which} THEN y.amount ELSE 0 END"));
    format!(
        "SELECT {WHO}, r.fiscal_year, r.fiscal_year < c.this_fiscal_year AS is_over, r.donors, \
         r.new_donors, r.kept_donors, r.regained_donors, r.lost_donors, \
         {percent} AS retention_percent, r.amount, r.new_amount, r.kept_amount, \
         r.regained_amount, r.lost_amount \
         FROM organization_calendar AS c JOIN (SELECT y.organization_id, \
          y.fiscal_year + s.step AS fiscal_year, {donors} AS donors, {new_donors} AS new_donors, \
          {kept_donors} AS kept_donors, {regained_donors} AS regained_donors, \
          {lost_donors} AS lost_donors, {amount} AS amount, {new_amount} AS new_amount, \
          {kept_amount} AS kept_amount, {regained_amount} AS regained_amount, \
          {lost_amount} AS lost_amount \
          FROM donor_years AS y CROSS JOIN (SELECT 0 AS step UNION ALL SELECT 1 AS step) AS s \
          WHERE s.step = 0 OR y.next_year IS NULL OR y.next_year > y.fiscal_year + 1 \
          GROUP BY y.organization_id, y.fiscal_year + s.step) AS r \
          ON r.organization_id = c.organization_id AND r.fiscal_year <= c.this_fiscal_year",
        percent = t.percent("r.kept_donors", "(r.kept_donors + r.lost_donors)"),
        donors = count("s.step = 0"),
        new_donors = count(new),
        kept_donors = count(kept),
        regained_donors = count(regained),
        lost_donors = count("s.step = 1"),
        amount = sum("s.step = 0"),
        new_amount = sum(new),
        kept_amount = sum(kept),
        regained_amount = sum(regained),
        lost_amount = sum("s.step = 1"),
    )
}

/// Whose last year of giving is over, with the years since.
fn unfortunately(t: Dialect, which: &str) -> String {
    format!(
        "SELECT {WHO}, s.id AS supporter_id, s.email_address, s.first_name, s.last_name, \
         s.email_opt_in, y.first_year AS first_fiscal_year, y.fiscal_year AS last_fiscal_year, \
         c.this_fiscal_year - y.fiscal_year AS years_since, y.gifts AS last_year_gifts, \
         y.amount AS last_year_amount, s.lifetime_donation_amount AS lifetime_amount, \
         s.last_donation_at AS last_gift_at \
         FROM organization_calendar AS c {lookup} donor_years AS y \
          ON y.organization_id = c.organization_id AND y.next_year IS NULL AND {which} \
         {lookup} supporters AS s{by_key} ON s.id = y.supporter_id \
          AND {tenant} = y.organization_id WHERE {present}",
        lookup = t.lookup(),
        by_key = t.by_key(),
        tenant = t.beside_key("s.organization_id"),
        present = present(t),
    )
}

/// Who gave last year but unfortunately not this.
pub(super) fn donors_lybunt(t: Dialect) -> String {
    unfortunately(t, "y.fiscal_year = c.this_fiscal_year - 1")
}

/// Who gave in some year but unfortunately not this: last year's, too.
pub(super) fn donors_sybunt(t: Dialect) -> String {
    unfortunately(t, "y.fiscal_year < c.this_fiscal_year")
}

/// Of those whose first gift was in one year, how many gave in each year since, and how much.
pub(super) fn donor_cohorts(t: Dialect) -> String {
    let first = "MAX(CASE WHEN k.fiscal_year = k.cohort THEN k.donors END) \
                 OVER (PARTITION BY k.organization_id, k.cohort)";
    format!(
        "SELECT f.organization_id, o.classy_id AS classy_organization_id, \
         o.name AS organization_name, f.cohort, f.fiscal_year, \
         f.fiscal_year - f.cohort AS years_since, f.cohort_donors, f.donors, \
         {percent} AS percent_of_cohort, f.amount \
         FROM (SELECT k.organization_id, k.cohort, k.fiscal_year, k.donors, k.amount, \
          {first} AS cohort_donors FROM (SELECT y.organization_id, y.first_year AS cohort, \
           y.fiscal_year, COUNT(*) AS donors, {amount} AS amount FROM donor_years AS y \
           GROUP BY y.organization_id, y.first_year, y.fiscal_year) AS k) AS f \
         JOIN organizations AS o ON o.id = f.organization_id",
        percent = t.percent("f.donors", "f.cohort_donors"),
        amount = t.total("y.amount"),
    )
}

/// How lately, how often and how much each donor gives, each from 1 to 5 within the organization.
/// Whoever is alike gets the same: a place is that of the first of those that are alike.
pub(super) fn donor_rfm(t: Dialect) -> String {
    let score = |order: &str| {
        format!(
            "1 + {}",
            t.quotient(
                &format!(
                    "5 * (RANK() OVER (PARTITION BY d.organization_id ORDER BY d.{order}) - 1)"
                ),
                "COUNT(*) OVER (PARTITION BY d.organization_id)"
            )
        )
    };
    format!(
        "SELECT {WHO}, r.supporter_id, r.email_address, r.first_name, r.last_name, \
         r.email_opt_in, r.last_gift_day, {days} AS days_since_last_gift, r.gifts, r.amount, \
         r.recency, r.frequency, r.monetary, {digits} AS rfm \
         FROM (SELECT d.organization_id, d.supporter_id, d.email_address, d.first_name, \
          d.last_name, d.email_opt_in, d.last_gift_day, d.gifts, d.amount, \
          {recency} AS recency, {frequency} AS frequency, {monetary} AS monetary \
          FROM (SELECT b.organization_id, b.supporter_id, s.email_address, s.first_name, \
           s.last_name, s.email_opt_in, b.last_gift_day, b.gifts, b.amount \
           FROM (SELECT g.organization_id, g.supporter_id, MAX(g.gift_day) AS last_gift_day, \
            COUNT(*) AS gifts, {amount} AS amount FROM gifts AS g \
            WHERE g.supporter_id IS NOT NULL AND g.gift_day IS NOT NULL \
            GROUP BY g.organization_id, g.supporter_id) AS b \
           {lookup} supporters AS s{by_key} ON s.id = b.supporter_id \
            AND {tenant} = b.organization_id WHERE {present}) AS d) AS r \
         JOIN organization_calendar AS c ON c.organization_id = r.organization_id",
        days = t.days("r.last_gift_day", "c.today"),
        digits = t.digits(["r.recency", "r.frequency", "r.monetary"]),
        recency = score("last_gift_day"),
        frequency = score("gifts"),
        monetary = score("amount"),
        amount = t.total("g.amount"),
        lookup = t.lookup(),
        by_key = t.by_key(),
        tenant = t.beside_key("s.organization_id"),
        present = present(t),
    )
}
