//! What may be said of a text that cannot be read: place, line, column and what was expected. Never
//! the line, a value, or a key that nobody knows: a person may have put a secret there, and what is
//! said here is logged, stored, shown on pages and posted.

use super::{ConfigError, nearest};
use std::ops::Range;

/// A file that is no TOML.
pub(super) fn syntax(
    place: &str,
    text: &str,
    span: Option<Range<usize>>,
    message: &str,
) -> ConfigError {
    // The parser's own sentences are fixed texts; a line of the file is added only when its error
    // is displayed.
    let message = message.lines().next().unwrap_or_default();
    let cause = match span.map(|span| position(text, span.start)) {
        Some((line, column)) => format!("line {line}, column {column}: {message}"),
        None => message.to_owned(),
    };
    ConfigError::Syntax {
        place: place.to_owned(),
        cause,
    }
}

/// Line and column of a byte, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    (
        line,
        before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1,
    )
}

/// What was expected, from the message of an error that may quote a value, such as
/// `invalid type: string "...", expected a number`.
pub fn reason(message: &str) -> String {
    const URLS: [&str; 3] = ["URL", "port number", "host"];
    if message.starts_with("missing field `") {
        return message.lines().next().unwrap_or_default().to_owned();
    }
    if message.contains("socket address") {
        return "expected an address and a port, such as 127.0.0.1:8460".to_owned();
    }
    if message.contains("did not match any variant") {
        return "expected a text, { env = \"NAME\" } or { file = \"PATH\" }".to_owned();
    }
    // The last one is ours: a value that is quoted stands before it.
    match message
        .rfind("expected ")
        .map(|at| message[at..].lines().next().unwrap_or_default())
    {
        Some(expected) if URLS.iter().any(|word| expected.contains(word)) => {
            "expected an address such as https://example.org/path".to_owned()
        }
        Some(expected) => expected.to_owned(),
        None => "this is not a value that fits".to_owned(),
    }
}

/// A key that nothing reads. It is named only when it is a known one misspelt.
pub(super) fn unknown_key<'a>(
    place: &str,
    text: &str,
    key: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> ConfigError {
    let near = misspelt(key, known);
    let line = line_of(text, key).map(|line| format!("line {line}"));
    let key = match (&near, line) {
        (Some(_), _) => format!("'{key}'"),
        (None, Some(line)) => format!("in {line}"),
        (None, None) => "that does not look like any of the known ones".to_owned(),
    };
    ConfigError::UnknownKey {
        place: place.to_owned(),
        key,
        near,
    }
}

/// The known key of which this one is a slip of a finger.
pub fn misspelt<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(key, known).filter(|near| is_misspelt(key, near))
}

/// Whether the two differ by a slip of a finger in one of their parts, and not by what could be a
/// secret.
fn is_misspelt(key: &str, near: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) =
        (key.split('.').collect(), near.split('.').collect());
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| {
            one.len() >= 3 && super::keys::distance(one, other) <= (other.len() / 4).clamp(1, 3)
                || one == other
        })
}

/// The line of a dotted key, as far down as it is written there.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut table: &dyn toml_edit::TableLike = document.as_table();
    let mut found = None;
    let mut rest = key;
    loop {
        // A quoted key may hold dots itself.
        let (name, item, below) = table.iter().find_map(|(name, item)| {
            let below = rest.strip_prefix(name)?;
            (below.is_empty() || below.starts_with('.'))
                .then(|| (name, item, below.trim_start_matches('.')))
        })?;
        if let Some(span) = table
            .key(name)
            .and_then(toml_edit::Key::span)
            .or_else(|| item.span())
        {
            found = Some(position(text, span.start).0);
        }
        if below.is_empty() {
            return found;
        }
        match item.as_table_like() {
            Some(inner) => (table, rest) = (inner, below),
            None => return found,
        }
    }
}

/// The same for an error about a value: its line goes before what was expected.
pub(super) fn value(place: &str, text: &str, key: &str, message: &str) -> ConfigError {
    let reason = reason(message);
    let cause =
        line_of(text, key).map_or_else(|| reason.clone(), |line| format!("line {line}: {reason}"));
    // The names of headers are a person's own words.
    let key = if key.starts_with("classy.headers.") {
        "classy.headers"
    } else {
        key
    };
    ConfigError::Value {
        place: place.to_owned(),
        key: key.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_was_expected_and_never_what_was_there() {
        for (message, wanted) in [
            (
                "invalid type: string \"hush\", expected u32",
                "expected u32",
            ),
            (
                "invalid type: string \"hush, expected more\", expected i64",
                "expected i64",
            ),
            (
                "unknown variant `hush`, expected `bunyan` or `pretty`",
                "expected `bunyan` or `pretty`",
            ),
            (
                "invalid value: string \"hush\", expected relative URL without a base",
                "expected an address such as https://example.org/path",
            ),
            (
                "invalid socket address syntax",
                "expected an address and a port, such as 127.0.0.1:8460",
            ),
            ("hush", "this is not a value that fits"),
            ("missing field `name`", "missing field `name`"),
        ] {
            assert_eq!(reason(message), wanted);
        }
    }

    #[test]
    fn an_unknown_key_is_named_when_it_is_a_slip_and_else_by_its_line() {
        let known = [
            "http.token",
            "http.listen",
            "classy.client_id",
            "classy.headers",
            "log.level",
        ];
        let told =
            |text: &str, key: &str| unknown_key("f", text, key, known.into_iter()).to_string();
        assert_eq!(told("", "http.tokn"), "f: unknown key 'http.tokn'");
        assert_eq!(
            told("", "classy.client_idd"),
            "f: unknown key 'classy.client_idd'"
        );
        assert_eq!(
            told("a = 1\n[http]\nhush = \"x\"\n", "http.hush"),
            "f: unknown key in line 3"
        );
        assert_eq!(
            told("[http]\n\"hush.hush\" = \"x\"\n", "http.hush.hush"),
            "f: unknown key in line 2"
        );
        assert!(
            [
                "http.hush",
                "hush",
                "hush.token",
                "classy.hunter2",
                "classy.hea4ers1"
            ]
            .iter()
            .all(|key| !told("", key).contains(key))
        );
    }

    #[test]
    fn a_syntax_error_is_line_column_and_reason() {
        let text = "a = 1\nb = \"hush\nc = 2\n";
        let error = toml::from_str::<toml::Table>(text).unwrap_err();
        let told = syntax("f", text, error.span(), error.message()).to_string();
        assert!(
            told.starts_with("f: not valid TOML: line 2, column ") && !told.contains("hush"),
            "{told}"
        );
    }
}
