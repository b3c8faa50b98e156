//! Who is new, kept, regained or lost, year by year, from the spans in which people gave.
//!
//! Each year is two spans, cut at the present day of it, so that the year that is going on can be
//! held against the same days of the year before.

use super::spans::{first_of_year, years_before};
use crate::domain::{Time, Zone};
use crate::store::{Pattern, Span};
use chrono::Datelike;

/// So many years are shown; one more is looked at, to know who was kept in the first of them.
const SHOWN: usize = 6;

/// The donors of one calendar year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct DonorYear {
    /// Which.
    pub(in super::super) year: i32,
    /// People who gave.
    pub(in super::super) donors: u64,
    /// Of them, for the first time.
    pub(in super::super) new: u64,
    /// Of them, those who gave in the year before, too.
    pub(in super::super) kept: u64,
    /// Of them, those who gave earlier, but not in the year before.
    pub(in super::super) regained: u64,
    /// People who gave in the year before and not in this one; of a year that goes on, not yet.
    pub(in super::super) lost: u64,
    /// It is not over.
    pub(in super::super) is_going_on: bool,
}

/// New donors and those who came back, of a year up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Returning {
    /// People who gave for the first time.
    pub(in super::super) new: u64,
    /// Those of last year's donors who gave again.
    pub(in super::super) kept: u64,
    /// Last year's donors.
    pub(in super::super) of: u64,
}

impl Returning {
    /// Which share of last year's donors gave again.
    pub(in super::super) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.kept as f64 / self.of as f64)
    }
}

/// Those who gave first in one year, and how many of them gave in each year since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Cohort {
    /// Their first year.
    pub(in super::super) year: i32,
    /// By year, their first one among them.
    pub(in super::super) gave: Vec<u64>,
}

/// The spans of several years.
#[derive(Debug, Clone)]
pub(super) struct Years {
    /// The first one that is looked at.
    first: i32,
    count: usize,
    spans: Vec<Span>,
}

impl Years {
    /// Up to the present one, but none before anybody gave.
    pub(super) fn upto(now: Time, first_gift_at: Option<Time>, zone: Zone) -> Years {
        let present = zone.day(now).year();
        let earliest = first_gift_at.map_or(present, |at| zone.day(at).year());
        let first = (present - SHOWN as i32).max(earliest).min(present);
        let start = |year: i32| zone.start_of(first_of_year(year));
        let mut spans = vec![(Time::UNIX_EPOCH, start(first))];
        for year in first..=present {
            let day = years_before(now, (present - year).unsigned_abs(), zone);
            spans.push((start(year), day));
            spans.push((day, start(year + 1)));
        }
        Years {
            first,
            count: spans.len() / 2,
            spans,
        }
    }

    /// Which spans to ask for.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether somebody gave in a year.
    fn gave(pattern: &Pattern, place: usize) -> bool {
        Self::gave_upto_day(pattern, place) || pattern.has(2 * place + 2)
    }

    /// Whether somebody gave in a year up to the present day of it.
    fn gave_upto_day(pattern: &Pattern, place: usize) -> bool {
        pattern.has(2 * place + 1)
    }

    /// Whether somebody gave before a year.
    fn gave_before(pattern: &Pattern, place: usize) -> bool {
        pattern.has(0) || (0..place).any(|earlier| Self::gave(pattern, earlier))
    }

    /// The years that are shown, the earliest first.
    pub(super) fn donors(&self, patterns: &[Pattern]) -> Vec<DonorYear> {
        // Of the first of all nobody knows who was kept, unless nobody gave before.
        let nobody_before = !patterns.iter().any(|pattern| pattern.has(0));
        let from = if nobody_before { 0 } else { 1 };
        let year = |place: usize| {
            let mut year = DonorYear {
                year: self.first + place as i32,
                is_going_on: place + 1 == self.count,
                ..DonorYear::default()
            };
            for pattern in patterns {
                let (is, was) = (
                    Self::gave(pattern, place),
                    place > 0 && Self::gave(pattern, place - 1),
                );
                let add = |to: &mut u64| *to += pattern.people;
                match (is, was) {
                    (true, true) => add(&mut year.kept),
                    (true, false) if Self::gave_before(pattern, place) => add(&mut year.regained),
                    (true, false) => add(&mut year.new),
                    (false, true) => add(&mut year.lost),
                    (false, false) => {}
                }
            }
            year.donors = year.new + year.kept + year.regained;
            year
        };
        let shown = self.count.saturating_sub(SHOWN).max(from);
        (shown..self.count).map(year).collect()
    }

