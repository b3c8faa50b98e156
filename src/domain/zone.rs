//! An organization's time zone: whose day, month and year a moment belongs to.

use super::{Time, limits};
use chrono::{
    Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};

/// The years that matter.
const YEARS: std::ops::Range<i32> = 1900..2100;

/// A zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Zone(Tz::UTC)
    }
}

impl Zone {
    /// By its name, such as `America/New_York`.
    pub fn parse(name: &str) -> Option<Zone> {
        name.trim().parse().ok().map(Zone)
    }

    /// What the source says of an organization; UTC where it says nothing, or nothing that is
    /// known.
    pub fn of(name: Option<&str>) -> Zone {
        name.and_then(Zone::parse).unwrap_or_default()
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day on which a moment falls.
    pub fn day(self, at: Time) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// What its clocks show at a moment.
    pub fn local(self, at: Time) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    /// Days from one moment to another, as people count them: yesterday evening is one day ago,
    /// however few hours.
    pub fn days_between(self, from: Time, to: Time) -> i64 {
        (self.day(to) - self.day(from)).num_days()
    }

    /// When a day begins. Where clocks are set forward at midnight that is later than midnight.
    pub fn start_of(self, day: NaiveDate) -> Time {
        let midnight = day.and_time(NaiveTime::MIN);
        let steps = (0..=8).map(|step| midnight + TimeDelta::minutes(30 * step));
        let first = steps
            .map(|local| self.0.from_local_datetime(&local))
            .find_map(|found| match found {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                    Some(at.with_timezone(&Utc))
                }
                LocalResult::None => None,
            });
        first.unwrap_or_else(|| midnight.and_utc())
    }

    /// When the day begins that comes so many days after the day of a moment.
    pub fn days_after(self, at: Time, days: i64) -> Time {
        let day = u64::try_from(days)
            .ok()
            .and_then(|days| self.day(at).checked_add_days(Days::new(days)));
        day.map_or_else(
            || limits::later(at, TimeDelta::days(days)),
            |day| self.start_of(day),
        )
    }

    /// The months from the one of a moment to that of a later one, each with its first day and when
    /// it begins.
    pub fn months(self, from: Time, to: Time) -> Vec<(NaiveDate, Time)> {
        let first = |day: NaiveDate| day - Days::new(u64::from(chrono::Datelike::day0(&day)));
        let (start, end) = (first(self.day(from)), first(self.day(to)));
        let months = (0..)
            .map_while(|number| start.checked_add_months(Months::new(number)))
            .take_while(|month| *month <= end);
        months.map(|month| (month, self.start_of(month))).collect()
    }

    /// Seconds that its clocks are ahead of UTC, from which moment on, in order, for the years that
    /// matter.
    pub fn offsets(self) -> Vec<(Time, i32)> {
        let offset = |at: i64| {
            Utc.timestamp_opt(at, 0).single().map_or(0, |at| {
                at.with_timezone(&self.0).offset().fix().local_minus_utc()
            })
        };
        let (first, last) = (-2_208_988_800_i64, 4_102_444_800_i64);
        let mut found = vec![(first, offset(first))];
        let mut at = first;
        while at < last {
            let next = at + 86_400;
            let (before, after) = (offset(at), offset(next));
            if before != after {
                let (mut low, mut high) = (at, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if offset(middle) == before {
                        low = middle
                    } else {
                        high = middle
                    }
                }
                found.push((high, after));
            }
            at = next;
        }
        found
            .into_iter()
            .filter_map(|(at, offset)| Some((Utc.timestamp_opt(at, 0).single()?, offset)))
            .collect()
    }

    /// The same cut at the beginning of each year of UTC: the year, from when until when, and the
    /// seconds.
    pub fn offsets_by_year(self) -> Vec<(i32, Time, Time, i32)> {
        let offsets = self.offsets();
        let start = |year: i32| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
        let mut found = Vec::new();
        for year in YEARS {
            let (Some(first), Some(last)) = (start(year), start(year + 1)) else {
                continue;
            };
            for (place, (from, offset)) in offsets.iter().enumerate() {
                let until = offsets.get(place + 1).map_or(last, |next| next.0.min(last));
                let from = (*from).max(first);
                if from < until {
                    found.push((year, from, until, *offset));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn a_moment_belongs_to_the_day_of_the_zone() {
        let newyork = zone("America/New_York");
        assert_eq!(
            newyork.day(at("2026-01-01T01:30:00Z")).to_string(),
            "2025-12-31"
        );
        assert_eq!(
            zone("Pacific/Auckland")
                .day(at("2025-12-31T12:00:00Z"))
                .to_string(),
            "2026-01-01"
        );
        assert_eq!(
            newyork.days_between(at("2026-03-08T04:30:00Z"), at("2026-03-08T05:30:00Z")),
            1
        );
        assert_eq!(Zone::of(Some("Mars/Olympus")), Zone::default());
    }

    #[test]
    fn days_begin_where_clocks_are_set_and_where_there_is_no_midnight() {
        let newyork = zone("America/New_York");
        assert_eq!(
            newyork.start_of("2026-03-08".parse().unwrap()),
            at("2026-03-08T05:00:00Z")
        );
        assert_eq!(
            newyork.start_of("2026-03-09".parse().unwrap()),
            at("2026-03-09T04:00:00Z"),
            "the day before had 23 hours"
        );
        assert_eq!(
            newyork.days_after(at("2026-11-01T03:30:00Z"), 1),
            at("2026-11-01T04:00:00Z")
        );
        // On this day clocks in Sao Paulo went from midnight to one o'clock.
        assert_eq!(
            zone("America/Sao_Paulo").start_of("2018-11-04".parse().unwrap()),
            at("2018-11-04T03:00:00Z")
        );
    }

    #[test]
    fn months_and_offsets_follow_the_zone() {
        let berlin = zone("Europe/Berlin");
        let months = berlin.months(at("2026-02-28T23:30:00Z"), at("2026-04-01T00:00:00Z"));
        let starts: Vec<String> = months
            .iter()
            .map(|(day, at)| format!("{day} {}", at.format("%m-%dT%H")))
            .collect();
        assert_eq!(starts, ["2026-03-01 02-28T23", "2026-04-01 03-31T22"]);
        let offsets = berlin.offsets();
        let of = |at: Time| {
            offsets
                .iter()
                .rev()
                .find(|(from, _)| *from <= at)
                .unwrap()
                .1
        };
        for text in [
            "2026-03-29T00:59:59Z",
            "2026-03-29T01:00:00Z",
            "2026-10-25T00:59:59Z",
            "2026-10-25T01:00:00Z",
            "1980-07-01T00:00:00Z",
        ] {
            let at = at(text);
            assert_eq!(
                of(at),
                at.with_timezone(&berlin.0).offset().fix().local_minus_utc(),
                "{text}"
            );
        }
        assert_eq!(Zone::default().offsets().len(), 1);
        // By years: without a gap, each within its year, and the same.
        let by_year = berlin.offsets_by_year();
        assert!(by_year.windows(2).all(|pair| pair[0].2 == pair[1].1));
        for (year, from, until, offset) in &by_year {
            assert_eq!(chrono::Datelike::year(from), *year);
            assert_eq!(
                (of(*from), of(*until - TimeDelta::seconds(1))),
                (*offset, *offset)
            );
        }
        assert_eq!(by_year.first().map(|row| row.0), Some(1900));
        assert_eq!(
            by_year.last().map(|row| row.2),
            Some(at("2100-01-01T00:00:00Z"))
        );
    }
}
