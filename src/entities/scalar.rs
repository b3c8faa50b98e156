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
        word if ["true", "yes", "y", "on"]
            .iter()
            .any(|yes| word.eq_ignore_ascii_case(yes)) =>
        {
            Ok(Some(true))
        }
        word if ["false", "no", "n", "off"]
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
mod tests;
