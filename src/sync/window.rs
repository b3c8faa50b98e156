//! Where an incremental begins and how far its watermark may move: the rules on which "nothing is
//! lost" rests.
//!
//! Only what was seen moves the watermark: the latest time of change that the source showed. Clocks
//! only bound it, so that a record from the future does not carry it along. The source's `Date` is
//! one clock, ours the other, and the earlier of the two counts; when they move against each other
//! one of them jumped, nobody knows which, and what was read since is read again.

use crate::domain::{Clocks, FeedState, Item, Time};
use crate::entities::Record;
use chrono::{SubsecRound, TimeDelta};

/// How long a record may stay hidden after its time of change and still be met without a reconcile,
/// however long ago the watermark is: the span before the last complete sweep that is read again.
const SETTLING: TimeDelta = TimeDelta::hours(1);

/// Clocks that move against each other by no more than this are of one mind.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Before any record: where a feed is read from that showed none yet.
const BEGINNING: Time = Time::from_timestamp_nanos(946_684_800 * 1_000_000_000);

/// What an answer says about the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Not later than the source's true clock, unless both clocks are wrong together.
    pub(super) bound: Time,
    /// The later of the two clocks: nothing can have changed after it.
    latest: Time,
    /// By how much the clocks moved against each other since the last look; a clock of ours that
    /// went back counts, too.
    pub(super) jump: Option<TimeDelta>,
}

impl Moment {
    /// Holds the clocks of an answer against those of an earlier one.
    pub(super) fn of(before: Option<Clocks>, now: Clocks) -> Moment {
        let spent = before.map(|before| now.ours - before.ours);
        let expected = before
            .zip(spent)
            .and_then(|(before, spent)| before.theirs?.checked_add_signed(spent));
        let latest = now.theirs.map_or(now.ours, |theirs| theirs.max(now.ours));
        let went_back = spent.filter(|spent| *spent < -TOLERANCE);
        let Some(theirs) = now.theirs else {
            // A source that tells no `Date` gets an hour of doubt instead.
            return Moment {
                bound: now.ours - SETTLING,
                latest,
                jump: went_back,
            };
        };
        let moved = expected
            .map(|expected| theirs - expected)
            .filter(|moved| moved.abs() > TOLERANCE);
        // Two clocks that are not of one mind are believed together, and with some doubt.
        let is_agreed = (theirs - now.ours).abs() <= TOLERANCE;
        let bound = if is_agreed {
            theirs
        } else {
            theirs.min(now.ours) - TOLERANCE
        };
        Moment {
            bound,
            latest,
            jump: moved.or(went_back),
        }
    }

    /// Whether a time lies so far ahead that no record can have it by right.
    pub(super) fn is_impossible(&self, at: Time) -> bool {
        at > self.latest + TOLERANCE
    }

    /// Whether a time that was the source's clock once is ahead of it now.
    pub(super) fn is_ahead(&self, at: Time) -> bool {
        at > self.bound + TOLERANCE
    }
}

/// The first second to ask for: the watermark less the overlap; but when the last complete sweep
/// came long after the watermark, what follows the watermark, so that a bulk update is not read
/// again for ever. During the first pass reading begins where the source was when it began. `None`
/// when nothing was read yet.
pub(super) fn start(state: &FeedState, overlap: TimeDelta) -> Option<Time> {
    let watermark = state
        .watermark
        .or_else(|| Some(state.pass.as_ref()?.seen_at))?;
    // What was seen bounds this, too: a `Date` that was ahead once skips nothing.
    let settled = state
        .swept_at
        .map(|at| (at - SETTLING.max(overlap)).min(watermark + TimeDelta::seconds(1)));
    let by_watermark = watermark - overlap;
    Some(
        settled
            .map_or(by_watermark, |at| at.max(by_watermark))
            .trunc_subsecs(0),
    )
}

/// The watermark after what was seen in a sweep whose first page was answered at `bound`: never
/// backwards here, and never to a time that lies ahead.
pub(super) fn advance(watermark: Option<Time>, seen: Option<Time>) -> Option<Time> {
    watermark.max(seen)
}

