//! One reader for every spelling of a moment that the source uses (contract 6). Without a zone it
//! is UTC.

use crate::domain::{Time, limits};
use chrono::{NaiveDate, TimeDelta};

/// Why a text is no moment that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotATime {
    /// It cannot be read.
    Unreadable,
    /// In UTC it lies before the year 1000 or after 9999, which no database here holds.
    OutOfRange,
}

/// Reads a moment: `2025-06-03T10:28:18+0000`, `...Z`, `...+02:00`, `2021-04-07T17:16:09.000000Z`,
/// `2021-04-23 08:23:21`, `2025-06-08`. Empty, and what databases and PHP print for a zero date, is
/// no moment at all.
///
/// Fractions are kept to the microsecond. `24:00:00` is the next midnight, a leap second the next
/// second.
pub(super) fn moment(text: &str) -> Result<Option<Time>, NotATime> {
    let text = text.trim();
    if text.is_empty() || text.starts_with("0000-00-00") || text.starts_with("-0001-11-30") {
        return Ok(None);
    }
    let at = read(text.as_bytes()).ok_or(NotATime::Unreadable)?;
    // After the zone was applied: the last evening of the year 9999 in New York is no moment that
    // can be stored.
    if limits::is_storable(at) {
        Ok(Some(at))
    } else {
        Err(NotATime::OutOfRange)
    }
}

fn read(text: &[u8]) -> Option<Time> {
    let (date, rest) = text.split_at_checked(10)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
        return None;
    };
    let year = number(&[*y1, *y2, *y3, *y4])?;
    let day = NaiveDate::from_ymd_opt(
        year.cast_signed(),
        number(&[*m1, *m2])?,
        number(&[*d1, *d2])?,
    )?;
    let midnight = day.and_hms_opt(0, 0, 0)?;
    let Some((b'T' | b't' | b' ', rest)) = rest.split_first() else {
        return rest.is_empty().then(|| midnight.and_utc());
    };
    let (clock, rest) = rest.split_at_checked(5)?;
    let [h1, h2, b':', n1, n2] = clock else {
        return None;
    };
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*n1, *n2])?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (number(&[*s1, *s2])?, rest),
        _ => (0, rest),
    };
    let (micros, rest) = match rest {
        [b'.' | b',', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let in_day =
        hour < 24 && minute < 60 && second <= 60 || (hour, minute, second, micros) == (24, 0, 0, 0);
    let offset = offset(rest)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let since_midnight =
        TimeDelta::seconds(seconds - offset) + TimeDelta::microseconds(i64::from(micros));
    in_day
        .then(|| midnight.checked_add_signed(since_midnight))?
        .map(|moment| moment.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + u32::from(digit - b'0'))
    })
}

/// Microseconds, and what follows the digits.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    let kept = &digits[..length.min(6)];
    let scale = 10_u32.pow(6 - u32::try_from(kept.len()).ok()?);
    (length > 0).then_some((number(kept)? * scale, rest))
}

/// Seconds east of Greenwich.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text.trim_ascii_start() {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2] | [sign, h1, h2, b':'] => (sign, number(&[*h1, *h2])?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, number(&[*h1, *h2])?, number(&[*m1, *m2])?)
        }
        _ => return None,
    };
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    match sign {
        _ if hours > 18 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_moment_is_read() {
        for (text, expected) in [
            ("2025-06-03T10:28:18+0000", "2025-06-03T10:28:18Z"),
            ("2025-06-03T10:28:18+00:00", "2025-06-03T10:28:18Z"),
            ("2025-06-03T10:28:18Z", "2025-06-03T10:28:18Z"),
            ("2025-06-03t10:28:18z", "2025-06-03T10:28:18Z"),
            ("2025-06-03T10:28:18", "2025-06-03T10:28:18Z"),
            ("2025-06-03 10:28:18", "2025-06-03T10:28:18Z"),
            ("2025-06-03 10:28:18 +0000", "2025-06-03T10:28:18Z"),
            (" 2025-06-03 10:28 ", "2025-06-03T10:28:00Z"),
            ("2025-06-03", "2025-06-03T00:00:00Z"),
            ("2021-04-07T17:16:09.000000Z", "2021-04-07T17:16:09Z"),
            ("2021-04-07T17:16:09.123456Z", "2021-04-07T17:16:09.123456Z"),
            ("2021-04-07T17:16:09.5Z", "2021-04-07T17:16:09.500Z"),
            (
                "2021-04-07T17:16:09.123456999Z",
                "2021-04-07T17:16:09.123456Z",
            ),
            ("2017-10-01T00:00:01-05:00", "2017-10-01T05:00:01Z"),
            ("2017-10-01T00:00:01+0530", "2017-09-30T18:30:01Z"),
            ("2017-10-01T00:00:01+02", "2017-09-30T22:00:01Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59+05:00", "9999-12-31T18:59:59Z"),
            ("0999-12-31T20:00:00-05:00", "1000-01-01T01:00:00Z"),
        ] {
            let expected: Time = expected.parse().unwrap();
            assert_eq!(moment(text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn nothing_and_zero_dates_are_no_moment() {
        for text in [
            "",
            "  ",
            "0000-00-00 00:00:00",
            "0000-00-00",
            "-0001-11-30T00:00:00+0000",
        ] {
            assert_eq!(moment(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "soon",
            "2025",
            "2025-13-01",
            "2025-02-29",
            "2025-06-03T",
            "2025-06-03T10",
            "2025-06-03T25:00:00Z",
            "2025-06-03T10:60:00Z",
            "2025-06-03T24:00:01Z",
            "2025-06-03T10:28:18+0",
            "2025-06-03T10:28:18+9900",
            "2025-06-03T10:28:18+0061",
            "2025-06-03T10:28:18 UTC",
            "2025-06-03T10:28:18.Z",
            "2025/06/03",
            "12025-06-03",
            "2025-06-03x",
            "２０２５-06-03",
            "1748946498",
        ] {
            assert_eq!(moment(text), Err(NotATime::Unreadable), "{text}");
        }
    }

    #[test]
    fn what_no_database_holds_is_refused_after_the_zone_was_applied() {
        for text in [
            "0999-01-01",
            "0000-01-01",
            "1000-01-01T00:00:00+05:00",
            "9999-12-31T23:59:59-05:00",
            "9999-12-31T23:59:59-00:01",
            "9999-12-31T23:59:60Z",
            "9999-12-31T24:00:00",
        ] {
            assert_eq!(moment(text), Err(NotATime::OutOfRange), "{text}");
        }
    }
}
