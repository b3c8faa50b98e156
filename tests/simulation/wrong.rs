//! Wrong versions of the engine, made by standing between it and its neighbours. Each has to be
//! caught.

use crate::lists::moment;
use crate::memory::Defects;
use crate::records::Kind;
use crate::sink::Checked;
use crate::source::{Served, pause};
use chrono::TimeDelta;
use classy_sync::classy;
use classy_sync::domain::{Answer, Clocks, FeedState, Item, Page, Query, RunEnd, Time};
use classy_sync::store::{Batch, Committed, Error, Fingerprint, Reading};
use classy_sync::sync::{self, Sink, Source};
use std::sync::Mutex;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The next request asks for what changed after the last time of change, not from it on.
    CursorAfter,
    /// The checkpoint is written before the rows.
    CheckpointFirst,
    /// The watermark is our own clock when the run began.
    LocalClock,
    /// An older version replaces a newer one.
    OlderWins,
    /// The watermark is moved to the end after the first page.
    WatermarkAtFirstPage,
    /// The watermark is the latest time of change seen, however far ahead.
    NoCap,
    /// Reading begins at the watermark.
    NoOverlap,
    /// What changed is read by the number of the page.
    PageNumbers,
    /// Whoever was replaced may write.
    NoFence,
    /// A row is found by its id alone, whosever it is.
    IdOnly,
    /// A full reading stores no older version, whatever the source says now.
    NeverBack,
    /// A full reading believes a page, though a later version was stored after that was asked for.
    BelievesOldPages,
    /// Records that no page showed are marked absent, and nobody asks for them singly.
    AbsentUnasked,
    /// An answer that decides nothing is taken for a deletion.
    DoubtIsGone,
    /// The source's `Date` is believed, however far it is ahead.
    DateAlone,
    /// A page with fewer rows than were asked for is the last one.
    ShortIsLast,
    /// What could not be read of the changes is forgotten.
    GapForgotten,
    /// A pass that fell short is called done.
    ShortfallIgnored,
}

impl Wrong {
    pub const ALL: [Wrong; 18] = [
        Wrong::CursorAfter,
        Wrong::CheckpointFirst,
        Wrong::LocalClock,
        Wrong::OlderWins,
        Wrong::WatermarkAtFirstPage,
        Wrong::NoCap,
        Wrong::NoOverlap,
        Wrong::PageNumbers,
        Wrong::NoFence,
        Wrong::IdOnly,
        Wrong::NeverBack,
        Wrong::BelievesOldPages,
        Wrong::AbsentUnasked,
        Wrong::DoubtIsGone,
        Wrong::DateAlone,
        Wrong::ShortIsLast,
        Wrong::GapForgotten,
        Wrong::ShortfallIgnored,
    ];

    pub fn defects(wrong: Option<Wrong>) -> Defects {
        Defects {
            older_wins: wrong == Some(Wrong::OlderWins),
            no_fence: wrong == Some(Wrong::NoFence),
            id_only: wrong == Some(Wrong::IdOnly),
        }
    }
}

/// The source as a wrong engine would ask it.
pub struct WrongSource {
    pub inner: Served,
    pub wrong: Option<Wrong>,
}

impl<R: Kind> Source<R> for WrongSource {
    async fn page(
        &self,
        query: Query,
        number: u32,
        per_page: u32,
    ) -> Result<Page<R>, classy::Error> {
        let query = match query {
            Query::Since(from) if self.wrong == Some(Wrong::CursorAfter) => {
                Query::Since(from + TimeDelta::seconds(1))
            }
            query => query,
        };
        let mut page: Page<R> = self.inner.page(query, number, per_page).await?;
        match self.wrong {
            Some(Wrong::DateAlone) => {
                page.clocks.ours = page.clocks.theirs.unwrap_or(page.clocks.ours)
            }
            Some(Wrong::ShortIsLast) if page.items.len() < per_page as usize => {
                page.total = page
                    .total
                    .min(u64::from((number - 1) * per_page) + page.items.len() as u64);
                page.per_page = None;
            }
            _ => {}
        }
        Ok(page)
    }

