//! A transaction's 94 keys (contract 6.2). The amounts agree with each other; what they are about
//! is in `Gift`.

use super::Source::{Amount, Count, Fixed, Flag, Json, Later, Padded, Text, Time};
use super::{About, Gift, Key, Person, Told};
use crate::simulator::record::Record;
use crate::simulator::story;
use std::borrow::Cow;

type Words = Option<Cow<'static, str>>;

fn gift(record: &Record) -> Gift {
    Gift::of(record)
}

/// A text of gifts that were paid online.
fn online(record: &Record, text: &'static str) -> Words {
    (!gift(record).offline).then(|| text.into())
}

/// Something of the address of whoever paid online: of the person whose story is told, or else a
/// text.
fn lives(record: &Record, part: fn(&story::Person) -> &str, otherwise: Words) -> Words {
    let Some((story, number)) = record.home().told(record.id) else {
        return otherwise;
    };
    let gift = story.gift(number);
    (!gift.offline).then(|| part(&story.person(gift.donor)).to_owned().into())
}

/// Something of the person behind a gift, if there is one.
fn person<T>(record: &Record, of: impl FnOnce(Person) -> T) -> Option<T> {
    gift(record)
        .member
        .map(|member| of(Person::of(record.home(), member)))
}

fn payer(record: &Record, of: impl FnOnce(Person) -> &'static str) -> Words {
    Some(person(record, of).unwrap_or("Anonymous").into())
}

fn company(record: &Record) -> Words {
    let name = record
        .home()
        .told(record.id)
        .map_or("Example Co", |(story, number)| story.company(number));
    gift(record).company.then(|| name.into())
}

/// Personal data that no client should keep.
fn metadata(record: &Record) -> String {
    match gift(record).offline {
        true => "null".to_owned(),
        false => {
            let first = person(record, |person| person.first).unwrap_or_default();
            format!(
                r#"{{"_classy_pay":{{"payer":"{first} Canary-Payer-Data","clientIp":"192.0.2.7","userAgent":"Canary/1.0"}}}}"#
            )
        }
    }
}

fn context(record: &Record) -> String {
    let gift = gift(record);
    let campaign = gift
        .campaign
        .map_or_else(|| "null".to_owned(), |id| id.to_string());
    let begin = format!(
        r#"{{"is_passport":{},"source_campaign_id":{campaign},"source_campaign_type":"donation""#,
        gift.is_passport()
    );
    if gift.offline {
        return begin + "}";
    }
    begin
        + r#","application_fee_campaign_category":null,"application_fee_platform_fee_type":null,"platform_tip":null,"#
        + r#""commerce_order_id":null,"commerce_confirmation_id":null,"vendor_name":null,"vendor_batch_number":null,"#
        + r#""vendor_batch_sequence":null,"created_by":null}"#
}

pub(in crate::simulator) const ABOUT: About = About {
    path: "transactions",
    singular: "transaction",
    has_webhooks: true,
    order: "purchased_at:desc",
    share: 60_100,
    liveliness: 5,
    text: "comment",
    told: Some(Told {
        count: |counts| counts.gifts,
        born: |story, number| Some(story.gift(number).at),
    }),
    keys: KEYS,
};

