//! Charts as SVG, made here: readable without script, in light and dark, on paper, by keyboard and
//! by whoever hears them. Each says in words what it shows, and its numbers stand beside it.
//!
//! | what | where |
//! |---|---|
//! | round steps of an axis | `scale` |
//! | columns over time or sizes, several parts each | `columns` |
//! | a bar, a line without axes | `small` |

mod columns;
mod scale;
mod small;

pub(super) use columns::{Column, Columns, Part, Series};
pub(super) use small::{bar, progress, sparkline};

use super::currency::Currency;

/// What the numbers of a chart are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit<'a> {
    /// Amounts.
    Money(&'a Currency),
    /// Things that are counted: there are no halves.
    Count,
}

impl Unit<'_> {
    /// A number as it stands at an axis.
    fn short(self, value: f64) -> String {
        match self {
            Unit::Money(currency) => currency.short(value),
            Unit::Count => Currency::of("").short(value),
        }
    }
}
