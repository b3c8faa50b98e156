//! A supporter's 28 keys (contract 6.1). Seven in twenty came by the organization itself and have
//! no address.

use super::Source::{Count, Fixed, Flag, Json, Later, Text, Time};
use super::{About, Key, Person, Told, quote};
use crate::simulator::classy::value::clock_text;
use crate::simulator::record::Record;
use crate::simulator::story;
use crate::simulator::story::Story;
use crate::simulator::world::Kind;
use std::borrow::Cow;

const CITIES: [&str; 6] = [
    "Springfield",
    "San Diego",
    "Portland",
    "Dublin",
    "Zürich",
    "São Paulo",
];
const COUNTRIES: [&str; 6] = ["US", "US", "US", "GB", "IE", ""];
const DAY: i64 = 86_400;

fn person(record: &Record) -> Person {
    Person::of(record.home(), record.id)
}

/// Whether it came by a gift; else by the organization.
fn gave(record: &Record) -> bool {
    record.home().told(record.id).map_or_else(
        || record.roll(2) % 20 >= 7,
        |(story, number)| story.gives(number),
    )
}

/// Something of an address: of the person whose story is told, or else a text.
fn address(
    record: &Record,
    part: impl FnOnce(&story::Person) -> String,
    text: impl FnOnce() -> Cow<'static, str>,
) -> Option<Cow<'static, str>> {
    gave(record).then(|| match record.home().told(record.id) {
        Some((story, number)) => part(&story.person(number)).into(),
        None => text(),
    })
}

fn decided(record: &Record) -> String {
    let roll = record.roll(3);
    if roll % 5 >= 3 {
        return "null".to_owned();
    }
    // The one moment that is written in another way (contract 6).
    let mut out = String::new();
    quote(
        &clock_text(record.born() - DAY).replace("+0000", ".000000Z"),
        &mut out,
    );
    out
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "supporters",
    singular: "supporter",
    has_webhooks: true,
    order: "updated_at:asc",
    share: 9_480,
    liveliness: 3,
    text: "city",
    told: Some(Told {
        count: |counts| counts.people,
        born: Story::arrived,
    }),
    keys: KEYS,
};

const KEYS: &[Key] = &[
    ("nickname", Fixed("null")),
    ("first_name", Text(|r| Some(person(r).first.into()))),
    ("last_name", Text(|r| Some(person(r).last.into()))),
    ("updated_at", Time(|r| r.updated_at)),
    ("metadata", Fixed("null")),
    ("id", Count(|r| Some(r.id))),
    ("email_address", Text(|r| Some(person(r).email().into()))),
    (
        "phone",
        Text(|r| {
            address(
                r,
                |one| one.phone.clone().unwrap_or_default(),
                || format!("555-{:04}", r.roll(4) % 10_000).into(),
            )
        }),
    ),
    ("location", Fixed("null")),
    (
        "address1",
        Text(|r| {
            address(
                r,
                |one| one.address.clone(),
                || format!("{} Example St", 100 + r.roll(5) % 900).into(),
            )
        }),
    ),
    (
        "address2",
        Text(|r| {
            address(
                r,
                |_| String::new(),
                || {
                    if r.one_in(9, 6) {
                        "Apt \"4\"".into()
                    } else {
                        "".into()
                    }
                },
            )
        }),
    ),
    (
        "city",
        Text(|r| {
            address(
                r,
                |one| one.town.to_owned(),
                || CITIES[r.roll(7) as usize % CITIES.len()].into(),
            )
        }),
    ),
    (
        "state",
        Text(|r| {
            address(
                r,
                |one| one.state.to_owned(),
                || {
                    if r.one_in(5, 8) {
                        "".into()
                    } else {
                        "OR".into()
                    }
                },
            )
        }),
    ),
    (
        "country",
        Text(|r| {
            address(
                r,
                |one| one.country.to_owned(),
                || COUNTRIES[r.roll(9) as usize % COUNTRIES.len()].into(),
            )
        }),
    ),
    (
        "postal_code",
        Text(|r| {
            address(
                r,
                |one| one.postal_code.to_owned(),
                || format!("{:05}", r.roll(10) % 100_000).into(),
            )
        }),
    ),
    ("gender", Text(|r| (r.one_in(7, 11)).then(|| "".into()))),
    ("member_id", Count(|r| Some(person(r).member_id))),
    ("source_member_id", Fixed("null")),
    (
        "source_organization_id",
        Count(|r| Some(r.home().organization)),
    ),
    (
        "source_campaign_id",
        Count(|r| match r.home().told(r.id) {
            Some((story, number)) => {
                let campaign = story.came_by(number)?;
                Some(r.home().id(Kind::Campaigns, campaign as i64))
            }
            None if gave(r) => r.home().some(Kind::Campaigns, r.roll(12)),
            None => None,
        }),
    ),
    ("source_fundraising_page_id", Fixed("null")),
    (
        "origin",
        Text(|r| {
            Some(
                if gave(r) {
                    "donation"
                } else {
                    "organization_support"
                }
                .into(),
            )
        }),
    ),
    ("opt_in", Flag(|r| r.roll(13) % 5 < 3)),
    (
        "created_at",
        Time(|r| Some(r.born() - r.born().rem_euclid(DAY))),
    ),
    ("last_emailed_at", Fixed("null")),
    ("sms_opt_in", Fixed("false")),
    ("last_sms_consent_decision_date", Fixed("null")),
    ("last_email_consent_decision_date", Json(decided)),
    ("birthday", Later("null")),
    ("cell_phone", Later("\"555-010-0199\"")),
];