const KEYS: &[Key] = &[
    (
        "billing_city",
        Text(|r| lives(r, |one| one.town, online(r, "Dublin"))),
    ),
    (
        "billing_state",
        Text(|r| {
            let otherwise = if r.one_in(10, 20) {
                None
            } else {
                online(r, "OR")
            };
            lives(r, |one| one.state, otherwise)
        }),
    ),
    (
        "billing_country",
        Text(|r| {
            lives(
                r,
                |one| one.country,
                Some(if r.one_in(4, 21) { "IE" } else { "US" }.into()),
            )
        }),
    ),
    (
        "payment_method",
        Text(|r| {
            Some(
                if gift(r).offline {
                    "Offline"
                } else {
                    "Classy Pay"
                }
                .into(),
            )
        }),
    ),
    ("company_name", Text(company)),
    ("in_honor_of", Fixed("null")),
    ("fundraising_team_id", Fixed("null")),
    ("is_anonymous", Flag(|r| r.one_in(11, 22))),
    ("payment_gateway", Text(|r| online(r, "Stripe"))),
    ("browser_info", Fixed("null")),
    ("acknowledgements_count", Fixed("0")),
    ("fee_on_top", Flag(|r| gift(r).raw_extra > 0)),
    ("account_type", Fixed("null")),
    ("institution", Fixed("null")),
    ("account_number", Fixed("null")),
    (
        "raw_currency_code",
        Text(|r| Some(gift(r).raw_currency.into())),
    ),
    (
        "charged_currency_code",
        Text(|r| gift(r).charged_currency.map(Into::into)),
    ),
    (
        "charged_total_gross_amount",
        Padded(2, |r| gift(r).charged(|gift| gift.total())),
    ),
    (
        "charged_classy_fees_amount",
        Padded(2, |r| gift(r).charged(|gift| gift.classy_fees)),
    ),
    (
        "charged_pp_fees_amount",
        Padded(2, |r| gift(r).charged(|gift| gift.pp_fees)),
    ),
    ("tax_entity_id", Fixed("null")),
    ("charged_at", Fixed("null")),
    ("is_gift_aid", Fixed("false")),
    (
        "applied_fot_percent",
        Text(|r| {
            if gift(r).raw_extra > 0 {
                online(r, "5.00")
            } else {
                None
            }
        }),
    ),
    ("payment_source", Text(|r| online(r, "MANUAL"))),
    ("hide_amount", Fixed("false")),
    ("processor_decline_code", Fixed("null")),
    ("is_reprocess", Fixed("null")),
    ("id", Count(|r| Some(r.id))),
    ("member_id", Count(|r| person(r, |person| person.member_id))),
    (
        "member_name",
        Text(|r| person(r, |person| person.name().into())),
    ),
    ("member_country", Fixed("null")),
    (
        "member_phone",
        Text(|r| {
            let otherwise = if r.one_in(3, 23) {
                None
            } else {
                online(r, "555-010-0123")
            };
            lives(r, |one| one.phone.as_deref().unwrap_or_default(), otherwise)
        }),
    ),
    (
        "member_email_address",
        Text(|r| person(r, |person| person.email().into())),
    ),
    (
        "billing_first_name",
        Text(|r| payer(r, |person| person.first)),
    ),
    (
        "billing_last_name",
        Text(|r| payer(r, |person| person.last)),
    ),
    (
        "billing_address1",
        Text(|r| lives(r, |one| &one.address, online(r, "1 Example Road"))),
    ),
    (
        "billing_address2",
        Text(|r| if r.one_in(2, 24) { None } else { online(r, "") }),
    ),
    (
        "billing_postal_code",
        Text(|r| lives(r, |one| one.postal_code, online(r, "D01 X000"))),
    ),
    ("card_type", Text(|r| online(r, "Visa"))),
    ("updated_at", Time(|r| r.updated_at)),
    ("purchased_at", Time(|r| Some(r.born() - 12))),
    ("status", Text(|r| Some(gift(r).status.into()))),
    (
        "refunded_at",
        Time(|r| (gift(r).status == "refunded").then(|| r.touched() - 3)),
    ),
    (
        "pp_reference_id",
        Text(|r| online(r, "pm-00000000-0000-4000-8000-000000000001")),
    ),
    (
        "pp_transaction_id",
        Text(|r| online(r, "00000000-0000-4000-8000-000000000002")),
    ),
    ("pp_response", Fixed("null")),
    ("pp_fees_amount", Amount(|r| Some(gift(r).pp_fees))),
    ("payment_type", Text(|r| online(r, "Credit Card"))),
    ("total_gross_amount", Amount(|r| Some(gift(r).total()))),
    ("donation_net_amount", Amount(|r| Some(gift(r).net()))),
    ("donation_gross_amount", Amount(|r| Some(gift(r).donated()))),
    ("overhead_net_amount", Amount(|r| Some(gift(r).overhead))),
    ("fees_amount", Amount(|r| Some(gift(r).fees()))),
    ("classy_fees_amount", Amount(|r| Some(gift(r).classy_fees))),
    ("organization_id", Count(|r| Some(r.home().organization))),
    ("designation_id", Count(|r| gift(r).designation)),
    ("campaign_id", Count(|r| gift(r).campaign)),
    ("fundraising_page_id", Count(|r| gift(r).page)),
    ("recurring_donation_plan_id", Count(|r| gift(r).plan)),
    (
        "comment",
        Text(|r| (r.one_in(40, 25)).then(|| "In memory of \"Nana\",\nwith love".into())),
    ),
    ("parent_transaction_id", Fixed("null")),
    (
        "created_at",
        Time(|r| Some(r.born() - r.born().rem_euclid(86_400))),
    ),
    ("donation_matching_plan_id", Fixed("null")),
    ("card_last_four", Text(|r| online(r, "4242"))),
    ("card_expiration", Text(|r| online(r, "202709"))),
    ("adjustment_amount", Fixed("null")),
    ("promo_code_code", Fixed("null")),
    ("applied_application_fee_percent", Fixed("null")),
    ("applied_processor_fee_percent", Fixed("null")),
    ("applied_raw_processor_fee_flat", Fixed("null")),
    ("applied_flex_rate_percent", Fixed("null")),
    ("charged_fees_amount", Amount(|r| gift(r).charged_fees())),
    ("currency_code", Fixed("\"USD\"")),
    ("frequency", Text(|r| Some(gift(r).frequency.into()))),
    ("is_donor_covered_fee", Fixed("false")),
    ("metadata", Json(metadata)),
    (
        "raw_donation_gross_amount",
        Amount(|r| Some(gift(r).raw_total())),
    ),
    (
        "raw_initial_gross_amount",
        Amount(|r| Some(gift(r).raw_initial)),
    ),
    (
        "initial_gross_amount",
        Amount(|r| Some(gift(r).in_dollars(gift(r).raw_initial))),
    ),
    ("raw_adjustment_amount", Amount(|r| Some(gift(r).raw_extra))),
    ("raw_overhead_net_amount", Fixed("0")),
    (
        "raw_total_gross_amount",
        Amount(|r| Some(gift(r).raw_total())),
    ),
    ("raw_flex_rate_amount", Fixed("null")),
    ("flex_rate_amount", Fixed("null")),
    ("raw_application_fee_amount", Fixed("null")),
    ("application_fee_amount", Fixed("null")),
    ("raw_processor_fee_amount", Fixed("null")),
    ("processor_fee_amount", Fixed("null")),
    ("reprocess_attempts", Fixed("0")),
    ("supporter_id", Count(|r| gift(r).supporter)),
    ("opted_into_payment_sync", Fixed("false")),
    ("context", Json(context)),
    ("reprocess_attempt_info", Fixed("null")),
    ("member_cell_phone", Later("null")),
    ("consent", Later("{\"email\":true}")),
    (
        "utm",
        Later("{\"utm_source\":\"newsletter\",\"utm_medium\":null}"),
    ),
];
