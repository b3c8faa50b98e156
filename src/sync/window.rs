//! Where an incremental begins and how far its watermark may move: the two rules on which "nothing is lost" rests.

use crate::clock;
use crate::domain::{FeedState, Time};
use chrono::{SubsecRound, TimeDelta};

/// How long a record may stay hidden after its time of change and still be met without a reconcile, however
/// long ago the watermark is: the span before the last complete sweep that is read again.
const SETTLING: TimeDelta = TimeDelta::hours(1);

/// The first second to ask for: the watermark less the overlap, but not before the hour that preceded the last
/// complete sweep, so that a bulk update is not read again for ever. During the first pass reading begins where it began. `None`
/// when nothing was read yet.
pub(super) fn start(state: &FeedState, overlap: TimeDelta) -> Option<Time> {
    let by_watermark = state.watermark.or_else(|| Some(state.pass.as_ref()?.started_at))? - overlap;
    let by_sweep = state.swept_at.map(|at| at - SETTLING.max(overlap));
    Some(by_sweep.map_or(by_watermark, |at| at.max(by_watermark)).trunc_subsecs(0))
}

/// The watermark after everything up to `seen` was read in a sweep whose first page was answered at `date`: never
/// beyond the source's own clock then, and never backwards.
pub(super) fn advance(watermark: Option<Time>, seen: Option<Time>, date: Time) -> Option<Time> {
    watermark.max(seen.map(|seen| seen.min(date)))
}

/// The source's clock for a page. A source that tells no `Date` gets an hour of doubt instead.
pub(super) fn date_of(date: Option<Time>) -> Time {
    date.unwrap_or_else(|| clock::now() - SETTLING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn reading_starts_before_the_watermark_but_not_at_an_old_bulk_update_for_ever() {
        let overlap = TimeDelta::minutes(5);
        let mut state = FeedState { watermark: Some(at(0)), ..FeedState::default() };
        assert_eq!(start(&state, overlap), Some(at(-300)));
        state.swept_at = Some(at(600));
        assert_eq!(start(&state, overlap), Some(at(-300)), "within the hour the overlap decides");
        state.swept_at = Some(at(7_200));
        assert_eq!(start(&state, overlap), Some(at(3_600)), "later the last sweep less an hour");
        assert_eq!(start(&FeedState::default(), overlap), None);
    }

    #[test]
    fn the_watermark_stays_behind_the_source_s_clock_and_never_goes_back() {
        assert_eq!(advance(Some(at(0)), Some(at(50)), at(100)), Some(at(50)));
        assert_eq!(advance(Some(at(0)), Some(at(500)), at(100)), Some(at(100)), "a record from the future");
        assert_eq!(advance(Some(at(80)), Some(at(50)), at(100)), Some(at(80)));
        assert_eq!(advance(Some(at(80)), None, at(100)), Some(at(80)));
    }
}
