//! A recurring donation plan's 68 keys (contract 6.4): all eight states, and what each leaves
//! behind.

use super::Source::{Amount, Count, Fixed, Flag, Json, Later, Padded, Text, Time};
use super::{About, Key, Person, Told};
use crate::simulator::home::Home;
use crate::simulator::record::Record;
use crate::simulator::story;
use crate::simulator::world::Kind;
use std::borrow::Cow;

const STATES: [&str; 12] = [
    "active",
    "active",
    "active",
    "active",
    "active",
    "canceled",
    "ended",
    "failing",
    "failed",
    "attempted",
    "draft",
    "paused",
];
const MONTHS: &str =
    "January February March April May June July August September October November December";
const DAY: i64 = 86_400;

const fn midnight(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

/// Whose plan it is.
pub(super) fn supporter(home: &Home, plan: i64) -> Option<i64> {
    if let Some(plan) = home.plan(plan) {
        return Some(home.id(Kind::Supporters, plan.donor as i64));
    }
    home.some(Kind::Supporters, home.roll(plan, 1))
}

/// What it gives to.
pub(super) fn campaign(home: &Home, plan: i64) -> Option<i64> {
    if let Some(plan) = home.plan(plan) {
        return Some(home.id(Kind::Campaigns, plan.campaign as i64));
    }
    home.some(Kind::Campaigns, home.roll(plan, 2))
}

pub(super) fn frequency(home: &Home, plan: i64) -> &'static str {
    if let Some(plan) = home.plan(plan) {
        return plan.frequency;
    }
    match home.roll(plan, 3) % 14 {
        0..=5 => "monthly",
        6 => "yearly",
        7 => "quarterly",
        8 => "weekly",
        9 => "bi-weekly",
        10 => "bi-monthly",
        11 => "daily",
        12 => "semi-annually",
        _ => "one-time",
    }
}

/// Cents that the donor chose.
pub(super) fn chosen(home: &Home, plan: i64) -> i64 {
    if let Some(plan) = home.plan(plan) {
        return plan.cents;
    }
    let roll = home.roll(plan, 4);
    if roll % 3 == 0 {
        500 + (roll >> 8) as i64 % 9_500
    } else {
        500 * (1 + (roll >> 8) as i64 % 20)
    }
}

/// Cents for the fees on top.
fn extra(record: &Record) -> i64 {
    let plan = record.home().plan(record.id);
    if plan.map_or(record.one_in(3, 5), |plan| plan.covers) {
        chosen(record.home(), record.id) / 20
    } else {
        0
    }
}

fn total(record: &Record) -> Option<i64> {
    Some(chosen(record.home(), record.id) + extra(record))
}

fn status(record: &Record) -> &'static str {
    if let Some(plan) = record.home().plan(record.id) {
        return plan.status;
    }
    STATES[record.roll(6) as usize % STATES.len()]
}

fn person(record: &Record) -> Person {
    Person::of(
        record.home(),
        supporter(record.home(), record.id).unwrap_or(record.id),
    )
}

/// Something of the donor's address, or what it is where nobody tells.
fn lives(
    record: &Record,
    part: fn(&story::Person) -> &str,
    otherwise: &'static str,
) -> Option<Cow<'static, str>> {
    let Some((story, donor)) = record.home().told(supporter(record.home(), record.id)?) else {
        return Some(otherwise.into());
    };
    Some(part(&story.person(donor)).to_owned().into())
}

fn designation(record: &Record) -> i64 {
    let home = record.home();
    home.plan(record.id).map_or(70_001, |plan| {
        home.id(Kind::Designations, plan.designation as i64)
    })
}

/// How it is paid; a draft is not paid yet.
fn paid(record: &Record) -> Option<&'static str> {
    match record.roll(7) % 20 {
        _ if status(record) == "draft" => None,
        0 | 1 => Some("PayPal"),
        2 => Some("ACH"),
        _ => Some("Credit Card"),
    }
}

fn by_card(record: &Record) -> bool {
    paid(record) == Some("Credit Card")
}

fn day(record: &Record) -> i64 {
    1 + (record.roll(8) % 28) as i64
}

