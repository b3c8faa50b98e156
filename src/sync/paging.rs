//! Where a numbered reading of a list is: whether another page follows, and whether the list ends
//! at all.

use super::Error;
use crate::domain::Page;
use crate::entities::Record;

/// Rows that a window may grow by while it is read, beside four times what it told of: each may be
/// met twice.
pub(super) const GROWTH: u64 = 1_000;

/// Where a numbered reading of a list is: pages may be cut smaller than asked, with or without a
/// word, and a list may not end.
pub(super) struct Paging {
    pub(super) per_page: u32,
    shown: u64,
    /// What the first page told of: one that grows with each page bounds nothing.
    told: Option<u64>,
}

impl Paging {
    pub(super) const fn new(per_page: u32) -> Paging {
        Paging {
            per_page,
            shown: 0,
            told: None,
        }
    }

    /// Counts a page; answers whether another one follows. That a page has fewer rows than were
    /// asked for says nothing.
    pub(super) fn has_more<R: Record>(&mut self, page: &Page<R>, number: u32) -> bool {
        let rows = page.items.len() as u64 + page.unread;
        self.shown += rows;
        self.told = self.told.or(Some(page.total));
        let full = rows > 0 && rows >= u64::from(page.told_size(self.per_page));
        // A count below what the page itself shows is off, and says nothing of what follows.
        let is_off = page.total < rows - page.unread;
        full || is_off
            || page.total > self.shown
            || page.last_page.is_some_and(|last| last > number && rows > 0)
    }

    /// Whether it goes on and on.
    pub(super) fn check<R: Record>(&self) -> Result<(), Error> {
        let told = self.told.unwrap_or_default();
        if self.shown <= 4 * told + GROWTH {
            return Ok(());
        }
        Err(Error::Endless {
            entity: R::ENTITY,
            what: format!("{} rows were read where it told of {told}", self.shown),
        })
    }
}
