//! A person's name, and the trace of it in the mirror, which tells whether a part of it is replaced
//! without holding it.

use crate::integrations::fingerprint;

/// A text field holds so many bytes.
const MOST_BYTES: usize = 255;

/// First and last name, trimmed and as long as Mailchimp keeps them; blank when there is none.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Name {
    pub(crate) first: String,
    pub(crate) last: String,
}

/// What comparing a wanted name with the one that is there says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NameDifference {
    /// A part must be sent.
    pub(crate) differs: bool,
    /// A part that is there would be replaced by another.
    pub(crate) replaces: bool,
}

/// Trimmed, and cut at the end of a letter where Mailchimp would cut it.
pub(crate) fn cut(text: Option<&str>) -> String {
    let text = text.unwrap_or_default().trim();
    text[..text.floor_char_boundary(MOST_BYTES)]
        .trim_end()
        .to_owned()
}

impl Name {
    pub(crate) fn of(first: &str, last: &str) -> Name {
        Name {
            first: cut(Some(first)),
            last: cut(Some(last)),
        }
    }

    /// Both parts in one number, half each; `None` when there is no name.
    pub(crate) fn hash(&self) -> Option<i64> {
        let (first, last) = (half(&self.first), half(&self.last));
        (first != 0 || last != 0).then(|| ((u64::from(first) << 32) | u64::from(last)) as i64)
    }

    /// Against the hash of what is there. A blank part wants nothing.
    pub(crate) fn against(&self, there: Option<i64>) -> NameDifference {
        let there = there.unwrap_or_default() as u64;
        let parts = [
            (&self.first, (there >> 32) as u32),
            (&self.last, there as u32),
        ];
        let mut difference = NameDifference::default();
        for (wanted, there) in parts.into_iter().filter(|(wanted, _)| !wanted.is_empty()) {
            let differs = half(wanted) != there;
            difference.differs |= differs;
            difference.replaces |= differs && there != 0;
        }
        difference
    }

    /// The hash after this name was sent to where another one was.
    pub(crate) fn over(&self, there: Option<i64>) -> Option<i64> {
        let old = there.unwrap_or_default() as u64;
        let first = if self.first.is_empty() {
            (old >> 32) as u32
        } else {
            half(&self.first)
        };
        let last = if self.last.is_empty() {
            old as u32
        } else {
            half(&self.last)
        };
        (first != 0 || last != 0).then(|| ((u64::from(first) << 32) | u64::from(last)) as i64)
    }
}

/// Half of a fingerprint; 0 for a blank and for nothing else.
fn half(part: &str) -> u32 {
    if part.is_empty() {
        0
    } else {
        (fingerprint(part.as_bytes()) as u32).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_part_that_is_there_can_be_replaced() {
        let there = Name::of("Ada", "").hash();
        let say = |first: &str, last: &str| {
            let difference = Name::of(first, last).against(there);
            (difference.differs, difference.replaces)
        };
        assert_eq!(say("Ada", ""), (false, false));
        assert_eq!(say("", ""), (false, false), "a blank never overwrites");
        assert_eq!(say("Ada", "Lovelace"), (true, false));
        assert_eq!(say("Grace", ""), (true, true));
        assert_eq!(Name::of("", "").hash(), None);
    }

    #[test]
    fn a_blank_part_leaves_what_was_there() {
        let there = Name::of("Ada", "Lovelace").hash();
        assert_eq!(
            Name::of("Grace", "").over(there),
            Name::of("Grace", "Lovelace").hash()
        );
        assert_eq!(Name::default().over(there), there);
    }

    #[test]
    fn names_are_cut_by_bytes_at_a_letter() {
        assert_eq!(cut(Some(&"é".repeat(200))).len(), 254);
        assert_eq!(cut(Some("  Ada ")), "Ada");
        assert_eq!(cut(None), "");
    }
}
