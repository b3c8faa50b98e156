//! Collects the text of one JSON value while it arrives, and keeps it small: a member that is too
//! large or nested too deeply is left out and named. What is kept is checked by the JSON parser
//! afterwards; here only strings and brackets are followed.

use memchr::{memchr, memchr2};

/// The largest member of an object that is kept, in bytes of JSON: several times the longest text
/// that any column takes.
const MEMBER_BYTES: usize = 128 * 1024;
/// The most that is kept of one value.
const VALUE_BYTES: usize = 1024 * 1024;
/// The deepest nesting that is kept.
const DEPTH: u32 = 128;
/// Members of an object that are named when they are left out.
const NAMES: usize = 16;
/// The longest key that is named.
const KEY_BYTES: usize = 100;

/// Why something was left out, in words for a reject.
pub(super) const TOO_LONG: &str = "too long to be read";
const TOO_DEEP: &str = "nested too deeply";

/// What was left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Keys, and why.
    pub(super) named: Vec<(String, &'static str)>,
    /// More than these, or something without a readable key: any field may be missing.
    pub(super) unnamed: Option<&'static str>,
}

/// One value in progress.
#[derive(Debug, Default)]
pub(super) struct Collector {
    text: Vec<u8>,
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// Where the text of the present member begins, with the comma before it.
    member: usize,
    /// The present member is being left out.
    dropping: bool,
    left_out: LeftOut,
}

impl Collector {
    /// Takes bytes up to the end of the value. Answers how many it took, and whether that end was
    /// met.
    ///
    /// A number or a word has no end of its own: whoever calls ends it at the first byte that
    /// cannot belong to it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_string {
                at += self.take_string(rest);
                if !self.in_string && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            let byte = rest[0];
            if self.depth == 0 && matches!(byte, b',' | b']' | b'}') {
                return (at, true);
            }
            at += 1;
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.keep(&[byte]);
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > DEPTH {
                        self.leave_out(TOO_DEEP);
                    }
                    self.keep(&[byte]);
                    if self.depth == 1 {
                        self.member = self.text.len();
                    }
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.text.push(byte);
                        return (at, true);
                    }
                    self.keep(&[byte]);
                }
                b',' if self.depth == 1 => {
                    // Without the first member its comma would be one too many.
                    let is_first = self.dropping && self.member == 1;
                    self.dropping = false;
                    self.member = self.text.len();
                    if !is_first {
                        self.text.push(byte);
                    } else {
                        self.member = 1;
                    }
                }
                // One blank is kept of many, so that what is not JSON does not become JSON.
                b' ' | b'\t' | b'\n' | b'\r' => {
                    if self.text.last() != Some(&b' ') {
                        self.keep(b" ");
                    }
                }
                _ => self.keep(&[byte]),
            }
        }
        (at, false)
    }

    /// The rest of a string, with its closing quote. Answers how many bytes that took.
    fn take_string(&mut self, bytes: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            self.keep(&bytes[..1]);
            return 1;
        }
        let end = memchr2(b'"', b'\\', bytes);
        let length = end.map_or(bytes.len(), |end| end + 1);
        match end.map(|end| bytes[end]) {
            Some(b'"') => self.in_string = false,
            Some(_) => self.escaped = true,
            None => {}
        }
        self.keep(&bytes[..length]);
        length
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.dropping {
            return;
        }
        if self.text.len() - self.member + bytes.len() > MEMBER_BYTES
            || self.text.len() + bytes.len() > VALUE_BYTES
        {
            self.leave_out(TOO_LONG);
            return;
        }
        self.text.extend_from_slice(bytes);
    }

    fn leave_out(&mut self, why: &'static str) {
        if self.dropping {
            return;
        }
        let key = self.text.get(self.member..).and_then(key_of);
        match key.and_then(|key| std::str::from_utf8(key).ok()) {
            Some(key) if self.left_out.named.len() < NAMES => {
                self.left_out.named.push((key.to_owned(), why))
            }
            _ => self.left_out.unnamed = Some(why),
        }
        self.text.truncate(self.member);
        self.dropping = true;
    }

    /// The text of the value, and what it lacks.
    pub(super) fn parts(&self) -> (&[u8], &LeftOut) {
        (&self.text, &self.left_out)
    }

    /// Makes ready for the next value. The memory is kept, for the next one is much like it.
    pub(super) fn clear(&mut self) {
        let text = std::mem::take(&mut self.text);
        *self = Collector {
            text,
            ..Collector::default()
        };
        self.text.clear();
    }
}

