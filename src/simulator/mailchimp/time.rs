//! Moments and digits as the API writes them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat};
use std::fmt::Write;

/// `2026-01-02T03:04:05+00:00`
pub(super) fn text(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// A moment with an offset, without one, or a day. None when a plus became a space on the way
/// (contract 2).
pub(super) fn moment(text: &str) -> Option<i64> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN).and_utc().timestamp());
    }
    if text.contains(' ') {
        return None;
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.timestamp())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
                .map(|at| at.and_utc().timestamp())
        })
        .ok()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |part: u8| char::from(DIGITS[usize::from(part & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// So many hexadecimal digits, told from a number.
pub(super) fn digits(seed: u64, count: usize) -> String {
    let mut out = String::with_capacity(count + 16);
    let mut part = seed;
    while out.len() < count {
        part = crate::simulator::fault::mix(part);
        let _ = write!(out, "{part:016x}");
    }
    out.truncate(count);
    out
}
