//! What the views ask the three databases in different words.

pub(super) use crate::dialect::Dialect;

impl Dialect {
    /// Days since a moment, as the organization of `owner` (a table's name in the question) counts
    /// them.
    pub(super) fn days_since(self, owner: &str, moment: &str) -> String {
        self.days_between(owner, moment, self.now())
    }

    /// Days between two moments by the calendar of the organization of `owner`.
    pub(super) fn days_between(self, owner: &str, from: &str, to: &str) -> String {
        let (from, to) = (self.local_day(owner, from), self.local_day(owner, to));
        match self {
            Dialect::Postgres => format!("CAST(({to} - {from}) AS BIGINT)"),
            Dialect::MySql => format!("CAST(DATEDIFF({to}, {from}) AS SIGNED)"),
            Dialect::Sqlite => format!("CAST(julianday({to}) - julianday({from}) AS INTEGER)"),
        }
    }

    /// Seconds that the clocks of the organization of `owner` are ahead of UTC at a moment; none
    /// where its zone is not known.
    fn offset(owner: &str, moment: &str) -> String {
        format!(
            "COALESCE((SELECT z.offset_s FROM organizations AS o JOIN zone_clocks AS z ON z.time_zone = o.timezone \
             WHERE o.id = {owner}.organization_id AND z.from_at <= {moment} ORDER BY z.from_at DESC LIMIT 1), 0)"
        )
    }

    fn local_day(self, owner: &str, moment: &str) -> String {
        let offset = Dialect::offset(owner, moment);
        match self {
            Dialect::Postgres => format!(
                "CAST(({moment}) AT TIME ZONE 'UTC' + {offset} * INTERVAL '1 second' AS DATE)"
            ),
            Dialect::MySql => format!("DATE(({moment}) + INTERVAL {offset} SECOND)"),
            Dialect::Sqlite => format!("date({moment}, {offset} || ' seconds')"),
        }
    }

    /// When the twelve months began that end with today, by the calendar of the organization of
    /// `owner`.
    pub(super) fn year_ago(self, owner: &str) -> String {
        let (today, now) = (self.local_day(owner, self.now()), self.now());
        match self {
            Dialect::Postgres => {
                let offset = Dialect::offset(owner, "CURRENT_TIMESTAMP - INTERVAL '12 months'");
                format!(
                    "(({today} - INTERVAL '12 months' + INTERVAL '1 day' - {offset} * INTERVAL '1 second') AT TIME ZONE 'UTC')"
                )
            }
            Dialect::MySql => {
                let offset = Dialect::offset(owner, &format!("{now} - INTERVAL 12 MONTH"));
                format!("({today} - INTERVAL 12 MONTH + INTERVAL 1 DAY - INTERVAL {offset} SECOND)")
            }
            Dialect::Sqlite => {
                let offset = Dialect::offset(
                    owner,
                    "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '-12 months')",
                );
                format!(
                    "strftime('%Y-%m-%dT%H:%M:%S+00:00', {today}, '-12 months', '+1 day', (0 - {offset}) || ' seconds')"
                )
            }
        }
    }

    /// The database's clock.
    pub(super) const fn now(self) -> &'static str {
        match self {
            Dialect::Postgres => "CURRENT_TIMESTAMP",
            Dialect::MySql => "UTC_TIMESTAMP()",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')",
        }
    }

    /// A sum of amounts, exact: SQLite adds whole ten-thousandths, not floats.
    pub(super) fn sum(self, amount: &str) -> String {
        match self {
            Dialect::Sqlite => {
                format!("COALESCE(SUM(CAST(ROUND({amount} * 10000) AS INTEGER)), 0) / 10000.0")
            }
            _ => format!("COALESCE(SUM({amount}), 0)"),
        }
    }

    /// A quotient rounded to two decimals; NULL when the divisor is 0 or NULL.
    pub(super) fn ratio(self, dividend: &str, divisor: &str) -> String {
        match self {
            Dialect::Sqlite => format!("ROUND(CAST({dividend} AS REAL) / NULLIF({divisor}, 0), 2)"),
            Dialect::Postgres => {
                format!("ROUND(CAST({dividend} AS NUMERIC) / NULLIF({divisor}, 0), 2)")
            }
            Dialect::MySql => format!("ROUND({dividend} / NULLIF({divisor}, 0), 2)"),
        }
    }

    /// The index to look a table's rows up by, for MySQL, which takes no other hint.
    pub(super) fn by_index(self, name: &str) -> String {
        match self {
            Dialect::MySql => format!(" FORCE INDEX ({name})"),
            _ => String::new(),
        }
    }

    /// A column that no index shall serve. (PostgreSQL knows a table's size without statistics, and
    /// chooses well.)
    pub(super) fn unindexed(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("+{column}"),
            _ => column.to_owned(),
        }
    }

    /// A flag that is not set.
    pub(super) fn not(self, flag: &str) -> String {
        match self {
            Dialect::Postgres => format!("NOT {flag}"),
            _ => format!("{flag} = 0"),
        }
    }

    /// A flag that is set; NULL is not.
    pub(super) fn is(self, flag: &str) -> String {
        match self {
            Dialect::Postgres => format!("{flag} IS TRUE"),
            _ => format!("{flag} = 1"),
        }
    }
}
