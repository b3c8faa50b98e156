//! Single values: lenient towards every spelling the source is known to use, strict in what comes out. An error names the
//! field and what was expected, never the value.

use crate::domain::{Money, Time};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::value::RawValue;

/// Field and expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) field: &'static str,
    pub(super) expected: &'static str,
}

type Raw<'a> = Option<&'a RawValue>;
type Read<T> = Result<T, Unfit>;

/// The literal, unless it is absent or null.
fn literal(raw: Raw<'_>) -> Option<&str> {
    raw.map(RawValue::get).filter(|text| *text != "null")
}

/// A string's content; numbers are taken as they are spelled.
fn content(field: &'static str, raw: Raw<'_>, expected: &'static str) -> Read<Option<String>> {
    let Some(text) = literal(raw) else { return Ok(None) };
    match text.as_bytes().first() {
        Some(b'"') => {
            let inner = &text[1..text.len() - 1];
            if inner.contains('\\') {
                return serde_json::from_str(text).map(Some).map_err(|_| Unfit { field, expected });
            }
            Ok(Some(inner.to_owned()))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Some(text.to_owned())),
        _ => Err(Unfit { field, expected }),
    }
}

/// Text; empty is as absent. NUL, which PostgreSQL cannot hold, is taken out.
pub(super) fn text(field: &'static str, raw: Raw<'_>) -> Read<Option<String>> {
    let text = content(field, raw, "text")?;
    Ok(text.map(|text| if text.contains('\0') { text.replace('\0', "") } else { text }).filter(|text| !text.is_empty()))
}

/// Text that must be there.
pub(super) fn word(field: &'static str, raw: Raw<'_>) -> Read<String> {
    text(field, raw)?.ok_or(Unfit { field, expected: "text" })
}

/// The record's own id: a number above 0, or the same as text.
pub(super) fn id(field: &'static str, raw: Raw<'_>) -> Read<i64> {
    link(field, raw)?.ok_or(Unfit { field, expected: "a positive whole number" })
}

/// Another record's id; null, empty and 0 are no link.
pub(super) fn link(field: &'static str, raw: Raw<'_>) -> Read<Option<i64>> {
    let unfit = Unfit { field, expected: "a positive whole number" };
    let Some(text) = content(field, raw, unfit.expected)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.trim().parse::<i64>() {
        Ok(0) => Ok(None),
        Ok(id) if id > 0 => Ok(Some(id)),
        _ => Err(unfit),
    }
}

/// A count in the envelope.
pub(super) fn count(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

/// An amount, from number or text, never through a float.
pub(super) fn money(field: &'static str, raw: Raw<'_>) -> Read<Option<Money>> {
    let Some(text) = content(field, raw, "a decimal number")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    match Money::parse(&text) {
        Ok(amount) => Ok(Some(amount)),
        Err(crate::domain::MoneyError::TooLarge) => Err(Unfit { field, expected: "an amount below 10^15" }),
        Err(crate::domain::MoneyError::NotANumber) => Err(Unfit { field, expected: "a decimal number" }),
    }
}

/// A flag in any of its spellings; absent stays absent.
pub(super) fn flag(field: &'static str, raw: Raw<'_>) -> Read<Option<bool>> {
    match literal(raw).map(|text| text.trim_matches('"').to_ascii_lowercase()).as_deref() {
        None | Some("") => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Unfit { field, expected: "true or false" }),
    }
}

/// A moment in any of the contract's spellings (section 6); without a zone it is UTC.
pub(super) fn time(field: &'static str, raw: Raw<'_>) -> Read<Option<Time>> {
    let unfit = Unfit { field, expected: "a date or a moment" };
    let Some(text) = content(field, raw, unfit.expected)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    moment(text.trim()).map(Some).ok_or(unfit)
}

