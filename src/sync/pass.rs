//! The full pass: every record by rising id, pages fetched side by side and committed in order,
//! resumable at its page. Where pages end is not told by how few rows one has, but by what the
//! source counts, and in the end by a page that is empty twice.
//!
//! The list is live, so pages shift when records vanish. A stored record that no page showed
//! becomes a suspect and is asked for singly at the end. A record that is not stored yet may hide
//! the same way; then the walk met fewer records than there were at its beginning, and it is walked
//! again, in pages of another size, until it met them all, or until two walks went alike: then the
//! pass fell short, and says so.

use super::walk::{Asked, GROWTH, HOPELESS, Walk, at_the_end, hides};
use super::{Error, Run, Sink, Source};
use crate::classy;
use crate::domain::{FeedState, Item, Page, Pass, PassStage, Query, RunEnd};
use crate::entities::Record;
use crate::store::{Batch, Reading};
use futures_util::{StreamExt, stream};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::time::Instant;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Begins a pass or goes on with the one that was begun.
    pub(super) async fn pass(&mut self) -> Result<RunEnd, Error> {
        let mut state = self.sink.load().await?;
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
            let Some(pass) = &mut state.pass else {
                continue;
            };
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

    /// Reads from the pass's page to the end. Answers whether the end was reached.
    async fn walk(
        &mut self,
        state: FeedState,
        pass: Pass,
        first: Option<Page<R>>,
    ) -> Result<(FeedState, bool), Error> {
        let (source, sink) = (self.source, self.sink);
        let (per_page, width) = (pass.per_page, source.concurrency().max(1));
        let known = u32::try_from(pass.total.div_ceil(u64::from(per_page))).unwrap_or(u32::MAX);
        let next = pass.page + u32::from(first.is_some());
        let guard = self.guard().await?;
        let limit = 2 * pass.total.max(self.sink.count().await?) + GROWTH;
        // What a walk that was interrupted did not meet is known from before; what lay on pages
        // that cannot be read is no sign of anything.
        let missing = if pass.page == 1 {
            0
        } else {
            (self.sink.suspects().await?.len() as u64).saturating_sub(pass.unread)
        };
        // While one batch is committed the next is read.
        let (sender, mut receiver) = mpsc::channel(self.settings.commit_pages.max(width));
        let commits = &AtomicU64::new(0);
        let is_wary = self.is_wary;
        let read_ahead = async move {
            // What can be made of a page is made here, while a batch before it is committed. A page
            // that fails alone does not end it.
            let ready = |after: u64,
                         page: Result<Page<R>, classy::Error>|
             -> Result<Asked<R>, classy::Error> {
                match page {
                    Ok(page) => {
                        let fingerprints = sink.fingerprints(&page.items);
                        Ok(Asked {
                            after,
                            page: Ok((page, fingerprints)),
                        })
                    }
                    Err(error)
                        if error.may_be_of_one_request()
                            || matches!(error, classy::Error::BreakerOpen { .. }) =>
                    {
                        Ok(Asked {
                            after,
                            page: Err(error),
                        })
                    }
                    Err(error) => Err(error),
                }
            };
            let ask = async |number: u32| {
                let after = commits.load(Ordering::Relaxed);
                // Where a page failed alone before, what fails is read in parts soon.
                let page = match is_wary {
                    true => source.part(Query::All, number, per_page).await,
                    false => source.page(Query::All, number, per_page).await,
                };
                ready(after, page)
            };
            if let Some(page) = first
                && sender.send(ready(0, Ok(page))?).await.is_err()
            {
                return Ok(());
            }
            // Side by side as far as the source said there are pages, then one by one.
            let mut pages = stream::iter(next..=known.max(next))
                .map(ask)
                .buffered(width);
            while let Some(page) = pages.next().await {
                if sender.send(page?).await.is_err() {
                    return Ok(());
                }
            }
            let mut number = known.max(next);
            loop {
                number = number.saturating_add(1);
                if sender.send(ask(number).await?).await.is_err() {
                    return Ok(());
                }
            }
        };
        let committed_id = pass.last_id;
        let write = async {
            let (items, fingerprints, since) = (Vec::new(), Vec::new(), Instant::now());
            let (pages, ordered, done, above) =
                (0, true, false, (pass.last_id <= pass.max_id).then_some(0));
            let (overtaken, recent) = (HashSet::new(), VecDeque::new());
            let (most, barren, hopeless, empty, rows, unread_before) = (0, 0, 0, 0, 0, pass.unread);
            let mut walk = Walk {
                state,
                pass,
                items,
                fingerprints,
                overtaken,
                commits,
                recent,
                pages,
                since,
                committed_id,
                guard,
                missing,
                ordered,
                above,
                most,
                shown: Vec::new(),
                barren,
                stale: 0,
                unordered: HashSet::new(),
                hopeless,
                empty,
                rows,
                limit,
                unread_before,
                done,
            };
            while let Some(asked) = receiver.recv().await {
                self.counts.requests += 1;
                if let Err(error) = self.take(&mut walk, asked).await {
                    // What was read before is kept.
                    if walk.pages > 0 {
                        self.save(&mut walk).await?;
                    }
                    return Err(error);
                }
                let due = walk.pages >= self.settings.commit_pages
                    || walk.since.elapsed() >= self.settings.commit_after
                    || self.sink.is_due(&walk.fingerprints);
                if walk.done || due || self.stop.is_cancelled() {
                    self.save(&mut walk).await?;
                }
                if walk.done && !walk.ordered {
                    self.count_once(&mut walk).await?;
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
    async fn take(&mut self, walk: &mut Walk<'_, R>, asked: Asked<R>) -> Result<(), Error> {
        let (number, per_page) = (walk.pass.page, walk.pass.per_page);
        let Asked { mut after, page } = asked;
        let is_good = page.as_ref().is_ok_and(|(page, _)| !page.items.is_empty());
        if !is_good {
            after = walk.commits.load(Ordering::Relaxed);
        }
        let (mut page, mut fingerprints) = match page {
            Ok((page, fingerprints)) if is_good => {
                self.count_page(&page);
                (page, fingerprints)
            }
            // One empty answer may be a slip of the source; two are the end.
            Ok(_) => (self.fetch(Query::All, number, per_page).await?, Vec::new()),
            Err(error) => (
                self.narrow(Query::All, number, per_page, error).await?,
                Vec::new(),
            ),
        };
        if fingerprints.is_empty() {
            fingerprints = self.sink.fingerprints(&page.items);
        }
        walk.most = walk.most.max(page.total);
        let pass = &mut walk.pass;
        pass.unread += page.unread;
        if pass.note.is_empty() {
            pass.note = self.unread.note.clone();
        }
        if page.items.is_empty() && page.unread == 0 {
            // There are pages behind it by the source's own count: one that is empty in their midst
            // is not the end.
            if u64::from(number) * u64::from(per_page) < pass.total && walk.empty < HOPELESS {
                walk.empty += 1;
                pass.page += 1;
                return Ok(());
            }
            walk.done = true;
            pass.total = pass.total.max(at_the_end(walk.most, walk.above));
            return Ok(());
        }
        walk.empty = 0;
        if walk.pages == 0 {
            walk.since = Instant::now();
        }
        let ids = page.items.iter().filter_map(Item::id);
        // Pages are asked for in order, so what was committed before this one was asked for
        // concerns none that follows.
        while walk
            .recent
            .front()
            .is_some_and(|(commit, _)| *commit <= after)
        {
            walk.recent.pop_front();
        }
        walk.overtaken.extend(
            ids.clone()
                .filter(|id| walk.recent.iter().any(|(_, ids)| ids.contains(id))),
        );
        walk.ordered &= ids.clone().is_sorted();
        // A row that names no record stands for one that may hide behind it.
        let nameless = page.items.iter().filter(|item| item.id().is_none()).count() as u64;
        walk.above = walk.above.map(|above| {
            above
                + ids
                    .clone()
                    .filter(|id| *id > pass.last_id.max(pass.max_id))
                    .count() as u64
        });
        walk.look_for_news(ids.clone().collect(), nameless + page.unread);
        let pass = &mut walk.pass;
        pass.unread += nameless;
        if pass.note.is_empty() && nameless > 0 {
            pass.note =
                format!("page {number} of {per_page} records: {nameless} of them name no record");
        }
        let counts = |id: &i64| {
            if walk.ordered {
                *id > pass.last_id && *id <= pass.max_id
            } else {
                true
            }
        };
        // A record twice on a page is one record met: it must not stand in for one that hides.
        pass.met += ids.filter(counts).collect::<HashSet<_>>().len() as u64;
        pass.refused += page
            .items
            .iter()
            .filter(|item| matches!(item, Item::Bad(_)) && item.id().is_some())
            .count() as u64;
        pass.last_id = pass.last_id.max(page.last_id().unwrap_or(0));
        pass.page += 1;
        // What `max_id` and `total` say counts only on a page that is not full: they may come from
        // an answer that was off.
        let short = page.items.len() < per_page as usize && page.unread == 0;
        if short && pass.last_id >= pass.max_id {
            pass.total = pass.total.max(at_the_end(walk.most, walk.above));
        }
        walk.done = short && walk.ordered && pass.last_id >= pass.max_id && pass.met >= pass.total;
        walk.hopeless = if page.items.is_empty() {
            walk.hopeless + 1
        } else {
            0
        };
        // A source that ignores `page` and showed all it has.
        walk.done |= walk.barren > 0 && pass.met >= pass.total && pass.last_id >= pass.max_id;
        walk.rows += page.items.len() as u64;
        walk.items.append(&mut page.items);
        walk.fingerprints.append(&mut fingerprints);
        walk.pages += 1;
        self.mark(pass.met, Some(pass.total.max(pass.met)));
        if walk.done {
            Ok(())
        } else {
            walk.check(number)
        }
    }

    /// Where the list was not in order records may have been met twice: no more were met than are
    /// stored, or were refused.
    async fn count_once(&mut self, walk: &mut Walk<'_, R>) -> Result<(), Error> {
        let stored = self.sink.count().await?;
        if let Some(pass) = &mut walk.state.pass {
            pass.met = pass.met.min(stored + pass.refused);
        }
        Ok(())
    }

    /// Commits what was taken, with the stored ids in its range that it lacks as suspects.
    async fn save(&mut self, walk: &mut Walk<'_, R>) -> Result<(), Error> {
        let upto = if walk.done {
            walk.pass.last_id.max(walk.pass.max_id)
        } else {
            walk.pass.last_id
        };
        let shown: HashSet<i64> = walk.items.iter().filter_map(Item::id).collect();
        let mut suspects = Vec::new();
        // A list that lacks more than that is not believed about who is gone, which the end of the
        // pass says; what it shows is stored all the same.
        let is_believed = walk.missing <= walk.guard.missing;
        if walk.ordered && upto > walk.committed_id && is_believed {
            // What lies on rows that cannot be read is asked for singly, too, and is no sign that
            // the list lacks anything.
            let unread = walk.pass.unread - walk.unread_before;
            let enough = shown.len() as u64 + walk.guard.missing + unread + 1;
            suspects = self
                .sink
                .ids_between(walk.committed_id, upto, enough)
                .await?;
            suspects.retain(|id| !shown.contains(id));
            walk.missing += (suspects.len() as u64).saturating_sub(unread);
        }
        walk.state.pass = Some(walk.pass.clone());
        let mut batch = Batch::of(std::mem::take(&mut walk.items)).at(walk.state.clone());
        batch.fingerprints = std::mem::take(&mut walk.fingerprints);
        batch.reading = Reading::Full {
            but: std::mem::take(&mut walk.overtaken),
        };
        // What became visible later than the overlap allows for is missing; what is younger, the
        // next sweep brings.
        batch.expected_before = walk
            .state
            .first_pass_at
            .and(walk.state.watermark)
            .map(|watermark| watermark - self.settings.overlap);
        batch.suspects = suspects;
        // A walk begins without the suspects of the one before.
        batch.forget_suspects = walk.committed_id == 0;
        let committed = self.commit(batch).await?;
        if let Some(state) = committed.state {
            walk.pass = state.pass.clone().unwrap_or_else(|| walk.pass.clone());
            walk.state = state;
        }
        walk.recent
            .push_back((walk.commits.fetch_add(1, Ordering::Relaxed) + 1, shown));
        walk.committed_id = walk.pass.last_id;
        walk.unread_before = walk.pass.unread;
        walk.pages = 0;
        Ok(())
    }
}