/// The latest time of change among records, those aside that lie ahead of the source's clock.
pub(super) fn latest_seen<R: Record>(items: &[Item<R>], bound: Time) -> Option<Time> {
    items
        .iter()
        .filter_map(Item::updated_at)
        .filter(|at| *at <= bound)
        .max()
}

/// Where the first incremental begins, by the latest page of everything that has a time of change.
pub(super) fn seen_at_the_beginning<R: Record>(items: &[Item<R>], bound: Time) -> Time {
    match latest_seen(items, bound) {
        Some(seen) => seen,
        // More records lie ahead of the clock than the page has: only the clock is left.
        None if items.iter().any(|item| item.updated_at().is_some()) => bound,
        None => BEGINNING.min(bound),
    }
}

/// The query for that page begins here.
pub(super) const fn everything() -> Time {
    BEGINNING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::Supporter;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn clocks(theirs: i64, ours: i64) -> Clocks {
        Clocks {
            theirs: Some(at(theirs)),
            ours: at(ours),
        }
    }

    const HOURS: i64 = 3_600;

    #[test]
    fn reading_starts_before_the_watermark_but_not_at_an_old_bulk_update_for_ever() {
        let overlap = TimeDelta::minutes(5);
        let mut state = FeedState {
            watermark: Some(at(0)),
            ..FeedState::default()
        };
        assert_eq!(start(&state, overlap), Some(at(-300)));
        state.swept_at = Some(at(600));
        assert_eq!(
            start(&state, overlap),
            Some(at(-300)),
            "within the hour the overlap decides"
        );
        state.swept_at = Some(at(7_200));
        assert_eq!(
            start(&state, overlap),
            Some(at(1)),
            "later what follows the watermark, and nothing is skipped"
        );
        assert_eq!(start(&FeedState::default(), overlap), None);
    }

    #[test]
    fn a_record_from_the_future_does_not_carry_the_watermark() {
        let record = |seconds| {
            Item::Good(Supporter {
                source_updated_at: Some(at(seconds)),
                ..Supporter::default()
            })
        };
        let items = [record(10), record(50), record(500)];
        assert_eq!(latest_seen(&items, at(100)), Some(at(50)));
        assert_eq!(advance(Some(at(80)), Some(at(50))), Some(at(80)));
        assert_eq!(advance(Some(at(80)), None), Some(at(80)));
        assert_eq!(
            seen_at_the_beginning(&items[2..], at(100)),
            at(100),
            "all lie ahead"
        );
        assert_eq!(
            seen_at_the_beginning::<Supporter>(&[], at(100)),
            BEGINNING,
            "nothing was seen, so nothing is skipped"
        );
    }

    #[test]
    fn of_two_clocks_the_earlier_counts_when_one_of_them_jumped() {
        let before = Some(clocks(0, 0));
        for (now, bound, jump) in [
            (clocks(900, 900), 900, None),
            (clocks(1_100, 900), 1_100, None),
            (clocks(900 + 2 * HOURS, 900), 600, Some(2 * HOURS)),
            (clocks(900, 900 + 2 * HOURS), 600, Some(-2 * HOURS)),
            (
                clocks(900 - 24 * HOURS, 900),
                600 - 24 * HOURS,
                Some(-24 * HOURS),
            ),
        ] {
            let moment = Moment::of(before, now);
            assert_eq!(
                (moment.bound, moment.jump),
                (at(bound), jump.map(TimeDelta::seconds)),
                "{now:?}"
            );
        }
        assert_eq!(
            Moment::of(None, clocks(2 * HOURS, 0)).bound,
            at(-300),
            "the first look believes no clock that is far ahead"
        );
        let silent = Clocks {
            theirs: None,
            ours: at(9 * HOURS),
        };
        assert_eq!(Moment::of(None, silent).bound, at(8 * HOURS));
        assert_eq!(
            Moment::of(
                Some(silent),
                Clocks {
                    theirs: None,
                    ours: at(7 * HOURS)
                }
            )
            .jump,
            Some(TimeDelta::hours(-2))
        );
        assert!(
            Moment::of(None, clocks(0, 0)).is_impossible(at(301))
                && !Moment::of(None, clocks(0, HOURS)).is_impossible(at(301))
        );
    }
}
