//! Reads single values leniently: the source spells the same thing as a number here and as a string
//! there (contract 6).

use super::moment::{self, NotATime};
use crate::domain::limits::{EMAIL_CHARS, TEXT_CHARS};
use crate::domain::{Money, MoneyError, RejectReason, Time};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Bytes of JSON that one character takes at most: two escapes of a surrogate pair.
const LONGEST_ESCAPE: usize = 12;

/// The literal text of a value; absent when missing or null.
pub(crate) type Raw<'a> = Option<&'a RawValue>;

/// Why a value does not fit: never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) reason: RejectReason,
    pub(crate) expected: &'static str,
}

const fn misfit(expected: &'static str) -> Misfit {
    Misfit {
        reason: RejectReason::Invalid,
        expected,
    }
}

/// What is between the quotes, or the literal of a number or a boolean.
fn literal(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => {
            let inner = json.get(1..json.len().checked_sub(1)?)?;
            if inner.contains('\\') {
                serde_json::from_str(json).ok().map(Cow::Owned)
            } else {
                Some(Cow::Borrowed(inner))
            }
        }
        b'{' | b'[' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Text as it is, without NUL characters (PostgreSQL's text holds none); nothing when empty. One
/// that is too long is refused before it is copied.
pub(crate) fn text(raw: Raw<'_>) -> Result<Option<String>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let too_long = misfit("longer than 4000 characters");
    if raw.get().len() > LONGEST_ESCAPE * TEXT_CHARS + 2 {
        return Err(too_long);
    }
    let text = literal(raw).ok_or(misfit("not a text"))?;
    if text.len() > TEXT_CHARS && text.chars().nth(TEXT_CHARS).is_some() {
        return Err(too_long);
    }
    let text = if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text.into_owned()
    };
    Ok((!text.is_empty()).then_some(text))
}

/// Free text that decides nothing, and costs nobody the record: what is longer than a text may be
/// is cut there, what is no text is left out.
pub(crate) fn note(raw: Raw<'_>) -> Result<Option<String>, Misfit> {
    let Some(text) = raw.and_then(literal) else {
        return Ok(None);
    };
    let text: String = text
        .chars()
        .filter(|character| *character != '\0')
        .take(TEXT_CHARS)
        .collect();
    Ok((!text.is_empty()).then_some(text))
}

/// A value of any shape, kept as it is written, without NUL characters; nothing when it is longer
/// than a text may be.
pub(crate) fn json(raw: Raw<'_>) -> Result<Option<String>, Misfit> {
    Ok(raw
        .map(RawValue::get)
        .filter(|json| json.len() <= TEXT_CHARS && !json.contains("\\u0000"))
        .map(str::to_owned))
}

/// An e-mail address as it is, if it can be one by its length. Without a character it would be
/// somebody else's.
pub(crate) fn email(raw: Raw<'_>) -> Result<Option<String>, Misfit> {
    if raw
        .and_then(literal)
        .is_some_and(|text| text.contains('\0'))
    {
        return Err(misfit("holds a NUL character"));
    }
    match text(raw)? {
        Some(text) if text.len() > EMAIL_CHARS && text.chars().nth(EMAIL_CHARS).is_some() => {
            Err(misfit("longer than 320 characters"))
        }
        text => Ok(text),
    }
}

/// Text that must be there.
pub(crate) fn word(raw: Raw<'_>) -> Result<String, Misfit> {
    text(raw)?.ok_or(misfit("missing"))
}

/// A record's own id.
pub(crate) fn id(raw: Raw<'_>) -> Result<i64, Misfit> {
    link(raw)?.ok_or(misfit("missing"))
}

/// The id of another record; nothing when empty or 0.
pub(crate) fn link(raw: Raw<'_>) -> Result<Option<i64>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("not an id"))?;
    match text.trim_ascii() {
        "" => Ok(None),
        digits => match whole(digits).ok_or(misfit("not an id"))? {
            0 => Ok(None),
            id => Ok(Some(id)),
        },
    }
}

/// A count.
pub(crate) fn count(raw: Raw<'_>) -> Option<u64> {
    whole(literal(raw?)?.trim_ascii())?.try_into().ok()
}

/// A number of digits only, as far as a database holds it: the standard reader takes a sign, too.
fn whole(digits: &str) -> Option<i64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Yes, no, or not said.
pub(crate) fn flag(raw: Raw<'_>) -> Result<Option<bool>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("neither true nor false"))?;
    match text.trim() {
        "" => Ok(None),
        "1" => Ok(Some(true)),
        "0" => Ok(Some(false)),
        word if ["true", "yes"]
            .iter()
            .any(|yes| word.eq_ignore_ascii_case(yes)) =>
        {
            Ok(Some(true))
        }
        word if ["false", "no"]
            .iter()
            .any(|no| word.eq_ignore_ascii_case(no)) =>
        {
            Ok(Some(false))
        }
        _ => Err(misfit("neither true nor false")),
    }
}

/// A yes; not said is a no.
pub(crate) fn yes(raw: Raw<'_>) -> Result<bool, Misfit> {
    Ok(flag(raw)?.unwrap_or(false))
}

/// An amount, from its literal text.
pub(crate) fn money(raw: Raw<'_>) -> Result<Option<Money>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = literal(raw).ok_or(misfit("not a decimal number"))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Money::parse(&text).map(Some).map_err(|error| match error {
        MoneyError::NotANumber => misfit("not a decimal number"),
        MoneyError::TooLarge => Misfit {
            reason: RejectReason::AmountTooLarge,
            expected: "larger than 15 digits before the point",
        },
    })
}

