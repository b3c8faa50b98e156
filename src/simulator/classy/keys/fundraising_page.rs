//! A fundraising page's 31 keys (contract 6.7).

use super::Source::{Count, Fixed, Flag, Padded, Text, Time};
use super::{About, Key, Person};
use crate::simulator::home::Home;
use crate::simulator::record::Record;
use crate::simulator::world::Kind;

const STATES: [&str; 8] = [
    "active",
    "active",
    "active",
    "active",
    "active",
    "inactive",
    "pending_approval",
    "deleted",
];
const DAY: i64 = 86_400;

/// What it raises money for.
pub(super) const fn campaign(home: &Home, page: i64) -> Option<i64> {
    home.some(Kind::Campaigns, home.roll(page, 1))
}

fn owner(record: &Record) -> Option<i64> {
    record.home().some(Kind::Supporters, record.roll(2))
}

fn goal(record: &Record) -> Option<i64> {
    (!record.one_in(9, 3)).then(|| 10_000 * (1 + (record.roll(3) >> 8) as i64 % 30))
}

fn title(record: &Record) -> String {
    owner(record).map_or_else(
        || "Our page".to_owned(),
        |owner| format!("{}'s page", Person::of(record.home(), owner).first),
    )
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "fundraising-pages",
    singular: "fundraising_page",
    has_webhooks: false,
    order: "id:asc",
    share: 410,
    liveliness: 1,
    text: "title",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    ("id", Count(|r| Some(r.id))),
    ("alias", Text(|r| Some(title(r).into()))),
    ("campaign_id", Count(|r| campaign(r.home(), r.id))),
    ("commitment_id", Fixed("null")),
    ("cover_photo_id", Fixed("null")),
    ("created_at", Time(|r| Some(r.born()))),
    ("currency_code", Fixed("\"USD\"")),
    (
        "designation_id",
        Count(|r| {
            r.one_in(2, 4)
                .then(|| r.home().some(Kind::Designations, r.roll(4) >> 8))?
        }),
    ),
    (
        "ended_at",
        Time(|r| r.one_in(3, 5).then(|| r.born() + 90 * DAY)),
    ),
    ("fundraising_team_id", Fixed("null")),
    ("goal", Count(|r| goal(r).map(|cents| cents / 100))),
    ("intro_text", Fixed("\"Thanks for visiting my page!<br>\"")),
    ("is_primary", Flag(|r| !r.one_in(6, 6))),
    ("is_tribute", Flag(|r| r.one_in(8, 7))),
    ("logo_id", Fixed("null")),
    ("logo_url", Fixed("null")),
    ("member_email_text", Fixed("null")),
    (
        "member_id",
        Count(|r| owner(r).map(|owner| Person::of(r.home(), owner).member_id)),
    ),
    ("raw_currency_code", Fixed("\"USD\"")),
    ("raw_goal", Padded(2, goal)),
    ("organization_id", Count(|r| Some(r.home().organization))),
    ("parent_id", Fixed("null")),
    ("questions", Fixed("[]")),
    (
        "status",
        Text(|r| Some(STATES[r.roll(8) as usize % STATES.len()].into())),
    ),
    ("supporter_id", Count(owner)),
    ("team_role", Fixed("null")),
    ("thankyou_email_text", Fixed("null")),
    ("thank_you_text", Fixed("null")),
    ("title", Text(|r| Some(title(r).into()))),
    ("updated_at", Time(|r| r.updated_at)),
    (
        "canonical_url",
        Text(|r| Some(format!("/fundraising-page/{}", r.id).into())),
    ),
];
