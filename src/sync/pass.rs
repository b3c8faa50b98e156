//! The full pass: every record by rising id, pages fetched side by side and committed in order, resumable at its page.
//!
//! The list is live, so pages shift when records vanish. A stored record that no page showed becomes a suspect and is
//! asked for singly at the end. A record that is not stored yet may hide the same way; then the walk met fewer records than
//! there were at its beginning, and it is walked again until it met them all, or until two walks went alike.

use super::verify::Guard;
use super::window::date_of;
use super::{Error, Mark, Run, Sink, Source};
use crate::domain::{FeedState, Item, Page, Pass, PassStage, Query, Record, RunEnd, Walked};
use crate::store::{Batch, RowText};
use futures_util::{StreamExt, stream};
use std::collections::HashSet;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Walks of one pass at most: a list from which records vanish all the time must not hold the feed for ever.
const WALKS: u32 = 5;

/// A walk in progress: what was read and is not committed yet.
struct Walk<R> {
    state: FeedState,
    pass: Pass,
    items: Vec<Item<R>>,
    texts: Vec<Option<RowText>>,
    pages: usize,
    /// When the first of those pages came.
    since: Instant,
    /// The last id of the last committed page.
    committed_id: i64,
    guard: Guard,
    /// Stored records that this walk did not meet so far.
    missing: u64,
    /// Whether every page so far was in the order asked for: only then do id ranges mean something.
    ordered: bool,
    /// Rows met above `max_id`; `None` in a walk that was taken up again behind it.
    above: Option<u64>,
    /// The largest `total` that a page of this walk told.
    most: u64,
    done: bool,
}

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Begins a pass or goes on with the one that was begun.
    pub(super) async fn pass(&mut self, mut state: FeedState) -> Result<RunEnd, Error> {
        let mut first = None;
        loop {
            let Some(pass) = state.pass.clone() else {
                state.last_pass_id += 1;
                first = Some(self.plan(&mut state, None).await?);
                continue;
            };
            if pass.stage == PassStage::Verify {
                return self.verify(state, pass).await;
            }
            let (walked, done) = self.walk(state, pass, first.take()).await?;
            state = walked;
            if !done {
                return Ok(RunEnd::Stopped);
            }
            let Some(pass) = &mut state.pass else { continue };
            if hides(pass) {
                tracing::info!(entity = %R::ENTITY, met = pass.met, total = pass.total, "records may have hidden while they were read: reading again");
                let before = pass.clone();
                first = Some(self.plan(&mut state, Some(before)).await?);
            } else {
                pass.stage = PassStage::Verify;
                let committed = self.commit(Batch::of(Vec::new()).at(state.clone())).await?;
                state = committed.state.unwrap_or(state);
            }
        }
    }

    /// Looks at the first and the last page, so that the walk knows what it has to meet. Returns the first page.
    async fn plan(&mut self, state: &mut FeedState, before: Option<Pass>) -> Result<Page<R>, Error> {
        let per_page = self.settings.per_page;
        let mut first = self.fetch(Query::All, 1, per_page).await?;
        if first.items.is_empty() || first.total < first.items.len() as u64 {
            // Nothing at all may be a slip of the source, too, and fewer than it shows certainly is one.
            first = self.fetch(Query::All, 1, per_page).await?;
        }
        let (mut total, mut source_max) = (first.total, first.last_id());
        if first.items.len() >= per_page as usize {
            // A full page need not be the only one, whatever `total` says.
            let last_page = |total: u64| u32::try_from(total.div_ceil(u64::from(per_page))).unwrap_or(u32::MAX).max(2);
            let mut number = last_page(total);
            let mut last = self.fetch(Query::All, number, per_page).await?;
            if last_page(last.total) > number {
                number = last_page(last.total);
                last = self.fetch(Query::All, number, per_page).await?;
            }
            // A record that only this page knows of is to be met as well. And when it shows none, few records count as met, so
            // that the walk is planned and walked again.
            total = total.max(last.total);
            source_max = last.last_id().or(source_max);
        }
        let before = before.as_ref();
        state.pass = Some(Pass {
            started_at: before.map_or_else(|| date_of(first.date), |pass| pass.started_at),
            page: 1,
            per_page,
            last_id: 0,
            max_id: source_max.unwrap_or(0).max(self.sink.max_id().await?),
            total,
            met: 0,
            walks: before.map_or(1, |pass| pass.walks + 1),
            before: before.map(|pass| Walked { total: pass.total, met: pass.met }),
            stage: PassStage::Walk,
            missing: before.map_or(0, |pass| pass.missing),
            stale: before.map_or(0, |pass| pass.stale),
        });
        Ok(first)
    }

    /// Reads from the pass's page to the end. Answers whether the end was reached.
    async fn walk(&mut self, state: FeedState, pass: Pass, first: Option<Page<R>>) -> Result<(FeedState, bool), Error> {
        let (source, sink) = (self.source, self.sink);
        let (per_page, width) = (pass.per_page, source.concurrency().max(1));
        let known = u32::try_from(pass.total.div_ceil(u64::from(per_page))).unwrap_or(u32::MAX);
        let next = pass.page + u32::from(first.is_some());
        let guard = self.guard().await?;
        // What a walk that was interrupted did not meet is known from before.
        let missing = if pass.page == 1 { 0 } else { self.sink.suspects().await?.len() as u64 };
        // While one batch is committed the next is read.
        let (sender, mut receiver) = mpsc::channel(self.settings.commit_pages.max(width));
        let read_ahead = async move {
            // What can be made of a page is made here, while a batch before it is committed.
            let ready = |page: Page<R>| {
                let texts = sink.row_texts(&page.items);
                (page, texts)
            };
            if let Some(page) = first
                && sender.send(ready(page)).await.is_err()
            {
                return Ok(());
            }
            // Side by side as far as the source said there are pages, then one by one.
            let mut pages = stream::iter(next..=known.max(next)).map(|number| source.page(Query::All, number, per_page)).buffered(width);
            while let Some(page) = pages.next().await {
                if sender.send(ready(page?)).await.is_err() {
                    return Ok(());
                }
            }
            let mut number = known.max(next);
            loop {
                number = number.saturating_add(1);
                if sender.send(ready(source.page(Query::All, number, per_page).await?)).await.is_err() {
                    return Ok(());
                }
            }
        };
        let committed_id = pass.last_id;
        let write = async {
            let (items, texts, since) = (Vec::new(), Vec::new(), Instant::now());
            let (pages, ordered, done, above) = (0, true, false, (pass.last_id <= pass.max_id).then_some(0));
            let mut walk = Walk { state, pass, items, texts, pages, since, committed_id, guard, missing, ordered, above, most: 0, done };
            while let Some((page, texts)) = receiver.recv().await {
                self.take(&mut walk, page, texts).await?;
                let due = walk.pages >= self.settings.commit_pages || walk.since.elapsed() >= self.settings.commit_after;
                if walk.done || due || self.stop.is_cancelled() {
                    self.save(&mut walk).await?;
                }
                if walk.done || self.stop.is_cancelled() {
                    return Ok((walk.state, walk.done));
                }
            }
            // The reader failed: what it had read before is kept.
            if walk.pages > 0 {
                self.save(&mut walk).await?;
            }
            Ok::<_, Error>((walk.state, false))
        };
        tokio::pin!(read_ahead, write);
        tokio::select! {
            biased;
            written = &mut write => written,
            read = &mut read_ahead => {
                let read: Result<(), crate::classy::Error> = read;
                let written = write.await?;
                read?;
                Ok(written)
            }
        }
    }

    /// Takes the next page into the walk.
    async fn take(&mut self, walk: &mut Walk<R>, mut page: Page<R>, mut texts: Vec<Option<RowText>>) -> Result<(), Error> {
        self.counts.requests += 1;
        if page.items.is_empty() {
            // One empty answer may be a slip of the source; two are the end.
            page = self.fetch(Query::All, walk.pass.page, walk.pass.per_page).await?;
            texts = self.sink.row_texts(&page.items);
        } else {
            self.count_page(&page);
        }
        walk.most = walk.most.max(page.total);
        let pass = &mut walk.pass;
        if page.items.is_empty() {
            walk.done = true;
            pass.total = pass.total.max(at_the_end(walk.most, walk.above));
            return Ok(());
        }
        if walk.pages == 0 {
            walk.since = Instant::now();
        }
        let ids = page.items.iter().filter_map(Item::id);
        walk.ordered &= ids.clone().is_sorted();
        let unreadable = page.items.iter().filter(|item| item.id().is_none()).count() as u64;
        let counts = |id: &i64| if walk.ordered { *id > pass.last_id && *id <= pass.max_id } else { true };
        walk.above = walk.above.map(|above| above + ids.clone().filter(|id| *id > pass.last_id.max(pass.max_id)).count() as u64);
        // A record twice on a page is one record met: it must not stand in for one that hides.
        pass.met += ids.filter(counts).collect::<HashSet<_>>().len() as u64 + unreadable;
        pass.last_id = pass.last_id.max(page.last_id().unwrap_or(0));
        pass.page += 1;
        // What `max_id` and `total` say counts only on a page that is not full: they may come from an answer that was off.
        let short = page.items.len() < pass.per_page as usize;
        if short && pass.last_id >= pass.max_id {
            pass.total = pass.total.max(at_the_end(walk.most, walk.above));
        }
        walk.done = short && walk.ordered && pass.last_id >= pass.max_id && pass.met >= pass.total;
        walk.items.append(&mut page.items);
        walk.texts.append(&mut texts);
        walk.pages += 1;
        self.observer.mark(Mark { done: pass.met, total: Some(pass.total.max(pass.met)) });
        Ok(())
    }

    /// Commits what was taken, with the stored ids in its range that it lacks as suspects.
    async fn save(&mut self, walk: &mut Walk<R>) -> Result<(), Error> {
        let upto = if walk.done { walk.pass.last_id.max(walk.pass.max_id) } else { walk.pass.last_id };
        let mut suspects = Vec::new();
        if walk.ordered && upto > walk.committed_id {
            let shown: HashSet<i64> = walk.items.iter().filter_map(Item::id).collect();
            let enough = shown.len() as u64 + walk.guard.missing + 1;
            suspects = self.sink.ids_between(walk.committed_id, upto, enough).await?;
            suspects.retain(|id| !shown.contains(id));
            walk.missing += suspects.len() as u64;
            if walk.missing > walk.guard.missing {
                return Err(self.refuse(walk.state.clone(), walk.missing, walk.guard).await?);
            }
        }
        walk.state.pass = Some(walk.pass.clone());
        let mut batch = Batch::of(std::mem::take(&mut walk.items)).at(walk.state.clone());
        batch.texts = std::mem::take(&mut walk.texts);
        // What became visible later than the overlap allows for is missing; what is younger, the next sweep brings.
        batch.expected_before = walk.state.first_pass_at.and(walk.state.watermark).map(|watermark| watermark - self.settings.overlap);
        batch.suspects = suspects;
        // A walk begins without the suspects of the one before.
        batch.forget_suspects = walk.committed_id == 0;
        let committed = self.commit(batch).await?;
        if let Some(state) = committed.state {
            walk.pass = state.pass.clone().unwrap_or_else(|| walk.pass.clone());
            walk.state = state;
        }
        walk.committed_id = walk.pass.last_id;
        walk.pages = 0;
        Ok(())
    }
}

/// How many rows there were at or below `max_id` by the pages of a walk that is at its end. One that appeared among them while pages
/// were under way side by side pushed another over the border of two pages, past the one that had been looked up before;
/// then a page told of more than were met.
fn at_the_end(most: u64, above: Option<u64>) -> u64 {
    above.map_or(0, |above| most.saturating_sub(above))
}

/// Whether a record may have hidden during the walk that just ended.
fn hides(pass: &Pass) -> bool {
    if pass.met >= pass.total || pass.before == Some(Walked { total: pass.total, met: pass.met }) {
        return false;
    }
    if pass.walks >= WALKS {
        tracing::warn!(walks = WALKS, met = pass.met, total = pass.total, "records vanish all the time; the next reconcile reads again");
        return false;
    }
    true
}
