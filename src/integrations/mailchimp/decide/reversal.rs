//! What takes a contact back to what it was before pushes, by what is there now. Pure.
//!
//! The pushes are walked from the latest to the first. As long as a field holds what a push wrote,
//! it goes back to what was there before that push; where it holds what was there before already,
//! that push never arrived or was taken back before; and where it holds something else, somebody
//! else wrote that since, and the walk of this field ends there.

use crate::domain::{Image, Values};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// A contact as it is now.
pub(crate) struct CurrentContact {
    pub(crate) values: Values,
    /// All names of its tags, in lower case.
    pub(crate) tags: BTreeSet<String>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reversal {
    pub(crate) fields: Values,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) untags: BTreeSet<String>,
    /// Fields that somebody else changed since.
    pub(crate) changed: Vec<String>,
}

impl Reversal {
    pub(crate) fn is_nothing(&self) -> bool {
        self.fields.0.is_empty() && self.tags.is_empty() && self.untags.is_empty()
    }
}

/// Whether two texts say the same as a field: Mailchimp shows numbers as it likes.
pub(crate) fn is_same_value(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let number = |text: &str| text.parse::<Decimal>().ok();
    one == other
        || number(one)
            .zip(number(other))
            .is_some_and(|(one, other)| one == other)
}

/// `images`: of one contact, the oldest first.
pub(crate) fn reverse(images: &[&Image], there: &CurrentContact) -> Reversal {
    let mut reverse = Reversal::default();
    let fields: BTreeSet<&String> = images
        .iter()
        .flat_map(|image| image.after.0.keys())
        .collect();
    for field in fields {
        let now = there.values.0.get(field).map(String::as_str);
        // A field that is not there any more holds nothing that could be taken back.
        let mut value = now;
        let mut is_others = value.is_none();
        for image in images.iter().rev() {
            let (Some(before), Some(after), Some(held)) =
                (image.before.0.get(field), image.after.0.get(field), value)
            else {
                continue;
            };
            if is_same_value(held, after) {
                value = Some(before);
            } else if !is_same_value(held, before) {
                is_others = value == now;
                break;
            }
        }
        match (value, now) {
            (Some(value), Some(now)) if !is_same_value(value, now) => {
                reverse.fields.0.insert(field.clone(), value.to_owned());
            }
            _ if is_others => reverse.changed.push(field.clone()),
            _ => {}
        }
    }
    let tags: BTreeMap<String, &String> = images
        .iter()
        .flat_map(|image| image.put_on.iter().chain(&image.taken_off))
        .map(|tag| (tag.to_lowercase(), tag))
        .collect();
    for (key, tag) in tags {
        let has = there.tags.contains(&key);
        let is_in = |tags: &BTreeSet<String>| tags.iter().any(|other| other.to_lowercase() == key);
        let mut had = has;
        for image in images.iter().rev() {
            // Of a tag there are only two states: each push is taken back, whether or not somebody
            // was there in between.
            if is_in(&image.put_on) {
                had = false;
            } else if is_in(&image.taken_off) {
                had = true;
            }
        }
        match (has, had) {
            (true, false) => drop(reverse.untags.insert(tag.clone())),
            (false, true) => drop(reverse.tags.insert(tag.clone())),
            _ => {}
        }
    }
    reverse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(field: Option<(&str, &str)>, put_on: &[&str], taken_off: &[&str]) -> Image {
        let values =
            |text: &str| Values(BTreeMap::from([("TOTALAMT".to_owned(), text.to_owned())]));
        let names = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        Image {
            before: field.map_or_else(Values::default, |(before, _)| values(before)),
            after: field.map_or_else(Values::default, |(_, after)| values(after)),
            put_on: names(put_on),
            taken_off: names(taken_off),
            ..Image::default()
        }
    }

    /// What a field goes back to; `changed` when somebody else changed it, blank when nothing is
    /// written.
    fn field(pushes: &[(&str, &str)], now: Option<&str>) -> String {
        let images: Vec<Image> = pushes
            .iter()
            .map(|push| image(Some(*push), &[], &[]))
            .collect();
        let values = Values(
            now.map(|now| ("TOTALAMT".to_owned(), now.to_owned()))
                .into_iter()
                .collect(),
        );
        let reverse = reverse(
            &images.iter().collect::<Vec<_>>(),
            &CurrentContact {
                values,
                tags: BTreeSet::new(),
            },
        );
        match reverse.fields.0.get("TOTALAMT") {
            Some(value) => format!("to '{value}'"),
            None if !reverse.changed.is_empty() => "changed".to_owned(),
            None => String::new(),
        }
    }

    #[test]
    fn a_field_goes_back_through_the_pushes_that_left_it_as_it_is() {
        assert_eq!(field(&[("1", "2")], Some("2.0")), "to '1'");
        assert_eq!(field(&[("", "2")], Some("2")), "to ''");
        assert_eq!(field(&[("1", "2"), ("2", "3")], Some("3")), "to '1'");
        assert_eq!(
            field(&[("1", "2")], Some("1")),
            "",
            "taken back already, or never there"
        );
        assert_eq!(
            field(&[("1", "2"), ("2", "1")], Some("1")),
            "",
            "it went back by itself"
        );
        assert_eq!(
            field(&[("1", "2"), ("1", "2")], Some("2")),
            "to '1'",
            "sent twice"
        );
        assert_eq!(
            field(&[("1", "2"), ("2", "3")], Some("2")),
            "to '1'",
            "the last one never arrived"
        );
    }

    #[test]
    fn what_somebody_else_wrote_stays_or_comes_back() {
        assert_eq!(field(&[("1", "2")], Some("7")), "changed");
        assert_eq!(field(&[("1", "2"), ("2", "3")], Some("7")), "changed");
        assert_eq!(
            field(&[("1", "2"), ("7", "3")], Some("3")),
            "to '7'",
            "somebody wrote 7 between two pushes"
        );
        assert_eq!(
            field(&[("1", "2")], None),
            "changed",
            "the field is not there any more"
        );
    }

    #[test]
    fn tags_of_pushes_go_and_come_back_and_no_other_is_named() {
        let tags = |images: &[Image], there: &[&str]| {
            let there = CurrentContact {
                values: Values::default(),
                tags: there.iter().map(|tag| tag.to_lowercase()).collect(),
            };
            let reverse = reverse(&images.iter().collect::<Vec<_>>(), &there);
            let names =
                |tags: &BTreeSet<String>| tags.iter().cloned().collect::<Vec<_>>().join(" ");
            (names(&reverse.tags), names(&reverse.untags))
        };
        let pushed = [image(None, &["New-Major"], &["Classy-Small"])];
        assert_eq!(
            tags(&pushed, &["New-Major", "Gala"]),
            ("Classy-Small".to_owned(), "New-Major".to_owned())
        );
        assert_eq!(
            tags(&pushed, &["Gala", "Classy-Small"]),
            (String::new(), String::new()),
            "twice is once"
        );
        let there_and_back = [image(None, &["A"], &["B"]), image(None, &["B"], &["A"])];
        assert_eq!(
            tags(&there_and_back, &["B"]),
            (String::new(), String::new())
        );
    }
}
