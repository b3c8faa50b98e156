//! Reads single values leniently: the source spells the same thing as a number here and as a string there (contract 6).

use super::time;
use crate::domain::{Money, MoneyError, RejectReason, Time};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The literal text of a value; absent when missing or null.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Why a value does not fit: never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) reason: RejectReason,
    pub(super) expected: &'static str,
}

const fn misfit(expected: &'static str) -> Misfit {
    Misfit { reason: RejectReason::Invalid, expected }
}

/// What is between the quotes, or the literal of a number or a boolean.
fn literal(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => {
            let inner = json.get(1..json.len().checked_sub(1)?)?;
            if inner.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
        }
        b'{' | b'[' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Text as it is, without NUL characters (PostgreSQL's text holds none); nothing when empty.
pub(super) fn text(raw: Raw<'_>) -> Result<Option<String>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("not a text"))?;
    let text = if text.contains('\0') { text.replace('\0', "") } else { text.into_owned() };
    Ok((!text.is_empty()).then_some(text))
}

/// Text that must be there.
pub(super) fn word(raw: Raw<'_>) -> Result<String, Misfit> {
    text(raw)?.ok_or(misfit("missing"))
}

/// A record's own id.
pub(super) fn id(raw: Raw<'_>) -> Result<i64, Misfit> {
    link(raw)?.ok_or(misfit("missing"))
}

/// The id of another record; nothing when empty or 0.
pub(super) fn link(raw: Raw<'_>) -> Result<Option<i64>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("not an id"))?;
    match text.trim() {
        "" => Ok(None),
        digits => match digits.parse::<i64>() {
            Ok(0) => Ok(None),
            Ok(id) if id > 0 => Ok(Some(id)),
            _ => Err(misfit("not an id")),
        },
    }
}

/// A count.
pub(super) fn count(raw: Raw<'_>) -> Option<u64> {
    literal(raw?)?.trim().parse().ok()
}

/// Yes, no, or not said.
pub(super) fn flag(raw: Raw<'_>) -> Result<Option<bool>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("neither true nor false"))?;
    match text.trim() {
        "" => Ok(None),
        "1" => Ok(Some(true)),
        "0" => Ok(Some(false)),
        word if word.eq_ignore_ascii_case("true") => Ok(Some(true)),
        word if word.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ => Err(misfit("neither true nor false")),
    }
}

/// A yes; not said is a no.
pub(super) fn yes(raw: Raw<'_>) -> Result<bool, Misfit> {
    Ok(flag(raw)?.unwrap_or(false))
}

/// An amount, from its literal text.
pub(super) fn money(raw: Raw<'_>) -> Result<Option<Money>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("not a decimal number"))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Money::parse(&text).map(Some).map_err(|error| match error {
        MoneyError::NotANumber => misfit("not a decimal number"),
        MoneyError::TooLarge => Misfit { reason: RejectReason::AmountTooLarge, expected: "larger than 15 digits before the point" },
    })
}

/// A moment; only a text can be one.
pub(super) fn time(raw: Raw<'_>) -> Result<Option<Time>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = raw.get().starts_with('"').then(|| literal(raw)).flatten().ok_or(misfit("not a date and time"))?;
    time::moment(&text).map_err(|_| misfit("not a date and time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(json: &str, read: impl Fn(Raw<'_>) -> T) -> T {
        read(serde_json::from_str::<Raw<'_>>(json).unwrap())
    }

    #[test]
    fn booleans_come_in_many_spellings() {
        for (json, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            (r#""true""#, Some(true)),
            (r#""FALSE""#, Some(false)),
            (r#""1""#, Some(true)),
            (r#""0""#, Some(false)),
            ("null", None),
            (r#""""#, None),
        ] {
            assert_eq!(with(json, flag), Ok(expected), "{json}");
        }
        for json in ["2", r#""yes, please""#, "{}", "[true]", "1.0"] {
            assert!(with(json, flag).is_err(), "{json}");
        }
    }

    #[test]
    fn ids_are_positive_64_bit_numbers_in_either_type() {
        for (json, expected) in [
            ("7", Some(7)),
            (r#""7""#, Some(7)),
            ("4294967296", Some(4_294_967_296)),
            ("9223372036854775807", Some(i64::MAX)),
            ("0", None),
            (r#""0""#, None),
            (r#""""#, None),
            ("null", None),
        ] {
            assert_eq!(with(json, link), Ok(expected), "{json}");
        }
        for json in ["-1", "1.5", "1e3", r#""abc""#, "9223372036854775808", "{}", "[]", "true"] {
            assert!(with(json, link).is_err(), "{json}");
        }
        assert_eq!(with("0", id), Err(misfit("missing")));
    }

    #[test]
    fn texts_are_kept_verbatim_but_for_nul() {
        for (json, expected) in [
            (r#""Zo\u00eb \"Z\" O\u0000'Neil \ud83d\ude00""#, Some("Zoë \"Z\" O'Neil 😀")),
            (r#"" padded ""#, Some(" padded ")),
            (r#""\u0000""#, None),
            (r#""""#, None),
            ("null", None),
            ("97477", Some("97477")),
            ("1", Some("1")),
        ] {
            assert_eq!(with(json, text), Ok(expected.map(str::to_owned)), "{json}");
        }
        for json in [r#""\ud800""#, "{}", "[]"] {
            assert_eq!(with(json, text), Err(misfit("not a text")), "{json}");
        }
        assert_eq!(with("null", word), Err(misfit("missing")));
    }

    #[test]
    fn amounts_never_pass_through_a_float() {
        for (json, expected) in [
            ("6.01", Some("6.01")),
            (r#""52.500""#, Some("52.5")),
            ("5", Some("5")),
            ("1e3", Some("1000")),
            ("999999999999999.9999", Some("999999999999999.9999")),
            ("-4.5", Some("-4.5")),
            (r#""""#, None),
            ("null", None),
        ] {
            assert_eq!(with(json, money).map(|amount| amount.map(|amount| amount.to_string())), Ok(expected.map(str::to_owned)), "{json}");
        }
        for json in [r#""12,50""#, r#""NaN""#, "{}", "true"] {
            assert_eq!(with(json, money), Err(misfit("not a decimal number")), "{json}");
        }
        assert_eq!(with("1e18", money).unwrap_err().reason, RejectReason::AmountTooLarge);
    }

    #[test]
    fn only_a_text_is_a_moment() {
        assert_eq!(with(r#""2025-06-08""#, time), Ok(Some("2025-06-08T00:00:00Z".parse().unwrap())));
        assert_eq!(with(r#""""#, time), Ok(None));
        for json in ["20250608", "1748946498", "{}", r#""tomorrow""#] {
            assert_eq!(with(json, time), Err(misfit("not a date and time")), "{json}");
        }
    }
}
