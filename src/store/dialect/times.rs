//! Moments and days. SQLite keeps a moment as a text, which sorts as moments do; all of them are
//! UTC.

use super::{Database, Dialect};
use crate::domain::Time;
use sea_orm::Value;

impl Dialect {
    /// The database's own clock.
    pub(crate) const fn now(self) -> &'static str {
        match self.0 {
            Database::Postgres => "clock_timestamp()",
            Database::MySql => "UTC_TIMESTAMP(6)",
            Database::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
        }
    }

    /// A moment as text; equal moments have equal texts, and texts sort as moments do.
    pub(crate) fn time_text(self, time: Time) -> String {
        match self.0 {
            Database::MySql => time.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            Database::Sqlite | Database::Postgres => {
                time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
            }
        }
    }

    /// A moment of any year as a parameter: as text to MySQL, where one before 1970 is otherwise
    /// none.
    pub(crate) fn any_moment(self, at: Time) -> Value {
        match self.0 {
            Database::MySql => self.time_text(at).into(),
            Database::Sqlite | Database::Postgres => at.into(),
        }
    }

    /// Whether a column of moments holds texts, which are read back as they were written.
    pub(crate) const fn keeps_moments_as_texts(self) -> bool {
        matches!(self.0, Database::Sqlite)
    }

    /// The day of a moment as text, such as `2026-01-31`.
    pub(crate) fn day_of(self, column: &str) -> String {
        match self.0 {
            Database::Postgres => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
            Database::MySql => format!("DATE_FORMAT({column}, '%Y-%m-%d')"),
            Database::Sqlite => format!("substr({column}, 1, 10)"),
        }
    }

    /// The beginning of the hour that a moment is in, as a value of the column's type.
    pub(crate) fn start_of_hour(self, column: &str) -> String {
        match self.0 {
            Database::Postgres => format!("date_trunc('hour', {column}, 'UTC')"),
            Database::MySql => {
                format!("CAST(DATE_FORMAT({column}, '%Y-%m-%d %H:00:00') AS DATETIME(6))")
            }
            Database::Sqlite => format!("substr({column}, 1, 13) || ':00:00+00:00'"),
        }
    }

    /// The beginning of its day.
    pub(crate) fn start_of_day(self, column: &str) -> String {
        match self.0 {
            Database::Postgres => format!("date_trunc('day', {column}, 'UTC')"),
            Database::MySql => {
                format!("CAST(DATE_FORMAT({column}, '%Y-%m-%d 00:00:00') AS DATETIME(6))")
            }
            Database::Sqlite => format!("substr({column}, 1, 10) || 'T00:00:00+00:00'"),
        }
    }
}
