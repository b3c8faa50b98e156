//! When people give: in December above all, on Giving Tuesday, and less on weekends.

use super::dice::Dice;
use chrono::{DateTime, Datelike, Months, NaiveDate, Weekday};

pub(super) const DAY: i64 = 86_400;
/// How much each month weighs by itself.
const MONTHS: [f64; 12] = [
    0.8, 0.7, 0.85, 0.9, 0.85, 0.8, 0.65, 0.7, 0.9, 1.0, 1.15, 3.0,
];
/// How much more is given each year.
const GROWTH: f64 = 0.09;

pub(super) fn date(at: i64) -> NaiveDate {
    DateTime::from_timestamp(at, 0)
        .unwrap_or_default()
        .date_naive()
}

pub(super) fn year(at: i64) -> i32 {
    date(at).year()
}

/// The first second of a day.
pub(super) fn moment(year: i32, month: u32, day: u32) -> i64 {
    NaiveDate::from_ymd_opt(year, month, day).map_or(0, seconds)
}

fn seconds(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

/// The same day of a later month, or the last one that this month has.
pub(super) fn months_later(at: i64, months: u32) -> i64 {
    let day = date(at)
        .checked_add_months(Months::new(months))
        .map_or(at, seconds);
    day + at.rem_euclid(DAY)
}

/// The first second of the Tuesday after Thanksgiving.
pub(super) fn giving_tuesday(year: i32) -> i64 {
    NaiveDate::from_weekday_of_month_opt(year, 11, Weekday::Thu, 4)
        .map_or(0, |thursday| seconds(thursday) + 5 * DAY)
}

/// How much each day weighs.
pub(super) struct Calendar {
    begin: i64,
    /// What the days until each one weigh together.
    until: Vec<f64>,
}

impl Calendar {
    /// The days from the first one of a year to the last one of another.
    pub(super) fn new(first: i32, last: i32) -> Calendar {
        let begin = moment(first, 1, 1);
        let days = (moment(last + 1, 1, 1) - begin) / DAY;
        let (mut sum, mut until) = (0.0, vec![0.0]);
        for day in 0..days {
            sum += weight(begin + day * DAY, day);
            until.push(sum);
        }
        Calendar { begin, until }
    }

    /// A moment from one to another.
    pub(super) fn some(&self, dice: &mut Dice, from: i64, to: i64) -> i64 {
        let last = self.until.len() - 1;
        let day = |at: i64| (((at - self.begin) / DAY).max(0) as usize).min(last);
        let (low, high) = (
            self.until[day(from)],
            self.until[day(to - 1).max(day(from))],
        );
        let wanted = dice.between(low, high.max(low));
        let day = self.until.partition_point(|sum| *sum <= wanted);
        // Where it is day in both Europe and America, so that a day is the same day everywhere.
        let second = (15.0 + dice.share() * 8.9) * 3_600.0;
        (self.begin + day.saturating_sub(1) as i64 * DAY + second as i64)
            .min(to - 1)
            .max(from)
    }
}

fn weight(at: i64, days: i64) -> f64 {
    let date = date(at);
    let weekday = match date.weekday() {
        Weekday::Sat | Weekday::Sun => 0.6,
        _ => 1.0,
    };
    let special = match (date.month(), date.day()) {
        _ if at == giving_tuesday(date.year()) => 18.0,
        (12, 31) => 4.0,
        (12, 28..=30) => 1.8,
        _ => 1.0,
    };
    MONTHS[date.month0() as usize] * weekday * special * (1.0 + GROWTH * days as f64 / 365.0)
}