    async fn part(
        &self,
        query: Query,
        number: u32,
        per_page: u32,
    ) -> Result<Page<R>, classy::Error> {
        self.inner.part(query, number, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Answer<R>, classy::Error> {
        match self.wrong {
            Some(Wrong::AbsentUnasked) => Ok(Answer::Gone),
            Some(Wrong::DoubtIsGone) => Ok(match self.inner.one(id).await? {
                Answer::Undecided(_) => Answer::Gone,
                answer => answer,
            }),
            _ => self.inner.one(id).await,
        }
    }

    async fn answers(&self) -> Result<Clocks, classy::Error> {
        Source::<R>::answers(&self.inner).await
    }

    fn concurrency(&self) -> usize {
        Source::<R>::concurrency(&self.inner)
    }
}

/// The store as a wrong engine would write it.
pub struct WrongSink {
    pub inner: Checked,
    pub wrong: Option<Wrong>,
    /// The source's clock when the run began.
    pub began: Time,
    /// The latest time of change that came with a checkpoint.
    pub seen: Mutex<Option<Time>>,
}

impl WrongSink {
    fn watermark<R: Kind>(&self, batch: &mut Batch<R>) {
        let (now, skew) = {
            let sim = self.inner.sim.lock();
            (
                moment(sim.world.now_s()),
                TimeDelta::seconds(sim.options.skew_s),
            )
        };
        let Some(state) = batch
            .state
            .as_mut()
            .filter(|state| state.watermark.is_some() && state.pass.is_none())
        else {
            return;
        };
        let mut seen = self.seen.lock().unwrap();
        *seen = batch
            .items
            .iter()
            .filter_map(Item::updated_at)
            .max()
            .max(*seen);
        let moved = match self.wrong {
            Some(Wrong::LocalClock) => Some(self.began + skew),
            Some(Wrong::WatermarkAtFirstPage) => Some(now),
            Some(Wrong::NoCap) => *seen,
            _ => return,
        };
        state.watermark = state.watermark.max(moved);
    }
}

impl<R: Kind> Sink<R> for WrongSink {
    async fn load(&self) -> Result<FeedState, Error> {
        Sink::<R>::load(&self.inner).await
    }

    fn fingerprints(&self, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        self.inner.fingerprints(items)
    }

    async fn commit(&self, mut batch: Batch<R>) -> Result<Committed, Error> {
        self.watermark(&mut batch);
        match (self.wrong, &mut batch.reading) {
            (Some(Wrong::NeverBack), reading) => *reading = Reading::Changes,
            (Some(Wrong::BelievesOldPages), Reading::Full { but }) => but.clear(),
            _ => {}
        }
        if let Some(state) = &mut batch.state {
            match self.wrong {
                Some(Wrong::GapForgotten) if state.gap.take().is_some() => {
                    state.watermark = state.watermark.max(*self.seen.lock().unwrap());
                }
                Some(Wrong::ShortfallIgnored)
                    if state.shortfall.take().is_some_and(|short| short.is_short()) =>
                {
                    state.first_pass_at = state.first_pass_at.or(state.watermark);
                }
                _ => {}
            }
        }
        if self.wrong == Some(Wrong::GapForgotten) {
            let mut seen = self.seen.lock().unwrap();
            *seen = batch
                .items
                .iter()
                .filter_map(Item::updated_at)
                .max()
                .max(*seen);
        }
        if self.wrong == Some(Wrong::CheckpointFirst)
            && batch.state.is_some()
            && !batch.items.is_empty()
        {
            let mut first = Batch::of(Vec::new());
            first.state = batch.state.clone();
            Sink::<R>::commit(&self.inner, first).await?;
        }
        self.inner.commit(batch).await
    }

    async fn refresh_totals(&self, after: i64) -> Result<Option<i64>, Error> {
        Sink::<R>::refresh_totals(&self.inner, after).await
    }

    async fn ids_between(&self, after: i64, upto: i64, limit: u64) -> Result<Vec<i64>, Error> {
        Sink::<R>::ids_between(&self.inner, after, upto, limit).await
    }

    async fn max_id(&self) -> Result<i64, Error> {
        Sink::<R>::max_id(&self.inner).await
    }

    async fn count(&self) -> Result<u64, Error> {
        Sink::<R>::count(&self.inner).await
    }

    async fn count_since(&self, from: Time) -> Result<u64, Error> {
        Sink::<R>::count_since(&self.inner, from).await
    }

    async fn suspects(&self) -> Result<Vec<i64>, Error> {
        Sink::<R>::suspects(&self.inner).await
    }
}

/// A sweep as one writes it first: the pages of what changed, one after the other, and the
/// watermark at the end.
pub async fn page_numbers<R: Kind>(
    source: &WrongSource,
    sink: &WrongSink,
    overlap: TimeDelta,
    per_page: u32,
) -> Result<RunEnd, sync::Error> {
    let mut state = Sink::<R>::load(sink).await?;
    let Some(from) = state.watermark.map(|watermark| watermark - overlap) else {
        return Ok(RunEnd::Complete);
    };
    let mut upto = None;
    for number in 1.. {
        let page: Page<R> = source.page(Query::Since(from), number, per_page).await?;
        upto = upto.or(page.clocks.theirs);
        let last = page.items.len() < per_page as usize;
        let seen = page.items.iter().filter_map(Item::updated_at).max();
        let mut batch = Batch::of(page.items);
        state.watermark = state.watermark.max(seen.min(upto));
        batch.state = Some(state.clone());
        sink.commit(batch).await?;
        pause(1).await;
        if last {
            break;
        }
    }
    Ok(RunEnd::Complete)
}
