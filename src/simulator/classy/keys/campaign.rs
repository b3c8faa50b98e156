//! A campaign's 103 keys (contract 6.3): no totals, goals as high as they go.

use super::Source::{Count, Fixed, Flag, Later, Padded, Text, Time};
use super::{About, Key, Told};
use crate::simulator::record::Record;
use crate::simulator::story::Campaign;
use crate::simulator::world::Kind;
use std::borrow::Cow;

const NAMES: [&str; 6] = [
    "Year End",
    "Spring Appeal",
    "Gala",
    "Clean Water",
    "School Meals",
    "Emergency Relief",
];
const STATES: [&str; 8] = [
    "active",
    "active",
    "active",
    "active",
    "active",
    "unpublished",
    "deactivated",
    "draft",
];
const TYPES: [&str; 12] = [
    "donation",
    "donation",
    "donation",
    "ticketed",
    "registration",
    "fund_for_entry",
    "peer_to_peer",
    "reg_w_fund",
    "crowdfunding",
    "dynamic",
    "gfm_npo",
    "gfm_p2p",
];
const ZONES: [&str; 2] = ["America/New_York", "America/Los_Angeles"];
const DAY: i64 = 86_400;

fn told(record: &Record) -> Option<&Campaign> {
    let (story, number) = record.home().told(record.id)?;
    story.campaign(number)
}

fn name(record: &Record) -> String {
    if let Some(campaign) = told(record) {
        return campaign.name.clone();
    }
    format!(
        "{} {}",
        NAMES[record.roll(1) as usize % NAMES.len()],
        2019 + record.roll(2) % 8
    )
}

/// Dollars, with a few that mean "as high as they go".
fn goal(record: &Record) -> i64 {
    if let Some(campaign) = told(record) {
        return campaign.goal;
    }
    match record.roll(3) % 12 {
        0 => 9_999_999,
        1 => 10_000_000,
        2 => 250_000_000,
        other => (other as i64) * 2_500 + 20,
    }
}

/// One in so many has a text; the others null.
fn few(record: &Record, salt: u64, one_in: u64, text: &'static str) -> Option<Cow<'static, str>> {
    (record.one_in(one_in, salt)).then(|| text.into())
}

fn ended(record: &Record) -> Option<i64> {
    if let Some(campaign) = told(record) {
        return campaign.ended;
    }
    (record.roll(4) % 20 >= 9).then(|| record.born() + 60 * DAY)
}

fn status(record: &Record) -> &'static str {
    match told(record) {
        Some(campaign) if campaign.ended.is_some() => "deactivated",
        Some(_) => "active",
        None => STATES[record.roll(5) as usize % STATES.len()],
    }
}

fn kind(record: &Record) -> &'static str {
    told(record).map_or_else(
        || TYPES[record.roll(8) as usize % TYPES.len()],
        |campaign| campaign.kind,
    )
}

fn designation(record: &Record) -> i64 {
    told(record).map_or(70_001, |campaign| {
        record
            .home()
            .id(Kind::Designations, campaign.designation as i64)
    })
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "campaigns",
    singular: "campaign",
    has_webhooks: false,
    order: "created_at:asc",
    share: 75,
    liveliness: 1,
    text: "name",
    told: Some(Told {
        count: |counts| counts.campaigns,
        born: |story, number| Some(story.campaign(number)?.born),
    }),
    keys: KEYS,
};

