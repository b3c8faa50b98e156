//! What a walk through a whole list has to meet: looked up before it begins, from the list's first
//! and last page, with where the first incremental begins afterwards.

use super::unread::Unread;
use super::window::{Moment, everything, seen_at_the_beginning};
use super::{Error, Run, Sink, Source};
use crate::domain::{FeedState, Page, Pass, PassStage, Query, Walked};
use crate::entities::Record;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Looks at the first and the last page, so that the walk knows what it has to meet. Returns
    /// the first page.
    pub(super) async fn plan(
        &mut self,
        state: &mut FeedState,
        before: Option<Pass>,
    ) -> Result<Page<R>, Error> {
        self.unread = Unread::default();
        // What is new when the pass begins: the watermark is bounded by what was seen, not by a
        // clock.
        let latest = self
            .fetch(Query::LatestSince(everything()), 1, self.settings.per_page)
            .await?;
        self.mark(0, Some(latest.total));
        let moment = Moment::of(state.clocks, latest.clocks);
        let seen_at = seen_at_the_beginning(&latest.items, moment.bound);
        if state.watermark.is_some_and(|at| moment.is_impossible(at)) {
            self.note("the watermark lay ahead of both clocks, after one of them had jumped: everything is read again".to_owned());
            state.watermark = Some(seen_at);
            state.swept_at = None;
        }
        state.clocks = Some(latest.clocks);
        // Another size in each walk: what a cache or a page's border hides in one is not hidden in
        // the next.
        let walks = before.as_ref().map_or(1, |pass| pass.walks + 1);
        let asked = self.settings.per_page
            - (walks - 1).min(self.settings.per_page - 1)
                * self.settings.per_page.div_ceil(33).min(3);
        let mut first = self.fetch(Query::All, 1, asked).await?;
        if first.items.is_empty() || first.total < first.items.len() as u64 {
            // Nothing at all may be a slip of the source, too, and fewer than it shows certainly is
            // one.
            first = self.fetch(Query::All, 1, asked).await?;
        }
        let (mut total, mut source_max) = (first.total, first.last_id());
        if first.items.is_empty() {
            total = total.max(latest.total);
        }
        let (per_page, size) = (first.told_size(asked), first.size(asked));
        if first.items.len() >= size as usize || first.total > first.items.len() as u64 {
            // A full page need not be the only one, whatever `total` says.
            let last_page = |total: u64| {
                u32::try_from(total.div_ceil(u64::from(size)))
                    .unwrap_or(u32::MAX)
                    .max(2)
            };
            let mut number = last_page(total);
            let mut last = self.fetch(Query::All, number, per_page).await?;
            if last_page(last.total) > number {
                number = last_page(last.total);
                last = self.fetch(Query::All, number, per_page).await?;
            }
            // A record that only this page knows of is to be met as well. And when it shows none,
            // few records count as met, so that the walk is planned and walked again.
            total = total.max(last.total);
            source_max = last.last_id().max(source_max);
        }
        let before = before.as_ref();
        state.pass = Some(Pass {
            started_at: before.map_or(moment.bound, |pass| pass.started_at),
            seen_at: before.map_or(seen_at, |pass| pass.seen_at),
            page: 1,
            per_page,
            last_id: 0,
            max_id: source_max.unwrap_or(0).max(self.sink.max_id().await?),
            total,
            met: 0,
            walks,
            before: before.map(|pass| Walked {
                total: pass.total,
                met: pass.met,
            }),
            stage: PassStage::Walk,
            missing: before.map_or(0, |pass| pass.missing),
            stale: before.map_or(0, |pass| pass.stale),
            restored: before.map_or(0, |pass| pass.restored),
            refused: 0,
            unread: 0,
            note: String::new(),
            schema_version: before
                .map_or_else(|| R::ENTITY.schema_version(), |pass| pass.schema_version),
        });
        Ok(first)
    }
}
