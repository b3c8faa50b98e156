//! Asks for pages. One that the source refuses for good is read in smaller parts, so that only the
//! rows stay unread that really cannot be read; they are counted and named, and the feed goes on
//! behind them.

use super::{Error, Run, Sink, Source};
use crate::classy;
use crate::domain::{Page, Query};
use crate::entities::Record;

/// Rows that fail one by one before the rest of a page of which nothing could be read is given up.
const HOPELESS: u32 = 20;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Asks for a page and counts it.
    pub(super) async fn fetch(
        &mut self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> Result<Page<R>, Error> {
        self.counts.requests += 1;
        // Where one page failed alone others will: the whole patience is spent once.
        let asked = match self.is_wary {
            true => self.source.part(query, page, per_page).await,
            false => self.source.page(query, page, per_page).await,
        };
        match asked {
            Ok(page) => {
                self.count_page(&page);
                Ok(page)
            }
            Err(error) => self.narrow(query, page, per_page, error).await,
        }
    }

    /// Reads what can be read of a page that failed.
    ///
    /// # Errors
    /// The page's own, when it concerns every request or nothing of the list's beginning can be
    /// read.
    pub(super) async fn narrow(
        &mut self,
        query: Query,
        number: u32,
        per_page: u32,
        failed: classy::Error,
    ) -> Result<Page<R>, Error> {
        let mut failed = failed;
        if matches!(failed, classy::Error::BreakerOpen { .. }) {
            // Pages beside it may have opened the breaker, and a control question closed it since.
            self.counts.requests += 1;
            match self.source.page(query, number, per_page).await {
                Ok(page) => {
                    self.count_page(&page);
                    return Ok(page);
                }
                Err(error) => failed = error,
            }
        }
        if !failed.may_be_of_one_request() {
            return Err(failed.into());
        }
        self.counts.requests += 1;
        let clocks = self.source.answers().await?;
        self.is_wary = true;
        let mut whole = Page::empty(clocks);
        let step = if per_page >= 20 && per_page % 10 == 0 {
            per_page / 10
        } else {
            1
        };
        let first = (number - 1) * per_page;
        let mut before = first;
        'parts: while before < first + per_page {
            for size in if step > 1 { vec![step, 1] } else { vec![1] } {
                let upto = (before + step).min(first + per_page);
                let mut place = before;
                while place < upto {
                    let Some(part) = self.part(query, place / size + 1, size).await? else {
                        if size > 1 {
                            break;
                        }
                        whole.unread += 1;
                        place += 1;
                        if whole.items.is_empty() && whole.unread >= u64::from(HOPELESS) {
                            break 'parts;
                        }
                        continue;
                    };
                    place += size;
                    let is_end = part.items.is_empty();
                    whole.total = whole.total.max(part.total);
                    whole.bytes += part.bytes;
                    whole.items.extend(part.items);
                    if is_end {
                        break 'parts;
                    }
                }
                before = before.max(place);
                if before >= upto {
                    break;
                }
            }
        }
        if whole.items.is_empty() && whole.unread > 0 {
            if number == 1 {
                return Err(failed.into());
            }
            whole.unread = u64::from(per_page);
        }
        if whole.unread > 0 {
            let after = whole.items.iter().filter_map(crate::domain::Item::id).max();
            let place = after.map_or_else(String::new, |id| format!(", around id {id}"));
            let note = format!("page {number} of {per_page} records{place}: {failed}");
            tracing::warn!(entity = %R::ENTITY, rows = whole.unread, note, "a page cannot be read; the others are");
            self.unread.add(whole.unread, &note);
        }
        Ok(whole)
    }

    /// A part of a page; nothing when it fails alone.
    async fn part(
        &mut self,
        query: Query,
        number: u32,
        per_page: u32,
    ) -> Result<Option<Page<R>>, Error> {
        self.counts.requests += 1;
        match self.source.part(query, number, per_page).await {
            Ok(page) => {
                self.count_page(&page);
                Ok(Some(page))
            }
            Err(error) if error.may_be_of_one_request() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
