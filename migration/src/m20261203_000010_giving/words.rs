//! What these views ask the three databases in different words.

use crate::dialect::Dialect;

/// A moment on the clocks of an organization's zone: an expression of the moment, and one of the
/// seconds that these clocks are ahead of UTC then.
pub(super) struct Local<'a> {
    pub(super) at: &'a str,
    pub(super) offset: &'a str,
}

impl Dialect {
    /// The years of UTC, by which `zone_years` is looked up.
    fn utc_year(self, moment: &str) -> String {
        match self {
            Dialect::Sqlite => format!("CAST(SUBSTR({moment}, 1, 4) AS INTEGER)"),
            Dialect::Postgres => {
                format!("CAST(EXTRACT(YEAR FROM {moment} AT TIME ZONE 'UTC') AS BIGINT)")
            }
            Dialect::MySql => format!("YEAR({moment})"),
        }
    }

    /// The row of `zone_years` that is in force at a moment, as `z`, for organization `o`; none
    /// where the zone is not known, which is UTC.
    pub(super) fn clocks(self, moment: &str) -> String {
        let year = self.utc_year(moment);
        match self {
            // A question for each moment, which PostgreSQL answers by the key: without statistics
            // it would take a zone's rows for a few, and read them all each time.
            Dialect::Postgres => format!(
                "LEFT JOIN LATERAL (SELECT y.offset_s FROM zone_years AS y \
                 WHERE y.time_zone = o.timezone AND y.year = {year} AND y.from_at <= {moment} \
                 AND y.until_at > {moment} OFFSET 0) AS z ON TRUE"
            ),
            _ => format!(
                "LEFT JOIN zone_years AS z ON z.time_zone = o.timezone AND z.year = {year} \
                 AND z.from_at <= {moment} AND z.until_at > {moment}"
            ),
        }
    }

    /// A condition that most rows meet. Without statistics PostgreSQL takes the rows that meet a
    /// comparison for very few, and looks each up in everything else; of this it takes half.
    pub(super) fn mostly(self, condition: &str) -> String {
        match self {
            Dialect::Postgres => format!("CASE WHEN {condition} THEN TRUE ELSE FALSE END"),
            _ => condition.to_owned(),
        }
    }