/// A moment; only a text can be one.
pub(crate) fn time(raw: Raw<'_>) -> Result<Option<Time>, Misfit> {
    let Some(raw) = raw else { return Ok(None) };
    let text = raw
        .get()
        .starts_with('"')
        .then(|| literal(raw))
        .flatten()
        .ok_or(misfit("not a date and time"))?;
    moment::moment(&text).map_err(|error| match error {
        NotATime::Unreadable => misfit("not a date and time"),
        NotATime::OutOfRange => misfit("outside of the years 1000 to 9999 (UTC)"),
    })
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
        for json in [
            "-1",
            r#""+5""#,
            r#""1_000""#,
            r#""0x10""#,
            r#""１２""#,
            "1.5",
            "1e3",
            r#""abc""#,
            "9223372036854775808",
            "{}",
            "[]",
            "true",
        ] {
            assert!(with(json, link).is_err(), "{json}");
        }
        assert_eq!(with("0", id), Err(misfit("missing")));
    }

    #[test]
    fn texts_are_kept_verbatim_but_for_nul() {
        for (json, expected) in [
            (
                r#""Zo\u00eb \"Z\" O\u0000'Neil \ud83d\ude00""#,
                Some("Zoë \"Z\" O'Neil 😀"),
            ),
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
    fn a_text_that_is_too_long_is_refused_and_the_longest_is_kept() {
        let too_long = Err(misfit("longer than 4000 characters"));
        for one in ["x", "é", "😀", r"\u00e9", r"\ud83d\ude00", r"\n"] {
            let quoted = |count: usize| format!("\"{}\"", one.repeat(count));
            let kept = with(&quoted(TEXT_CHARS), text).unwrap().unwrap();
            assert_eq!(kept.chars().count(), TEXT_CHARS, "{one}");
            assert_eq!(with(&quoted(TEXT_CHARS + 1), text), too_long, "{one}");
            assert_eq!(with(&quoted(150_000), text), too_long, "{one}");
        }
    }

    #[test]
    fn what_decides_nothing_is_kept_as_far_as_there_is_room_and_costs_nobody_the_record() {
        let long = format!("\"{}\"", "é".repeat(TEXT_CHARS + 7));
        assert_eq!(with(&long, note).unwrap().unwrap(), "é".repeat(TEXT_CHARS));
        assert_eq!(with(r#""a\u0000b""#, note), Ok(Some("ab".to_owned())));
        for nothing in ["null", r#""""#, r#"{"a":1}"#, r#""\ud800""#] {
            assert_eq!(with(nothing, note), Ok(None), "{nothing}");
        }
        for kept in [
            r#"{"utm_source":"news","deep":[1,{}]}"#,
            "[]",
            "7",
            r#""text""#,
        ] {
            assert_eq!(with(kept, json), Ok(Some(kept.to_owned())));
        }
        for left_out in [long.as_str(), r#"{"a":"\u0000"}"#, "null"] {
            assert_eq!(with(left_out, json), Ok(None), "{left_out}");
        }
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
            assert_eq!(
                with(json, money).map(|amount| amount.map(|amount| amount.to_string())),
                Ok(expected.map(str::to_owned)),
                "{json}"
            );
        }
        for json in [
            r#""12,50""#,
            r#""NaN""#,
            r#""1_000""#,
            r#""+5""#,
            r#""0x10""#,
            r#""１２""#,
            "{}",
            "true",
        ] {
            assert_eq!(
                with(json, money),
                Err(misfit("not a decimal number")),
                "{json}"
            );
        }
        for json in [
            "1e18",
            "1e400",
            "-1e4000000000000",
            r#""9e99999999999999999999""#,
        ] {
            assert_eq!(
                with(json, money).unwrap_err().reason,
                RejectReason::AmountTooLarge,
                "{json}"
            );
        }
    }

    #[test]
    fn a_count_is_what_a_database_holds_of_it() {
        assert_eq!(
            (with("12", count), with(r#"" 12 ""#, count)),
            (Some(12), Some(12))
        );
        for json in [
            "null",
            "-1",
            "1.0",
            "1e3",
            r#""1_000""#,
            r#""+5""#,
            "18446744073709551615",
        ] {
            assert_eq!(with(json, count), None, "{json}");
        }
    }

    #[test]
    fn an_address_that_is_too_long_is_refused() {
        let long = |count: usize| format!("\"{}\"", "é".repeat(count));
        assert_eq!(
            with(&long(EMAIL_CHARS), email)
                .unwrap()
                .unwrap()
                .chars()
                .count(),
            EMAIL_CHARS
        );
        for count in [EMAIL_CHARS + 1, 2_800, TEXT_CHARS + 1] {
            assert!(with(&long(count), email).is_err(), "{count}");
        }
    }

    #[test]
    fn a_moment_that_no_database_holds_is_told_apart() {
        let expected = Err(misfit("outside of the years 1000 to 9999 (UTC)"));
        assert_eq!(with(r#""9999-12-31T23:59:59-05:00""#, time), expected);
    }

    #[test]
    fn only_a_text_is_a_moment() {
        assert_eq!(
            with(r#""2025-06-08""#, time),
            Ok(Some("2025-06-08T00:00:00Z".parse().unwrap()))
        );
        assert_eq!(with(r#""""#, time), Ok(None));
        for json in ["20250608", "1748946498", "{}", r#""tomorrow""#] {
            assert_eq!(
                with(json, time),
                Err(misfit("not a date and time")),
                "{json}"
            );
        }
    }
}