fn moment(text: &str) -> Option<Time> {
    if text.starts_with("0000") {
        return None;
    }
    let (local, offset) = match text.get(19..) {
        // `2025-05-29T17:45:43+0000`, what nearly every value looks like.
        Some("+0000" | "Z" | "+00:00" | "") => (text.get(..19)?, None),
        _ => (text, Some(())),
    };
    let at = if offset.is_none() {
        NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S")
            .or_else(|_| NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S"))
            .ok()?
            .and_utc()
    } else {
        ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"]
            .iter()
            .find_map(|format| DateTime::parse_from_str(text, format).ok())
            .map(|at| at.with_timezone(&Utc))
            .or_else(|| {
                ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
                    .iter()
                    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
                    .map(|at| at.and_utc())
            })
            .or_else(|| text.parse::<NaiveDate>().ok().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()))?
    };
    // Every database keeps microseconds, and years of four digits.
    (1..=9999).contains(&chrono::Datelike::year(&at)).then(|| chrono::SubsecRound::trunc_subsecs(at, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn moments_are_read_in_every_spelling() {
        for (text, expected) in [
            ("2025-05-29T17:45:43+0000", "2025-05-29T17:45:43+00:00"),
            ("2025-05-29T17:45:43Z", "2025-05-29T17:45:43+00:00"),
            ("2025-05-29T17:45:43+00:00", "2025-05-29T17:45:43+00:00"),
            ("2025-05-29T17:45:43-05:00", "2025-05-29T22:45:43+00:00"),
            ("2025-05-29T17:45:43-0500", "2025-05-29T22:45:43+00:00"),
            ("2021-04-07T17:16:09.000000Z", "2021-04-07T17:16:09+00:00"),
            ("2021-04-07T17:16:09.123Z", "2021-04-07T17:16:09.123+00:00"),
            ("2021-04-23 08:23:21", "2021-04-23T08:23:21+00:00"),
            ("2025-12-04", "2025-12-04T00:00:00+00:00"),
        ] {
            let value = raw(&format!("\"{text}\""));
            assert_eq!(time("t", Some(&value)).unwrap().unwrap().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false), expected, "{text}");
        }
        for text in ["\"soon\"", "\"2025-13-01\"", "\"0000-00-00 00:00:00\"", "{}", "true"] {
            assert!(time("t", Some(&raw(text))).is_err(), "{text}");
        }
        for text in ["null", "\"\""] {
            assert_eq!(time("t", Some(&raw(text))), Ok(None));
        }
    }

    #[test]
    fn ids_amounts_flags_and_texts_are_read_in_every_spelling() {
        assert_eq!(id("id", Some(&raw("4000000001"))), Ok(4_000_000_001));
        assert_eq!(id("id", Some(&raw("\"4000000001\""))), Ok(4_000_000_001));
        for text in ["0", "-5", "1.5", "\"x\"", "null", "[]", "99999999999999999999"] {
            assert!(id("id", Some(&raw(text))).is_err(), "{text}");
        }
        assert_eq!(link("l", Some(&raw("0"))), Ok(None));
        assert_eq!(money("m", Some(&raw("\"52.500\""))).unwrap().unwrap().to_string(), "52.5");
        assert_eq!(money("m", Some(&raw("6.01"))).unwrap().unwrap().to_string(), "6.01");
        assert!(money("m", Some(&raw("\"12,50\""))).is_err() && money("m", Some(&raw("{}"))).is_err());
        for (text, expected) in
            [("true", Some(true)), ("\"1\"", Some(true)), ("0", Some(false)), ("\"False\"", Some(false)), ("null", None)]
        {
            assert_eq!(flag("f", Some(&raw(text))), Ok(expected), "{text}");
        }
        assert!(flag("f", Some(&raw("\"maybe\""))).is_err());
        assert_eq!(text("t", Some(&raw("\"a\\u0000b \\u00e9\""))), Ok(Some("ab é".to_owned())));
        assert_eq!(text("t", Some(&raw("97477"))), Ok(Some("97477".to_owned())));
        assert_eq!(text("t", Some(&raw("\"\""))), Ok(None));
        assert!(text("t", Some(&raw("\"\\ud800\""))).is_err());
    }
}
