//! A part of a list that is read by pages.

/// Which rows of a list, in the list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Only those with a smaller id.
    pub before: Option<i64>,
    /// So many are passed over.
    pub skipped: u64,
    /// So many at most.
    pub limit: u64,
}

impl Slice {
    /// The first so many.
    pub const fn first(limit: u64) -> Slice {
        Slice {
            before: None,
            skipped: 0,
            limit,
        }
    }
}
