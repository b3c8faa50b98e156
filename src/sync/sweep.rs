//! The incremental sweep: what changed since the watermark, read by key, never by page number.
//!
//! The first request asks for the window's latest page. When it holds the whole window, or when
//! every record of it is as stored, the window counts as many records here as there and the rest
//! was read before, the sweep is done with that one request. Otherwise the window is walked from
//! its oldest change by `key_walk`.

use super::key_walk::{Checkpoint, Swept, Upto};
use super::paging::Paging;
use super::unread::Unread;
use super::window::{Moment, advance, latest_seen, start};
use super::{Error, Run, Sink, Source};
use crate::domain::{FeedState, Item, Query};
use crate::entities::Record;
use crate::store::Batch;
use chrono::TimeDelta;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Reads what changed; `passed` when a full pass came just before.
    pub(super) async fn sweep(&mut self, passed: bool) -> Result<Swept, Error> {
        self.unread = Unread::default();
        let mut state = self.sink.load().await?;
        let (overlap, per_page) = (self.settings.overlap, self.settings.per_page);
        let Some(mut from) = start(&state, overlap) else {
            return Ok(Swept::Done);
        };
        let mut latest = self.fetch(Query::LatestSince(from), 1, per_page).await?;
        let moment = Moment::of(state.clocks, latest.clocks);
        let jumped = self.heed_clocks(&mut state, &moment);
        if state.watermark.is_some_and(|at| moment.is_impossible(at)) {
            match &state.pass {
                // All that changed since the pass began has a later time than it saw then.
                Some(pass) => state.watermark = state.watermark.min(Some(pass.seen_at)),
                None => return Ok(Swept::Ahead),
            }
        }
        if let Some(earlier) = start(&state, overlap).filter(|earlier| *earlier < from) {
            from = earlier;
            self.commit(Batch::of(latest.items)).await?;
            latest = self.fetch(Query::LatestSince(from), 1, per_page).await?;
        }
        state.clocks = Some(latest.clocks);
        let date = moment.bound;
        let times = latest.items.iter().filter_map(Item::updated_at);
        let (oldest, seen, total) = (times.min(), latest_seen(&latest.items, date), latest.total);
        let whole = !Paging::new(per_page).has_more(&latest, 1) && latest.unread == 0;
        self.mark(latest.items.len() as u64, Some(total));
        if whole && latest.items.is_empty() && total == 0 {
            // Nothing changed, or a slip of the source: neither is worth moving the place from
            // which the next sweep reads.
            if jumped || state.gap.take().is_some() {
                self.commit(Batch::of(Vec::new()).at(state)).await?;
            }
            return Ok(Swept::Done);
        }
        if whole {
            state.watermark = advance(state.watermark, seen);
            state.swept_at = Some(date);
            state.gap = None;
            self.commit(Batch::of(latest.items).at(state)).await?;
            return Ok(Swept::Done);
        }
        // An equal count alone proves little: a changed record counts here with its old time and
        // there with its new one. A page that reaches back to before the last complete sweep shows
        // all that changed since, and settles the matter. Within the overlap after that sweep a
        // quiet page is enough for now, once the seconds behind it were at rest when they were
        // read: a later sweep reads the window again.
        let swept = state.swept_at;
        let reaches = |back: TimeDelta| {
            oldest
                .zip(swept)
                .is_some_and(|(oldest, swept)| oldest < swept - back)
        };
        let settled = reaches(overlap);
        let recent =
            !passed && reaches(overlap / 5) && swept.is_some_and(|swept| date - swept < overlap);
        let readable = latest.unread == 0 && state.gap.is_none();
        let committed = self.commit(Batch::of(latest.items)).await?;
        if readable
            && (settled || recent)
            && committed.quiet()
            && self.sink.count_since(from).await? == total
        {
            if settled || jumped {
                state.watermark = advance(state.watermark, seen);
                state.swept_at = if settled { Some(date) } else { state.swept_at };
                self.commit(Batch::of(Vec::new()).at(state)).await?;
            }
            return Ok(Swept::Done);
        }
        // The walk meets again what could not be read here.
        self.unread = Unread::default();
        let (began, reached, is_doubtful, ended) = (state.watermark, None, false, false);
        self.walk_by_key(
            from,
            total,
            Checkpoint::Upto(Box::new(Upto {
                state,
                date,
                began,
                reached,
                is_doubtful,
                ended,
            })),
        )
        .await
    }

    /// Tells of a clock that jumped, and forgets what was believed on its word. Answers whether
    /// that has to be written down.
    fn heed_clocks(&mut self, state: &mut FeedState, moment: &Moment) -> bool {
        if let Some(jump) = moment.jump {
            let minutes = jump.num_minutes();
            self.note(format!(
                "the source's clock and this machine's moved against each other by {minutes} min: what was read since is read again"
            ));
        }
        let is_ahead = state.swept_at.is_some_and(|at| moment.is_ahead(at));
        if moment.jump.is_some() || is_ahead {
            state.swept_at = None;
        }
        moment.jump.is_some() || is_ahead
    }
}
