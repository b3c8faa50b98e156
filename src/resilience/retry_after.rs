//! `Retry-After` in both its forms, and what is no `Retry-After` at all.

use std::time::{Duration, SystemTime};

/// Longer than an hour is taken for an hour: the schedule comes by again anyway.
const LONGEST: Duration = Duration::from_secs(3_600);

/// A date of an HTTP header in any of its three forms.
pub fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

/// Reads `Retry-After`: whole seconds, or a date, which is measured against the answer's own `Date` where it has one.
/// Garbage, the past and negative numbers are as if nothing had been said.
pub fn retry_after(value: &str, date: Option<SystemTime>) -> Option<Duration> {
    let value = value.trim();
    let wait = if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // More digits than a number holds is still a long time.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        parse_date(value)?.duration_since(date?).ok()?
    };
    Some(wait.min(LONGEST)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_garbage_is_not() {
        let date = parse_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(date.is_some());
        for (value, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", None),
            ("-5", None),
            ("1e9", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", Some(3_600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:50:37 1994", Some(60)),
            ("Sun, 06 Nov 1994 08:40:37 GMT", None),
            ("Sun, 06 Nov 2094 08:49:37 GMT", Some(3_600)),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
    }
}