fn schedule(record: &Record) -> String {
    if status(record) == "draft" {
        return "null".to_owned();
    }
    let day = day(record);
    let months = (1..).zip(MONTHS.split(' '));
    let days: Vec<String> = months
        .map(|(number, month)| {
            format!(r#"{{"mmdd":"{number:02}{day:02}","month":"{month}","day":{day}}}"#)
        })
        .collect();
    format!("[{}]", days.join(","))
}

/// The next day of processing; a canceled plan keeps it half the time.
fn next(record: &Record) -> Option<i64> {
    if let Some(plan) = record.home().plan(record.id) {
        return plan.next.map(midnight);
    }
    match status(record) {
        "draft" | "ended" | "failed" => None,
        "canceled" if record.one_in(2, 9) => None,
        _ => Some(midnight(record.touched()) + 20 * DAY),
    }
}

fn card_expiration(record: &Record) -> &'static str {
    // One in thirty has lost a digit.
    if record.one_in(30, 10) {
        "20263"
    } else {
        "202703"
    }
}

/// A pause shows in the flag, and not always in the status.
fn is_paused(record: &Record) -> bool {
    status(record) == "paused"
        || status(record) == "active" && record.home().story().is_none() && record.one_in(20, 11)
}

fn started(record: &Record) -> i64 {
    if let Some(plan) = record.home().plan(record.id) {
        return plan.born;
    }
    // One in twenty starts in the future.
    midnight(record.born())
        + if record.one_in(20, 12) {
            4_000 * DAY
        } else {
            4 * DAY
        }
}

fn when(record: &Record, state: &str, offset: i64) -> Option<i64> {
    (status(record) == state).then(|| record.touched() + offset)
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "recurring-donation-plans",
    singular: "recurring_donation_plan",
    has_webhooks: true,
    order: "started_at:desc",
    share: 1_965,
    liveliness: 1,
    text: "city",
    told: Some(Told {
        count: |counts| counts.plans,
        born: |story, number| Some(story.plan(number)?.born),
    }),
    keys: KEYS,
};

