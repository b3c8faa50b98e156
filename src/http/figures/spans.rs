//! Spans of time in an organization's zone: today, this month and this year so far, each beside the
//! same days of the year before.

use crate::domain::{Time, Zone};
use crate::store::Span;
use chrono::{Datelike, Months, NaiveDate};

/// A span up to now, and the same days a year before, up to the same time of the day.
pub(in super::super) type Pair = [Span; 2];

/// Today so far.
pub(super) fn today(now: Time, zone: Zone) -> Pair {
    pair(zone.day(now), now, zone)
}

/// This month so far.
pub(in super::super) fn month_to_date(now: Time, zone: Zone) -> Pair {
    pair(first_of_month(zone.day(now)), now, zone)
}

/// This year so far.
pub(in super::super) fn year_to_date(now: Time, zone: Zone) -> Pair {
    pair(first_of_year(zone.day(now).year()), now, zone)
}

fn pair(first: NaiveDate, now: Time, zone: Zone) -> Pair {
    [
        (zone.start_of(first), now),
        (
            zone.start_of(first - Months::new(12)),
            years_before(now, 1, zone),
        ),
    ]
}

/// The same day and time so many years before.
pub(super) fn years_before(now: Time, years: u32, zone: Zone) -> Time {
    let day = zone.day(now);
    let since_midnight = now - zone.start_of(day);
    zone.start_of(day - Months::new(12 * years)) + since_midnight
}

pub(super) fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

pub(super) fn first_of_year(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_days_of_last_year_end_at_the_same_time_of_the_day() {
        let zone = Zone::parse("America/New_York").unwrap();
        // 22:30 on the 14th of March where the organization is; clocks were set forward on the 8th.
        let now = at("2026-03-15T02:30:00Z");
        assert_eq!(
            today(now, zone),
            [
                (at("2026-03-14T04:00:00Z"), now),
                (at("2025-03-14T04:00:00Z"), at("2025-03-15T02:30:00Z")),
            ]
        );
        assert_eq!(
            month_to_date(now, zone),
            [
                (at("2026-03-01T05:00:00Z"), now),
                (at("2025-03-01T05:00:00Z"), at("2025-03-15T02:30:00Z")),
            ]
        );
        assert_eq!(year_to_date(now, zone)[1].0, at("2025-01-01T05:00:00Z"));
        let leap = at("2028-02-29T12:00:00Z");
        assert_eq!(
            today(leap, Zone::default())[1],
            (at("2027-02-28T00:00:00Z"), at("2027-02-28T12:00:00Z"))
        );
    }
}
