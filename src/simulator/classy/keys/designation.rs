//! A designation's 16 keys (contract 6.6): the goal is a text, and its days have no zone.

use super::Key;
use super::Source::{Count, Fixed, Flag, Padded, Text, Time};
use super::{About, Told};
use crate::simulator::classy::clock_text;
use crate::simulator::record::Record;
use std::borrow::Cow;

const NAMES: [&str; 8] = [
    "Where most needed",
    "Clean Water",
    "School Meals",
    "Emergency Relief",
    "Scholarships",
    "Forest Fund",
    "Shelter",
    "Medical Care",
];
const DAY: i64 = 86_400;

/// No two have one name.
fn name(record: &Record) -> String {
    let told = record.home().told(record.id);
    if let Some(name) = told.and_then(|(story, number)| story.designation(number)) {
        return name.to_owned();
    }
    let (round, place) = (
        (record.number() - 1) / NAMES.len() as i64,
        (record.number() - 1) as usize % NAMES.len(),
    );
    if round == 0 {
        NAMES[place].to_owned()
    } else {
        format!("{} {}", NAMES[place], round + 1)
    }
}

/// A moment without a zone, as these two alone have it.
fn bare(at: i64) -> Cow<'static, str> {
    let text = clock_text(at);
    text.get(..19).unwrap_or(&text).replace('T', " ").into()
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "designations",
    singular: "designation",
    has_webhooks: false,
    order: "id:asc",
    share: 24,
    liveliness: 1,
    text: "description",
    told: Some(Told {
        count: |counts| counts.designations,
        born: |story, _| Some(story.campaign(1)?.born),
    }),
    keys: KEYS,
};

const KEYS: &[Key] = &[
    ("id", Count(|r| Some(r.id))),
    ("organization_id", Count(|r| Some(r.home().organization))),
    ("name", Text(|r| Some(name(r).into()))),
    (
        "description",
        Text(|r| {
            (!r.one_in(3, 1) && r.home().story().is_none()).then(|| "What this is for".into())
        }),
    ),
    (
        "goal",
        Padded(3, |r| {
            (!r.one_in(4, 2) && r.home().story().is_none())
                .then(|| 100_000 * (1 + (r.roll(2) >> 8) as i64 % 50))
        }),
    ),
    ("city", Text(|r| r.one_in(5, 3).then(|| "San Diego".into()))),
    ("state", Text(|r| r.one_in(5, 3).then(|| "CA".into()))),
    ("postal_code", Fixed("null")),
    (
        "external_reference_id",
        Text(|r| {
            r.one_in(2, 4)
                .then(|| format!("FUND-{}", r.number()).into())
        }),
    ),
    (
        "is_active",
        Flag(|r| r.home().story().is_some() || !r.one_in(6, 5)),
    ),
    (
        "is_complete",
        Flag(|r| r.home().story().is_none() && r.one_in(6, 6)),
    ),
    ("is_default", Flag(|r| r.number() == 1)),
    ("start_time", Text(|r| Some(bare(r.born())))),
    (
        "end_time",
        Text(|r| {
            (r.home().story().is_none() && r.one_in(4, 7)).then(|| bare(r.born() + 365 * DAY))
        }),
    ),
    ("created_at", Time(|r| Some(r.born()))),
    ("updated_at", Time(|r| r.updated_at)),
];