const KEYS: &[Key] = &[
    ("member_id", Count(|r| Some(person(r).member_id))),
    ("raw_currency_code", Fixed("\"USD\"")),
    ("raw_donation_amount", Padded(3, total)),
    ("donation_amount", Amount(total)),
    ("is_anonymous", Flag(|r| r.one_in(10, 13))),
    ("status", Text(|r| Some(status(r).into()))),
    ("fundraising_team_id", Fixed("null")),
    (
        "cancel_by",
        Text(|r| {
            (status(r) == "canceled").then(|| {
                if r.one_in(2, 14) {
                    "SUPPORTER".into()
                } else {
                    "admin".into()
                }
            })
        }),
    ),
    ("first_name", Text(|r| Some(person(r).first.into()))),
    ("last_name", Text(|r| Some(person(r).last.into()))),
    (
        "address",
        Text(|r| lives(r, |one| &one.address, "100 Example St")),
    ),
    (
        "address2",
        Text(|r| (r.one_in(9, 15)).then(|| "Apt 4".into())),
    ),
    ("city", Text(|r| lives(r, |one| one.town, "Springfield"))),
    ("state", Text(|r| lives(r, |one| one.state, "OR"))),
    (
        "country",
        Text(|r| {
            lives(
                r,
                |one| one.country,
                if r.one_in(9, 16) { "DE" } else { "US" },
            )
        }),
    ),
    (
        "cc_card_exp",
        Text(|r| by_card(r).then(|| card_expiration(r).into())),
    ),
    ("cc_last_four", Text(|r| by_card(r).then(|| "4242".into()))),
    ("cc_type", Text(|r| by_card(r).then(|| "Visa".into()))),
    (
        "payment_gateway",
        Text(|r| {
            paid(r).map(|by| {
                if by == "PayPal" {
                    "PayPalCommerce".into()
                } else {
                    "Stripe".into()
                }
            })
        }),
    ),
    ("fee_on_top", Flag(|r| extra(r) > 0)),
    (
        "metadata",
        Json(|r| {
            if status(r) == "draft" {
                "null".to_owned()
            } else {
                r#"{"_classy_pay":{}}"#.to_owned()
            }
        }),
    ),
    ("created_at", Time(|r| Some(r.born()))),
    ("updated_at", Time(|r| r.updated_at)),
    ("is_gift_aid", Fixed("false")),
    (
        "applied_fot_percent",
        Text(|r| (r.one_in(9, 17)).then(|| "5.00".into())),
    ),
    (
        "frequency",
        Text(|r| Some(frequency(r.home(), r.id).into())),
    ),
    (
        "timezone_identifier",
        Text(|r| Some(if r.one_in(4, 18) { "Etc/UTC" } else { "UTC" }.into())),
    ),
    ("schedule", Json(schedule)),
    (
        "company_name",
        Text(|r| (!r.one_in(5, 19)).then(|| "".into())),
    ),
    ("next_processing_date", Time(next)),
    ("payment_type", Text(|r| paid(r).map(Into::into))),
    (
        "ach_last_four",
        Text(|r| (paid(r) == Some("ACH")).then(|| "6789".into())),
    ),
    ("hide_amount", Fixed("false")),
    ("recur_until", Time(|r| when(r, "ended", 0).map(midnight))),
    ("is_paused", Flag(is_paused)),
    (
        "pause_until",
        Time(|r| is_paused(r).then(|| midnight(r.touched()) + 90 * DAY)),
    ),
    (
        "plan_paused_on_date",
        Time(|r| is_paused(r).then(|| midnight(r.touched()))),
    ),
    ("migrated", Fixed("false")),
    ("migration_date", Fixed("null")),
    ("id", Count(|r| Some(r.id))),
    ("organization_id", Count(|r| Some(r.home().organization))),
    ("designation_id", Count(|r| Some(designation(r)))),
    ("started_at", Time(|r| Some(started(r)))),
    (
        "pp_plan_id",
        Text(|r| {
            (status(r) != "draft").then(|| format!("00000000-0000-4000-8000-{:012}", r.id).into())
        }),
    ),
    ("campaign_id", Count(|r| campaign(r.home(), r.id))),
    ("fundraising_page_id", Fixed("null")),
    ("canceled_at", Time(|r| when(r, "canceled", -2))),
    (
        "postal_code",
        Text(|r| lives(r, |one| one.postal_code, "97477")),
    ),
    ("failed_at", Time(|r| when(r, "failed", -2))),
    (
        "cancel_reason_code",
        Text(|r| (status(r) == "canceled").then(|| "1".into())),
    ),
    (
        "cancel_reason_text",
        Text(|r| (status(r) == "canceled").then(|| "Can no longer afford it".into())),
    ),
    ("currency_code", Fixed("\"USD\"")),
    (
        "payment_provider_configuration_name",
        Fixed("\"Classy Pay\""),
    ),
    ("supporter_id", Count(|r| supporter(r.home(), r.id))),
    ("is_donor_covered_fee", Flag(|r| extra(r) > 0)),
    (
        "raw_initial_gross_amount",
        Amount(|r| Some(chosen(r.home(), r.id))),
    ),
    ("raw_adjustment_amount", Amount(|r| Some(extra(r)))),
    (
        "applied_application_fee_percent",
        Text(|r| by_card(r).then(|| "0.83".into())),
    ),
    (
        "applied_processor_fee_percent",
        Text(|r| by_card(r).then(|| "2.40".into())),
    ),
    (
        "applied_raw_processor_fee_flat",
        Text(|r| by_card(r).then(|| "0.3000".into())),
    ),
    (
        "applied_flex_rate_percent",
        Amount(|r| by_card(r).then_some(0)),
    ),
    ("raw_flex_rate_amount", Amount(|r| by_card(r).then_some(0))),
    (
        "raw_application_fee_amount",
        Amount(|r| by_card(r).then(|| chosen(r.home(), r.id) * 83 / 10_000)),
    ),
    (
        "raw_processor_fee_amount",
        Amount(|r| by_card(r).then(|| 30 + chosen(r.home(), r.id) * 24 / 1_000)),
    ),
    ("dcf_enabled", Flag(|r| r.one_in(2, 20))),
    ("dcf_allowed", Flag(|r| r.one_in(2, 21))),
    ("classy_mode_enabled", Flag(|r| r.one_in(2, 22))),
    ("effective_fixed_fot_percent", Fixed("\"5.00\"")),
    ("can_be_reactivated", Later("false")),
];
