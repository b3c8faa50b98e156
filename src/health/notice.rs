//! What is told about an alert, and why now.

use crate::store::AlertRow;

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Something is wrong.
    Opened,
    /// It is worse now.
    Worse,
    /// It is still so.
    Still,
    /// It is over.
    Resolved,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Why somebody is told now.
    pub occasion: Occasion,
    /// The alert as it is by now.
    pub alert: AlertRow,
    /// How often this notice was tried before.
    pub tries: u32,
}