    /// How rows are looked up in the next table by its key, after those that were named before:
    /// left to themselves SQLite and MySQL may begin at the other end.
    pub(super) const fn lookup(self) -> &'static str {
        match self {
            Dialect::Sqlite => "CROSS JOIN",
            Dialect::Postgres => "JOIN",
            Dialect::MySql => "STRAIGHT_JOIN",
        }
    }

    /// The organization of rows that are looked up by their id: PostgreSQL gets it as no index
    /// serves it, for the same reason as MySQL gets `by_key`.
    pub(super) fn beside_key(self, column: &str) -> String {
        match self {
            Dialect::Postgres => format!("{column} + 0"),
            _ => column.to_owned(),
        }
    }

    /// The key to look rows up by, for MySQL, which takes any index that begins with the
    /// organization for as good.
    pub(super) const fn by_key(self) -> &'static str {
        match self {
            Dialect::MySql => " FORCE INDEX (PRIMARY)",
            _ => "",
        }
    }

    /// The day of a moment.
    pub(super) fn day(self, local: &Local) -> String {
        let Local { at, offset } = local;
        match self {
            Dialect::Sqlite => format!("DATE({at}, {offset} || ' seconds')"),
            Dialect::Postgres => format!("CAST({} AS DATE)", self.shown(local)),
            Dialect::MySql => format!("DATE({})", self.shown(local)),
        }
    }

    /// What the clocks show at a moment.
    fn shown(self, Local { at, offset }: &Local) -> String {
        match self {
            Dialect::Sqlite => format!("DATETIME({at}, {offset} || ' seconds')"),
            Dialect::Postgres => {
                format!("(({at}) AT TIME ZONE 'UTC' + {offset} * INTERVAL '1 second')")
            }
            Dialect::MySql => format!("({at} + INTERVAL {offset} SECOND)"),
        }
    }

    /// The month of a moment: `2026-01`.
    pub(super) fn month(self, local: &Local) -> String {
        match self {
            Dialect::Sqlite => {
                format!(
                    "STRFTIME('%Y-%m', {}, {} || ' seconds')",
                    local.at, local.offset
                )
            }
            Dialect::Postgres => format!("TO_CHAR({}, 'YYYY-MM')", self.shown(local)),
            Dialect::MySql => format!("DATE_FORMAT({}, '%Y-%m')", self.shown(local)),
        }
    }

    /// The fiscal year of a moment, by the month with which the organization's begin: the year in
    /// which it ends.
    pub(super) fn fiscal_year(self, local: &Local) -> String {
        // Moved on by the months that lie before the first: December of the fiscal year is then
        // December of a year. A day that its new month does not have moves at most into the next
        // month, and December has them all.
        let months = "((13 - o.fiscal_year_starts) % 12)";
        match self {
            Dialect::Sqlite => format!(
                "CAST(STRFTIME('%Y', {}, {} || ' seconds', {months} || ' months') AS INTEGER)",
                local.at, local.offset
            ),
            Dialect::Postgres => format!(
                "CAST(EXTRACT(YEAR FROM {} + {months} * INTERVAL '1 month') AS BIGINT)",
                self.shown(local)
            ),
            Dialect::MySql => format!("YEAR({} + INTERVAL {months} MONTH)", self.shown(local)),
        }
    }

    /// The database's clock.
    pub(super) const fn clock(self) -> &'static str {
        match self {
            Dialect::Sqlite => "STRFTIME('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
            Dialect::Postgres => "CURRENT_TIMESTAMP",
            Dialect::MySql => "UTC_TIMESTAMP()",
        }
    }

    /// Days from one day to another.
    pub(super) fn days(self, from: &str, to: &str) -> String {
        match self {
            Dialect::Sqlite => format!("CAST(JULIANDAY({to}) - JULIANDAY({from}) AS INTEGER)"),
            Dialect::Postgres => format!("CAST({to} - {from} AS BIGINT)"),
            Dialect::MySql => format!("CAST(DATEDIFF({to}, {from}) AS SIGNED)"),
        }
    }

    /// A sum of amounts, exact: SQLite adds whole ten-thousandths, not floats.
    pub(super) fn total(self, amount: &str) -> String {
        match self {
            Dialect::Sqlite => format!("{} / 10000.0", self.units(amount)),
            _ => format!("COALESCE(SUM({amount}), 0)"),
        }
    }

    /// A running sum of amounts.
    pub(super) fn running(self, amount: &str, over: &str) -> String {
        match self {
            Dialect::Sqlite => {
                format!("SUM(CAST(ROUND({amount} * 10000) AS INTEGER)) OVER ({over}) / 10000.0")
            }
            _ => format!("SUM({amount}) OVER ({over})"),
        }
    }

    fn units(self, amount: &str) -> String {
        format!("COALESCE(SUM(CAST(ROUND({amount} * 10000) AS INTEGER)), 0)")
    }

    /// A whole number.
    pub(super) fn whole(self, number: &str) -> String {
        match self {
            Dialect::Sqlite => format!("CAST({number} AS INTEGER)"),
            Dialect::Postgres => format!("CAST({number} AS BIGINT)"),
            Dialect::MySql => format!("CAST({number} AS SIGNED)"),
        }
    }

    /// A quotient of whole numbers, without its fraction.
    pub(super) fn quotient(self, dividend: &str, divisor: &str) -> String {
        match self {
            Dialect::MySql => format!("({dividend}) DIV ({divisor})"),
            _ => format!("({dividend}) / ({divisor})"),
        }
    }

    /// How many percent one number is of another, to two decimals; NULL of nothing.
    pub(super) fn percent(self, part: &str, whole: &str) -> String {
        match self {
            Dialect::Sqlite => {
                format!("ROUND(CAST(({part}) * 100 AS REAL) / NULLIF({whole}, 0), 2)")
            }
            Dialect::Postgres => {
                format!("ROUND(CAST(({part}) * 100 AS NUMERIC) / NULLIF({whole}, 0), 2)")
            }
            Dialect::MySql => format!("ROUND(({part}) * 100 / NULLIF({whole}, 0), 2)"),
        }
    }

    /// An average of amounts, to two decimals.
    pub(super) fn average(self, sum: &str, count: &str) -> String {
        match self {
            Dialect::Sqlite => format!("ROUND(CAST({sum} AS REAL) / NULLIF({count}, 0), 2)"),
            _ => format!("ROUND({sum} / NULLIF({count}, 0), 2)"),
        }
    }

    /// A flag that is not set.
    pub(super) fn no(self, flag: &str) -> String {
        match self {
            Dialect::Postgres => format!("NOT {flag}"),
            _ => format!("{flag} = 0"),
        }
    }

    /// Numbers as text after each other.
    pub(super) fn digits(self, numbers: [&str; 3]) -> String {
        let [a, b, c] = numbers;
        match self {
            Dialect::Sqlite => format!("{a} || {b} || {c}"),
            _ => format!("CONCAT({a}, {b}, {c})"),
        }
    }
}