const KEYS: &[Key] = &[
    ("internal_name", Text(|r| Some(name(r).into()))),
    (
        "default_team_appeal_email",
        Text(|r| few(r, 20, 5, "<p>Join our team</p>")),
    ),
    (
        "default_team_thank_you_email",
        Text(|r| few(r, 21, 5, "<p>Thank you</p>")),
    ),
    ("status", Text(|r| Some(status(r).into()))),
    (
        "redirect_url",
        Text(|r| {
            if r.one_in(2, 22) {
                Some("".into())
            } else {
                None
            }
        }),
    ),
    ("channel_id", Fixed("null")),
    ("category_id", Fixed("null")),
    ("channel_keywords", Fixed("null")),
    (
        "timezone_identifier",
        Text(|r| Some(ZONES[r.roll(6) as usize % 2].into())),
    ),
    (
        "created_with",
        Text(|r| Some(if r.one_in(2, 7) { "api" } else { "classyapp" }.into())),
    ),
    ("contact_phone", Fixed("\"555-010-0100\"")),
    ("default_page_goal", Fixed("500")),
    ("default_team_goal", Fixed("1000")),
    ("location_details", Fixed("\"\"")),
    ("raw_currency_code", Fixed("\"USD\"")),
    ("raw_goal", Padded(3, |r| Some(goal(r) * 100))),
    ("sort_designation_by", Fixed("\"A-Z\"")),
    ("display_group_name", Fixed("false")),
    ("campaign_template_id", Fixed("null")),
    ("classy_live_event_id", Fixed("null")),
    ("id", Count(|r| Some(r.id))),
    ("name", Text(|r| Some(name(r).into()))),
    ("started_at", Time(|r| Some(r.born() - 17))),
    ("ended_at", Time(ended)),
    (
        "default_page_appeal_email",
        Text(|r| few(r, 23, 5, "<p>Help me</p>")),
    ),
    (
        "default_page_thank_you_email",
        Text(|r| few(r, 24, 5, "<p>Thank you</p>")),
    ),
    ("venue", Fixed("null")),
    ("created_at", Time(|r| Some(r.born()))),
    ("updated_at", Time(|r| r.updated_at)),
    ("postal_code", Fixed("null")),
    ("address1", Fixed("null")),
    ("city", Fixed("null")),
    ("state", Text(|r| few(r, 25, 2, "CA"))),
    ("country", Fixed("\"US\"")),
    ("hide_from_profile", Fixed("false")),
    ("goal", Count(|r| Some(goal(r)))),
    ("external_url", Fixed("\"\"")),
    ("contact_email", Fixed("\"hello@example.org\"")),
    ("designation_id", Count(|r| Some(designation(r)))),
    ("type", Text(|r| Some(kind(r).into()))),
    ("is_general", Count(|r| Some(i64::from(r.number() == 1)))),
    ("external_id", Fixed("null")),
    ("organization_id", Count(|r| Some(r.home().organization))),
    ("is_fees_free", Fixed("false")),
    (
        "canonical_url",
        Text(|r| Some(format!("https://give.example.org/campaign/c{}", r.id).into())),
    ),
    ("currency_code", Fixed("\"USD\"")),
    ("effective_fixed_fot_percent", Fixed("\"5.00\"")),
    ("effective_flex_rate_percent", Fixed("null")),
    ("effective_recaptcha_settings", Fixed("\"ENABLED\"")),
    ("logo_id", Count(|r| (!r.one_in(20, 26)).then_some(90_001))),
    (
        "logo_url",
        Text(|r| (!r.one_in(20, 26)).then(|| "https://assets.example.org/logo.png".into())),
    ),
    (
        "team_cover_photo_id",
        Count(|r| (r.one_in(5, 27)).then_some(90_002)),
    ),
    (
        "team_cover_photo_url",
        Text(|r| few(r, 27, 5, "https://assets.example.org/cover.png")),
    ),
    ("add_registration_fee", Fixed("false")),
    ("allow_duplicate_fundraisers", Fixed("false")),
    ("allow_fundraising_pages", Flag(|r| r.one_in(2, 28))),
    ("allow_team_fundraising", Flag(|r| r.one_in(4, 28))),
    ("crypto_giving", Fixed("\"disabled\"")),
    ("default_page_appeal", Text(|r| few(r, 29, 5, "Why I give"))),
    ("default_page_post_asset_id", Fixed("null")),
    (
        "default_page_post_body",
        Text(|r| few(r, 30, 5, "<p>News</p>")),
    ),
    ("default_page_post_title", Text(|r| few(r, 30, 5, "News"))),
    ("default_team_appeal", Fixed("null")),
    ("default_team_post_asset_id", Fixed("null")),
    (
        "default_team_post_body",
        Text(|r| few(r, 31, 5, "<p>Team news</p>")),
    ),
    (
        "default_team_post_title",
        Text(|r| few(r, 31, 5, "Team news")),
    ),
    ("default_thank_you_text", Fixed("null")),
    ("embedded_giving", Fixed("\"disabled\"")),
    ("exit_modal", Flag(|r| r.one_in(2, 32))),
    ("fixed_fot_percent", Fixed("\"5.00\"")),
    ("flex_rate_percent", Fixed("null")),
    ("is_billing_address_required", Fixed("false")),
    ("is_ended_at_hidden", Flag(|r| r.one_in(2, 33))),
    ("is_started_at_hidden", Flag(|r| r.one_in(2, 34))),
    ("pages_can_set_appeal", Fixed("true")),
    ("pages_can_set_goal", Fixed("true")),
    ("team_membership_policy", Fixed("\"optional\"")),
    ("teams_can_set_appeal", Fixed("true")),
    ("teams_can_set_goal", Fixed("true")),
    ("ticket_pass_on_fees", Fixed("false")),
    ("use_intelligent_ask_onetime", Flag(|r| r.one_in(2, 35))),
    ("use_intelligent_ask_recurring", Flag(|r| r.one_in(2, 36))),
    ("whitelist_url", Fixed("null")),
    ("allow_ecards", Flag(|r| r.one_in(2, 37))),
    ("classy_mode_appeal", Fixed("\"Example appeal text\"")),
    ("classy_mode_checked_by_default", Fixed("false")),
    ("classy_mode_enabled", Fixed("true")),
    ("corporate_donation_enabled", Fixed("false")),
    ("custom_url", Fixed("null")),
    ("dcf_allowed", Fixed("false")),
    ("dcf_enabled", Fixed("false")),
    ("disable_donation_attribution", Fixed("false")),
    ("hide_anonymous_donations", Fixed("false")),
    ("hide_contact_opt_in", Fixed("false")),
    ("hide_donation_amounts", Fixed("false")),
    ("hide_dedications", Fixed("false")),
    ("hide_donation_comments", Fixed("false")),
    ("hide_recurring_end_date", Fixed("false")),
    ("minimum_donation_amount", Fixed("1")),
    ("offer_dedication_postal_notifications", Fixed("false")),
    ("opt_in_checked_by_default", Fixed("true")),
    ("return_url", Fixed("null")),
    ("send_dedication_emails", Fixed("true")),
    ("studio_template_id", Later("null")),
    ("is_linked", Later("false")),
    ("linked_at", Later("null")),
    ("unlinked_at", Later("null")),
    ("checkout_corporate_donation_enabled", Later("false")),
    ("daf_enabled", Later("false")),
];
