//! Every spelling of a single value that the source is known to use, and those that are none.

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
