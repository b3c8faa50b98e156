//! Amounts and whole numbers: selected as what reads back alike everywhere, summed without loss,
//! and refused where the database would not keep them to the last digit.

use super::{Database, Dialect};
use crate::domain::Money;
use rust_decimal::Decimal;

/// SQLite's REAL holds fifteen significant digits: eleven before the point, four after.
pub(crate) const EXACT_BELOW: i64 = 100_000_000_000;

/// The first sum of which SQLite's REAL does not keep the fourth decimal: from 2^39 on its steps
/// are too wide.
const EXACT_SUM_BELOW: i64 = 500_000_000_000;

fn is_below(amount: Money, limit: i64) -> bool {
    amount.decimal().abs() < Decimal::from(limit)
}

impl Dialect {
    /// An integer expression that decodes as `i64` everywhere.
    pub(crate) fn as_bigint(self, expression: &str) -> String {
        let kind = match self.0 {
            Database::MySql => "SIGNED",
            Database::Sqlite | Database::Postgres => "BIGINT",
        };
        format!("CAST({expression} AS {kind})")
    }

    /// An expression as text.
    pub(crate) fn as_text(self, expression: &str) -> String {
        let kind = match self.0 {
            Database::MySql => "CHAR",
            Database::Sqlite | Database::Postgres => "TEXT",
        };
        format!("CAST({expression} AS {kind})")
    }

    /// An amount as text with four decimals.
    pub(crate) fn money_text(self, expression: &str) -> String {
        match self.0 {
            Database::Postgres | Database::MySql => self.as_text(expression),
            Database::Sqlite => format!(
                "CASE WHEN {expression} IS NULL THEN NULL ELSE printf('%.4f', {expression}) END"
            ),
        }
    }

    /// A column of amounts as something that can be compared with an
    /// [`exact_sum`](Self::exact_sum).
    pub(crate) fn exact(self, column: &str) -> String {
        match self.0 {
            // Whole ten-thousandths: a sum of floats need not equal itself.
            Database::Sqlite => format!("CAST(ROUND({column} * 10000) AS INTEGER)"),
            Database::Postgres | Database::MySql => column.to_owned(),
        }
    }

    /// A sum of amounts that is the same in whatever order they are added; 0 of none.
    pub(crate) fn exact_sum(self, column: &str) -> String {
        format!("COALESCE(SUM({}), 0)", self.exact(column))
    }

    /// A sum of amounts as text, exact on every database: SQLite adds whole ten-thousandths, not
    /// floats.
    pub(crate) fn sum_text(self, column: &str) -> String {
        let sum = self.exact_sum(column);
        match self.0 {
            Database::Postgres | Database::MySql => self.as_text(&sum),
            Database::Sqlite => format!("printf('%d', {sum}) || 'e-4'"),
        }
    }

    /// Why an amount would not be kept to the last digit, if it would not.
    pub(crate) fn too_large_amount(self, amount: Money) -> Option<&'static str> {
        match self.0 {
            Database::Sqlite if !is_below(amount, EXACT_BELOW) => {
                Some("more than SQLite holds exactly (11 digits)")
            }
            _ => None,
        }
    }

    /// The same of a sum of amounts.
    pub(crate) fn too_large_sum(self, sum: Money) -> Option<&'static str> {
        match self.0 {
            Database::Sqlite if !is_below(sum, EXACT_SUM_BELOW) => {
                Some("more than SQLite holds exactly (500 billion)")
            }
            _ => None,
        }
    }
}