/// The key at the beginning of a member, which may begin with the comma before it; none when it is
/// not plain.
fn key_of(member: &[u8]) -> Option<&[u8]> {
    let begin = memchr(b'"', member)? + 1;
    let key = member.get(begin..)?;
    key.get(..memchr(b'"', key)?)
        .filter(|key| key.len() <= KEY_BYTES && !key.contains(&b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text kept of a value that comes in pieces of this length.
    fn collected(json: &str, piece: usize) -> (String, Vec<(String, &'static str)>) {
        let mut collector = Collector::default();
        for piece in json.as_bytes().chunks(piece) {
            if collector.take(piece).1 {
                break;
            }
        }
        let (text, left_out) = collector.parts();
        assert_eq!(left_out.unnamed, None);
        (
            String::from_utf8(text.to_vec()).unwrap(),
            left_out.named.clone(),
        )
    }

    #[test]
    fn a_usual_value_is_kept_as_it_is_however_it_is_cut() {
        let json =
            r#"{"id":7,"name":"a \"quoted\\ {[,","deep":[[{"a":[1,{}]}]],"empty":{},"n":-1.5e3}"#;
        for piece in 1..json.len() {
            assert_eq!(
                collected(json, piece),
                (json.to_owned(), Vec::new()),
                "{piece}"
            );
        }
        assert_eq!(collected("{ \"a\" :\n\t 1 2 }", 3).0, "{ \"a\" : 1 2 }");
    }

    #[test]
    fn a_member_that_is_too_large_is_left_out_wherever_it_stands_and_named() {
        let long = "x".repeat(MEMBER_BYTES);
        let deep = "[".repeat(500) + &"]".repeat(500);
        let whole = |members: &[String]| format!("{{{}}}", members.join(","));
        let members = [
            "\"id\":7".to_owned(),
            format!("\"name\":\"{long}\""),
            "\"z\":[1,2]".to_owned(),
            format!("\"deep\":{deep}"),
        ];
        for order in [
            [0, 1, 2, 3],
            [1, 0, 3, 2],
            [3, 1, 0, 2],
            [1, 3, 2, 0],
            [2, 0, 1, 3],
        ] {
            for piece in [1, 7, 4_096, usize::MAX] {
                let (text, left_out) =
                    collected(&whole(&order.map(|place| members[place].clone())), piece);
                let kept: Vec<String> = order
                    .iter()
                    .filter(|place| [0, 2].contains(*place))
                    .map(|place| members[*place].clone())
                    .collect();
                assert_eq!(text, whole(&kept), "{order:?}");
                let mut named: Vec<(&str, &str)> = left_out
                    .iter()
                    .map(|(key, why)| (key.as_str(), *why))
                    .collect();
                named.sort_unstable();
                assert_eq!(named, [("deep", TOO_DEEP), ("name", TOO_LONG)], "{order:?}");
            }
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let many = format!(
            "{{{}}}",
            (0..400_000)
                .map(|n| format!("\"k{n}\":{n}"))
                .collect::<Vec<_>>()
                .join(",")
        );
        for json in [
            many,
            format!("\"{}\"", "y".repeat(5_000_000)),
            format!("[{}", "1,".repeat(2_000_000)),
            "[".repeat(1_000_000),
        ] {
            let mut collector = Collector::default();
            for piece in json.as_bytes().chunks(10_000) {
                collector.take(piece);
                assert!(
                    collector.text.capacity() <= 2 * VALUE_BYTES
                        && collector.left_out.named.len() <= NAMES
                );
            }
            assert!(collector.left_out.unnamed.is_some());
        }
    }
}
