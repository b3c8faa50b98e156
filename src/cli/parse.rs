//! Moments, durations and paths as people type them.

use crate::clock;
use crate::domain::{Harm, Time, limits};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use clap::builder::{PathBufValueParser, TypedValueParser};
use std::path::PathBuf;

/// A day or a moment of the past, from which on something is read again.
pub(super) fn since(text: &str) -> Result<Time, String> {
    moment(text).and_then(|at| limits::since(at, clock::now()))
}

/// A day or a moment; without a zone it is UTC.
fn moment(text: &str) -> Result<Time, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S%z",
    ]
    .iter()
    .find_map(|format| {
        let zoned = DateTime::parse_from_str(text, format).map(|at| at.with_timezone(&Utc));
        zoned
            .or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc()))
            .ok()
    })
    .ok_or_else(|| "a day (2026-01-31) or a moment (2026-01-31T12:00:00Z)".to_owned())
}

/// `50ms`, `2s`, `1m`.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A kind of harm by its word.
pub(super) fn harm(text: &str) -> Result<Harm, String> {
    Harm::of(text)
        .ok_or_else(|| format!("expected one of {}", Harm::ALL.map(Harm::as_str).join(", ")))
}

/// A path of this machine. An address that was typed there by mistake may have a password in it:
/// here it is refused without being repeated, and not looked for and named as a file.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let text = path.to_string_lossy();
        let is_login = text
            .split_once('@')
            .is_some_and(|(before, _)| before.contains(':'));
        if text.contains("://") || is_login {
            Err("a path of this machine, not an address")
        } else {
            Ok(path)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        for text in [
            "2026-01-31",
            "2026-01-31T00:00:00Z",
            "2026-01-31T01:00:00+01:00",
            "2026-01-31 00:00:00",
            "2026-01-31T00:00:00+0000",
        ] {
            assert_eq!(
                moment(text).unwrap().to_rfc3339(),
                "2026-01-31T00:00:00+00:00",
                "{text}"
            );
        }
        assert!(moment("yesterday").is_err());
        for text in [
            "+10000-01-01",
            "-0001-01-01",
            "0000-12-31",
            "9999-12-31",
            "9999-12-31T23:59:59-05:00",
        ] {
            assert!(since(text).is_err(), "{text}");
        }
        assert!(since("0001-01-01").is_ok() && since("2026-01-31").is_ok());
    }
}