    /// This year so far, and last year up to the same day.
    pub(super) fn returning(&self, patterns: &[Pattern]) -> [Returning; 2] {
        [1, 2].map(|back| {
            let mut found = Returning::default();
            let Some(place) = self.count.checked_sub(back) else {
                return found;
            };
            for pattern in patterns {
                let is = Self::gave_upto_day(pattern, place);
                let was = place > 0 && Self::gave(pattern, place - 1);
                if was {
                    found.of += pattern.people;
                }
                if is && was {
                    found.kept += pattern.people;
                }
                if is && !Self::gave_before(pattern, place) {
                    found.new += pattern.people;
                }
            }
            found
        })
    }

    /// Those who gave first in each year, the earliest first.
    pub(super) fn cohorts(&self, patterns: &[Pattern]) -> Vec<Cohort> {
        let cohort = |place: usize| Cohort {
            year: self.first + place as i32,
            gave: (place..self.count)
                .map(|later| {
                    let of = patterns.iter().filter(|pattern| {
                        Self::gave(pattern, place)
                            && !Self::gave_before(pattern, place)
                            && Self::gave(pattern, later)
                    });
                    of.map(|pattern| pattern.people).sum()
                })
                .collect(),
        };
        let shown = self.count.saturating_sub(SHOWN);
        let cohorts = (shown..self.count).map(cohort);
        cohorts.filter(|cohort| cohort.gave[0] > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Years 2024, 2025 and 2026, the present day being the 15th of March 2026. Spans: before,
    /// 2024 early and late, 2025 early and late, 2026 early and late.
    fn years() -> Years {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let years = Years::upto(
            at("2026-03-15T12:00:00Z"),
            Some(at("2024-06-01T00:00:00Z")),
            Zone::default(),
        );
        assert_eq!((years.first, years.count, years.spans.len()), (2024, 3, 7));
        assert_eq!(years.spans[3].1, at("2025-03-15T12:00:00Z"));
        assert_eq!(years.spans[6].1, at("2027-01-01T00:00:00Z"));
        years
    }

    fn patterns() -> Vec<Pattern> {
        [
            // Late 2024, early 2025, early 2026: kept all the time.
            (0b010_1100_u64, 5),
            // Late 2024, late 2025, not yet in 2026.
            (0b001_0100, 3),
            // Late 2024 and early 2026: lost in 2025, regained.
            (0b010_0100, 2),
            // New early in 2025.
            (0b000_1000, 7),
            // New in 2026.
            (0b010_0000, 11),
        ]
        .map(|(spans, people)| Pattern { spans, people })
        .into()
    }

    #[test]
    fn new_kept_regained_and_lost_add_up_year_by_year() {
        let years = years().donors(&patterns());
        let told: Vec<_> = years
            .iter()
            .map(|y| (y.year, y.donors, y.new, y.kept, y.regained, y.lost))
            .collect();
        assert_eq!(
            told,
            [
                (2024, 10, 10, 0, 0, 0),
                (2025, 15, 7, 8, 0, 2),
                (2026, 18, 11, 5, 2, 10),
            ]
        );
        assert!(years[2].is_going_on && !years[1].is_going_on);
        for pair in years.windows(2) {
            assert_eq!(pair[0].donors, pair[1].kept + pair[1].lost);
        }
    }

    #[test]
    fn this_year_is_held_against_the_same_days_of_the_last() {
        let [now, before] = years().returning(&patterns());
        // Of 15 of last year 5 came back by now, and 11 are new.
        assert_eq!((now.new, now.kept, now.of), (11, 5, 15));
        // By the same day 5 of the 10 of 2024 had come back; the 3 did so later.
        assert_eq!((before.new, before.kept, before.of), (7, 5, 10));
        assert_eq!(before.share(), Some(0.5));
        assert_eq!(Returning::default().share(), None);
    }

    #[test]
    fn cohorts_begin_with_all_of_them() {
        let cohorts = years().cohorts(&patterns());
        let told: Vec<_> = cohorts.iter().map(|c| (c.year, c.gave.clone())).collect();
        assert_eq!(
            told,
            [(2024, vec![10, 8, 7]), (2025, vec![7, 0]), (2026, vec![11])]
        );
    }

    #[test]
    fn nobody_and_a_single_year_are_shown_too() {
        let now: Time = "2026-03-15T12:00:00Z".parse().unwrap();
        let years = Years::upto(now, None, Zone::default());
        assert_eq!(years.donors(&[]).len(), 1);
        assert_eq!(years.returning(&[])[1], Returning::default());
        assert!(years.cohorts(&[]).is_empty());
        // Gifts from the future do not turn years around.
        let later = Years::upto(
            now,
            Some(now + chrono::TimeDelta::days(900)),
            Zone::default(),
        );
        assert_eq!(later.count, 1);
    }
}
