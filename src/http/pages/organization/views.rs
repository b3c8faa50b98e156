//! Cells of the database's views as pages show them.

use super::super::currency::{Currency, float};
use crate::store::Cell;

pub(super) fn text(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Int(number)) => number.to_string(),
        _ => "–".to_owned(),
    }
}

pub(super) fn whole(cell: Option<&Cell>) -> u64 {
    match cell {
        Some(Cell::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

pub(super) fn money(cell: Option<&Cell>, currency: &Currency) -> String {
    match cell {
        Some(Cell::Number(number)) => currency.whole(*number),
        _ => "–".to_owned(),
    }
}

/// A percentage as a share from 0 to 1.
pub(super) fn percent_of(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Number(percent)) => float(*percent) / 100.0,
        _ => 0.0,
    }
}
