//! "Not before": the two forms of `Retry-After`, and the reset time of a rate limit, turned into a
//! wait.
//!
//! A neighbour's clock may differ from ours, so dates are measured against the date of the same
//! reply.

use crate::domain::Time;
use std::time::Duration;

/// The longest wait that is believed.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A number of seconds beyond this is no wait but a mistake (or a date).
const ABSURD_SECONDS: u64 = u32::MAX as u64;

/// Reads a `Retry-After`: seconds, or an HTTP date in any of its three forms, seen from `now` (the
/// reply's own `Date`).
///
/// Garbage, nothing, zero, negative numbers, past dates and absurdly large numbers are no answer:
/// the caller then backs off as if the header were absent. At most [`LONGEST_WAIT`].
pub fn retry_after(value: &str, now: Time) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value
            .parse()
            .ok()
            .filter(|seconds| *seconds <= ABSURD_SECONDS)?;
        return believed(Duration::from_secs(seconds));
    }
    until(Time::from(httpdate::parse_http_date(value).ok()?), now)
}

/// Reads the reset of a rate limit: Unix seconds (contract 7), or, when far too small for that,
/// seconds from now.
pub fn reset_at(value: &str, now: Time) -> Option<Duration> {
    let seconds: i64 = value.trim().parse().ok()?;
    match seconds {
        ..1 => None,
        1..100_000_000 => believed(Duration::from_secs(seconds.unsigned_abs())),
        _ => until(Time::from_timestamp(seconds, 0)?, now),
    }
}

/// Adds up to a tenth, at most half a minute: those who were told the same moment come back one
/// after the other, none too early.
pub fn upwards(wait: Duration) -> Duration {
    wait + (wait / 10)
        .min(Duration::from_secs(30))
        .mul_f64(rand::random::<f64>())
}

fn until(moment: Time, now: Time) -> Option<Duration> {
    believed((moment - now).to_std().ok()?)
}

fn believed(wait: Duration) -> Option<Duration> {
    (!wait.is_zero()).then_some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        Time::from_timestamp(784_111_777, 0).unwrap() // Sun, 06 Nov 1994 08:49:37 GMT
    }

    #[test]
    fn both_forms_and_all_date_spellings_are_read() {
        for (value, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("3600", Some(3600)),
            ("3601", Some(3600)),
            ("4294967295", Some(3600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Mon, 06 Nov 1995 08:49:37 GMT", Some(3600)),
        ] {
            assert_eq!(
                retry_after(value, now()),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_no_wait_counts_as_absent() {
        for value in [
            "",
            " ",
            "0",
            "-5",
            "soon",
            "1.5",
            "1e3",
            "99999999999999999999999",
            "4294967296",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:48:37 GMT",
            "٣",
        ] {
            assert_eq!(retry_after(value, now()), None, "{value}");
        }
    }

    #[test]
    fn a_reset_is_a_moment_or_a_number_of_seconds() {
        for (value, seconds) in [
            ("784111807", Some(30)),
            ("30", Some(30)),
            ("784111776", None),
            ("0", None),
            ("-3", None),
            ("x", None),
            ("9784111777", Some(3600)),
        ] {
            assert_eq!(
                reset_at(value, now()),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[test]
    fn jitter_only_lengthens() {
        for wait in [1, 120, 3600].map(Duration::from_secs) {
            for _ in 0..200 {
                let jittered = upwards(wait);
                assert!(
                    jittered >= wait && jittered <= wait + Duration::from_secs(30).min(wait / 10),
                    "{jittered:?}"
                );
            }
        }
    }
}
