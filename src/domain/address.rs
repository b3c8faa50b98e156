//! An e-mail address as a mailing service knows it: one spelling, whatever the source's.

use std::fmt;

/// A plausible address, trimmed and in lower case. Its `Debug` tells nobody.
///
/// Only ASCII: what a mailing service makes of other letters before the `@` is not defined
/// anywhere, and two spellings of one person would be two people.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Reads an address; `None` when nobody could be reached by it. Blanks of every kind around it,
    /// characters that nobody sees anywhere in it, and what stands around an address in a mail
    /// (`Ada <ada@b.org>`, `mailto:`, a full stop) come from pasting: they make nobody another person.
    pub fn parse(text: &str) -> Option<Address> {
        let visible: String;
        let text = if text.is_ascii() {
            text
        } else {
            visible = text
                .chars()
                .filter(|letter| !is_invisible(*letter))
                .collect();
            visible.as_str()
        };
        let text = bare(text);
        let (name, host) = text.rsplit_once('@')?;
        let plain = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"@,;<>()[]\\\"".contains(&byte))
        };
        let labels = || host.split('.');
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let dots_fit = !name.starts_with('.') && !name.ends_with('.') && !name.contains("..");
        let top_fits = labels()
            .next_back()
            .is_some_and(|top| top.len() >= 2 && !top.bytes().all(|byte| byte.is_ascii_digit()));
        let is_plausible = (1..=64).contains(&name.len())
            && host.len() <= 253
            && plain(name)
            && dots_fit
            && labels().count() >= 2
            && labels().all(is_label)
            && top_fits;
        is_plausible.then(|| Address(text.to_ascii_lowercase()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What supporters are looked up by: the address, cut where an index of every database still
    /// holds it.
    pub fn key(&self) -> &str {
        self.0.get(..KEY_LENGTH).unwrap_or(&self.0)
    }
}

/// Letters of [`Address::key`].
const KEY_LENGTH: usize = 190;

/// Without what stands around it.
fn bare(text: &str) -> &str {
    let trim = |text: &'static str| {
        move |letter: char| letter.is_whitespace() || letter.is_control() || text.contains(letter)
    };
    let text = text.trim_matches(trim(",;"));
    // A pair of quotes; a single one may be the name's own first letter.
    let text = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text);
    let text = text
        .strip_suffix('>')
        .and_then(|text| Some(text.rsplit_once('<')?.1))
        .unwrap_or(text);
    let text = text.trim_matches(trim("")).trim_end_matches(trim(".,;"));
    match text.get(..MAILTO.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(MAILTO) => {
            text[MAILTO.len()..].trim_start_matches(trim(""))
        }
        _ => text,
    }
}

const MAILTO: &str = "mailto:";

/// Marks of width zero, direction and order, and the soft hyphen.
const fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_one_person() {
        assert_eq!(
            Address::parse(" Ada.Lovelace@Example.ORG\n")
                .unwrap()
                .as_str(),
            "ada.lovelace@example.org"
        );
        for text in [
            "ada@b.org\t",
            "\r\nada@b.org\u{a0}",
            "\u{feff}ada@b.org",
            "a\u{200b}da@b.org\u{200b}",
            "ADA@B.ORG\0",
            "\u{3000}ada@b.org\u{2028}",
            "<ada@b.org>",
            "Ada Lovelace <ADA@b.org>",
            "\"Lovelace, Ada\" < ada@b.org > ",
            "mailto:ada@b.org",
            "<MailTo: ada@b.org>",
            "ada@b.org.",
            "'ada@b.org',",
            "ada@b.org; ",
        ] {
            assert_eq!(
                Address::parse(text).unwrap().as_str(),
                "ada@b.org",
                "{text:?}"
            );
        }
        assert_eq!(
            Address::parse("'t.hooft@b.org").unwrap().as_str(),
            "'t.hooft@b.org",
            "somebody else than t.hooft"
        );
        assert_eq!(
            format!("{:?}", Address::parse("a@b.org")),
            "Some(Address(..))"
        );
    }

    #[test]
    fn what_reaches_nobody_is_no_address() {
        for text in [
            "",
            "a",
            "a@",
            "@b.org",
            "a@b",
            "a b@c.org",
            "a@b..org",
            "a@-b.org",
            "a@b.c",
            "a@127.0.0.1",
            "a,b@c.org",
            "é@b.org",
            ".a@b.org",
            "a@b@c.org",
            "<",
            ">",
            "<>",
            "mailto:",
            "<a@b.org",
            "<a@b.org> <",
            "a@b.org, c@d.org",
            "\"a@b.org",
            "a@b.org'",
            "é:@b.org",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }
}
