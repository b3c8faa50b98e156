//! A fundraising page's 31 keys (contract 6.7).

use super::Source::{Count, Fixed, Flag, Padded, Text, Time};
use super::{About, Key, Person, Told};
use crate::simulator::home::Home;
use crate::simulator::record::Record;
use crate::simulator::story::Page;
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

fn told(home: &Home, page: i64) -> Option<&Page> {
    let (story, number) = home.told(page)?;
    story.page(number)
}

/// What it raises money for.
pub(super) fn campaign(home: &Home, page: i64) -> Option<i64> {
    if let Some(page) = told(home, page) {
        return Some(home.id(Kind::Campaigns, page.campaign as i64));
    }
    home.some(Kind::Campaigns, home.roll(page, 1))
}

fn owner(record: &Record) -> Option<i64> {
    let home = record.home();
    told(home, record.id).map_or_else(
        || home.some(Kind::Supporters, record.roll(2)),
        |page| Some(home.id(Kind::Supporters, page.owner as i64)),
    )
}

fn goal(record: &Record) -> Option<i64> {
    if let Some(page) = told(record.home(), record.id) {
        return Some(page.goal);
    }
    (!record.one_in(9, 3)).then(|| 10_000 * (1 + (record.roll(3) >> 8) as i64 % 30))
}

fn title(record: &Record) -> String {
    if let Some(page) = told(record.home(), record.id) {
        return page.title.clone();
    }
    owner(record).map_or_else(
        || "Our page".to_owned(),
        |owner| format!("{}'s page", Person::of(record.home(), owner).first),
    )
}

fn ended(record: &Record) -> Option<i64> {
    if let Some(page) = told(record.home(), record.id) {
        return page.ended;
    }
    record.one_in(3, 5).then(|| record.born() + 90 * DAY)
}

fn status(record: &Record) -> &'static str {
    match told(record.home(), record.id) {
        Some(page) if page.ended.is_some() => "inactive",
        Some(_) => "active",
        None => STATES[record.roll(8) as usize % STATES.len()],
    }
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "fundraising-pages",
    singular: "fundraising_page",
    has_webhooks: false,
    order: "id:asc",
    share: 410,
    liveliness: 1,
    text: "title",
    told: Some(Told {
        count: |counts| counts.pages,
        born: |story, number| Some(story.page(number)?.born),
    }),
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
    ("ended_at", Time(ended)),
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
    ("status", Text(|r| Some(status(r).into()))),
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
