//! What the database must hold, said a second time and apart from the program: which of the
//! source's fields is which column.

use crate::backend::Fresh;
use chrono::{DateTime, Utc};
use classy_sync::simulator::{Fault, Kind, Simulator};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy)]
enum As {
    Text,
    Number,
    Money,
    Time,
    Flag,
    Json,
}
use As::{Flag, Json, Money, Number, Text, Time};

type Map = &'static [(&'static str, &'static str, As)];

const SUPPORTERS: Map = &[
    ("email_address", "email_address", Text),
    ("first_name", "first_name", Text),
    ("last_name", "last_name", Text),
    ("phone", "phone", Text),
    ("address1", "address1", Text),
    ("address2", "address2", Text),
    ("city", "city", Text),
    ("state", "state", Text),
    ("postal_code", "postal_code", Text),
    ("country", "country", Text),
    ("opt_in", "email_opt_in", Flag),
    (
        "last_email_consent_decision_date",
        "consent_decided_at",
        Time,
    ),
    ("origin", "origin", Text),
    ("source_campaign_id", "source_campaign_id", Number),
    ("member_id", "member_id", Number),
    ("birthday", "birthday", Text),
    ("gender", "gender", Text),
    ("nickname", "nickname", Text),
    ("location", "location", Text),
    ("cell_phone", "cell_phone", Text),
    ("last_emailed_at", "last_emailed_at", Text),
    ("sms_opt_in", "sms_opt_in", Flag),
    (
        "last_sms_consent_decision_date",
        "sms_consent_decided_at",
        Time,
    ),
    (
        "source_fundraising_page_id",
        "source_fundraising_page_id",
        Number,
    ),
    ("created_at", "source_created_at", Time),
    ("updated_at", "source_updated_at", Time),
];
const CAMPAIGNS: Map = &[
    ("name", "name", Text),
    ("status", "status", Text),
    ("type", "type", Text),
    ("goal", "goal", Money),
    ("currency_code", "currency_code", Text),
    ("timezone_identifier", "timezone", Text),
    ("canonical_url", "canonical_url", Text),
    ("started_at", "started_at", Time),
    ("ended_at", "ended_at", Time),
    ("internal_name", "internal_name", Text),
    ("external_id", "external_id", Text),
    ("designation_id", "designation_id", Number),
    ("raw_goal", "raw_goal", Money),
    ("raw_currency_code", "raw_currency_code", Text),
    ("channel_id", "channel_id", Number),
    ("category_id", "category_id", Number),
    ("venue", "venue", Text),
    ("address1", "address1", Text),
    ("city", "city", Text),
    ("state", "state", Text),
    ("postal_code", "postal_code", Text),
    ("country", "country", Text),
    ("location_details", "location_details", Text),
    ("external_url", "external_url", Text),
    ("contact_email", "contact_email", Text),
    ("created_with", "created_with", Text),
    ("is_general", "is_general", Flag),
    ("minimum_donation_amount", "minimum_donation_amount", Money),
    ("created_at", "source_created_at", Time),
    ("updated_at", "source_updated_at", Time),
];
const DESIGNATIONS: Map = &[
    ("name", "name", Text),
    ("description", "description", Text),
    ("goal", "goal", Money),
    ("city", "city", Text),
    ("state", "state", Text),
    ("postal_code", "postal_code", Text),
    ("external_reference_id", "external_reference_id", Text),
    ("is_active", "is_active", Flag),
    ("is_complete", "is_complete", Flag),
    ("is_default", "is_default", Flag),
    ("start_time", "started_at", Time),
    ("end_time", "ended_at", Time),
    ("created_at", "source_created_at", Time),
    ("updated_at", "source_updated_at", Time),
];
const FUNDRAISING_PAGES: Map = &[
    ("title", "title", Text),
    ("alias", "alias", Text),
    ("status", "status", Text),
    ("supporter_id", "supporter_id", Number),
    ("campaign_id", "campaign_id", Number),
    ("fundraising_team_id", "fundraising_team_id", Number),
    ("designation_id", "designation_id", Number),
    ("member_id", "member_id", Number),
    ("parent_id", "parent_id", Number),
    ("goal", "goal", Money),
    ("currency_code", "currency_code", Text),
    ("raw_goal", "raw_goal", Money),
    ("raw_currency_code", "raw_currency_code", Text),
    ("team_role", "team_role", Text),
    ("is_primary", "is_primary", Flag),
    ("is_tribute", "is_tribute", Flag),
    ("canonical_url", "canonical_url", Text),
    ("ended_at", "ended_at", Time),
    ("created_at", "source_created_at", Time),
    ("updated_at", "source_updated_at", Time),
];
const PLANS: Map = &[
    ("supporter_id", "supporter_id", Number),
    ("campaign_id", "campaign_id", Number),
    ("donation_amount", "amount", Money),
    ("currency_code", "currency_code", Text),
    ("frequency", "frequency", Text),
    ("status", "status", Text),
    ("is_paused", "is_paused", Flag),
    ("started_at", "started_at", Time),
    ("next_processing_date", "next_payment_date", Time),
    ("canceled_at", "canceled_at", Time),
    ("designation_id", "designation_id", Number),
    ("fundraising_page_id", "fundraising_page_id", Number),
    ("fundraising_team_id", "fundraising_team_id", Number),
    ("raw_donation_amount", "raw_amount", Money),
    ("raw_currency_code", "raw_currency_code", Text),
    ("payment_type", "payment_type", Text),
    ("payment_gateway", "payment_gateway", Text),
    ("cc_type", "cc_type", Text),
    ("cc_card_exp", "cc_card_exp", Text),
    ("is_donor_covered_fee", "is_donor_covered_fee", Flag),
    ("is_gift_aid", "is_gift_aid", Flag),
    ("is_anonymous", "is_anonymous", Flag),
    ("hide_amount", "hide_amount", Flag),
    ("company_name", "company_name", Text),
    ("timezone_identifier", "timezone", Text),
    ("recur_until", "recur_until", Time),
    ("pause_until", "pause_until", Time),
    ("plan_paused_on_date", "plan_paused_on_date", Time),
    ("failed_at", "failed_at", Time),
    ("cancel_by", "cancel_by", Text),
    ("cancel_reason_code", "cancel_reason_code", Text),
    ("cancel_reason_text", "cancel_reason_text", Text),
    ("created_at", "source_created_at", Time),
    ("updated_at", "source_updated_at", Time),
];
const TRANSACTIONS: Map = &[
    ("supporter_id", "supporter_id", Number),
    ("campaign_id", "campaign_id", Number),
    ("recurring_donation_plan_id", "recurring_plan_id", Number),
    ("parent_transaction_id", "parent_transaction_id", Number),
    ("designation_id", "designation_id", Number),
    ("status", "status", Text),
    ("total_gross_amount", "total_gross_amount", Money),
    ("donation_gross_amount", "donation_gross_amount", Money),
    ("donation_net_amount", "donation_net_amount", Money),
    ("fees_amount", "fees_amount", Money),
    ("currency_code", "currency_code", Text),
    ("raw_total_gross_amount", "raw_total_gross_amount", Money),
    ("raw_currency_code", "raw_currency_code", Text),
    (
        "charged_total_gross_amount",
        "charged_total_gross_amount",
        Money,
    ),
    ("charged_currency_code", "charged_currency_code", Text),
    ("frequency", "frequency", Text),
    ("payment_method", "payment_method", Text),
    ("payment_type", "payment_type", Text),
    ("is_anonymous", "is_anonymous", Flag),
    ("purchased_at", "purchased_at", Time),
    ("refunded_at", "refunded_at", Time),
    ("fundraising_page_id", "fundraising_page_id", Number),
    ("fundraising_team_id", "fundraising_team_id", Number),
    ("member_id", "member_id", Number),
    ("company_name", "company_name", Text),
    ("in_honor_of", "in_honor_of", Text),
    ("comment", "comment", Text),
    ("billing_city", "billing_city", Text),
    ("billing_state", "billing_state", Text),
    ("billing_postal_code", "billing_postal_code", Text),
    ("billing_country", "billing_country", Text),
    ("promo_code_code", "promo_code_code", Text),
    ("overhead_net_amount", "overhead_net_amount", Money),
    ("adjustment_amount", "adjustment_amount", Money),
    ("classy_fees_amount", "classy_fees_amount", Money),
    ("pp_fees_amount", "pp_fees_amount", Money),
    ("charged_fees_amount", "charged_fees_amount", Money),
    ("initial_gross_amount", "initial_gross_amount", Money),
    (
        "raw_donation_gross_amount",
        "raw_donation_gross_amount",
        Money,
    ),
    ("is_donor_covered_fee", "is_donor_covered_fee", Flag),
    ("is_gift_aid", "is_gift_aid", Flag),
    ("hide_amount", "hide_amount", Flag),
    ("payment_source", "payment_source", Text),
    ("payment_gateway", "payment_gateway", Text),
    ("card_type", "card_type", Text),
    ("pp_transaction_id", "pp_transaction_id", Text),
    ("pp_reference_id", "pp_reference_id", Text),
    (
        "donation_matching_plan_id",
        "donation_matching_plan_id",
        Number,
    ),
    ("utm", "utm", Json),
    ("consent", "consent", Json),
    ("charged_at", "charged_at", Time),
    ("updated_at", "source_updated_at", Time),
];

const fn table(kind: Kind) -> (&'static str, Map) {
    match kind {
        Kind::Supporters => ("supporters", SUPPORTERS),
        Kind::Campaigns => ("campaigns", CAMPAIGNS),
        Kind::Designations => ("designations", DESIGNATIONS),
        Kind::FundraisingPages => ("fundraising_pages", FUNDRAISING_PAGES),
        Kind::Plans => ("recurring_plans", PLANS),
        Kind::Transactions => ("transactions", TRANSACTIONS),
    }
}

type Rows = BTreeMap<i64, Vec<Option<String>>>;

/// One spelling for equal values.
fn normal(kind: As, text: Option<String>) -> Option<String> {
    let text = text.filter(|text| !text.is_empty())?;
    Some(match kind {
        Text | Number => text,
        Json => serde_json::from_str::<Value>(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .to_string(),
        Money => text
            .parse::<Decimal>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .round_dp(4)
            .normalize()
            .to_string(),
        Flag => if ["true", "t", "1"].contains(&text.as_str()) {
            "yes"
        } else {
            "no"
        }
        .to_owned(),
        Time => moment(&text).to_rfc3339(),
    })
}

fn moment(text: &str) -> DateTime<Utc> {
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return at.with_timezone(&Utc);
        }
    }
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .and_utc()
}

fn at_source(simulator: &Simulator, organization: i64, kind: Kind) -> Rows {
    let (_, map) = table(kind);
    let world = simulator.world();
    // Of what may go wrong this alone changes which values there are.
    let faults: Vec<Fault> = [Fault::NewKeys]
        .into_iter()
        .filter(|fault| world.has(*fault))
        .collect();
    world.organizations[&organization].lists[&kind]
        .iter()
        .map(|record| {
            let mut json = String::new();
            record.render(&faults, &mut json);
            let fields: Value = serde_json::from_str(&json).unwrap();
            let value = |name: &str| match &fields[name] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            (
                record.id,
                map.iter()
                    .map(|(field, _, kind)| normal(*kind, value(field)))
                    .collect(),
            )
        })
        .collect()
}

async fn stored(
    fresh: &Fresh,
    connection: &DatabaseConnection,
    organization: i64,
    kind: Kind,
) -> Rows {
    let (table, map) = table(kind);
    let quote = if fresh.kind == crate::backend::Kind::MySql {
        '`'
    } else {
        '"'
    };
    let columns = map.iter().enumerate().map(|(index, (_, column, _))| {
        format!(
            "{} AS c{index}",
            fresh.text(&format!("t.{quote}{column}{quote}"))
        )
    });
    let not_stub = match (kind, fresh.kind) {
        (Kind::Transactions, _) => "TRUE",
        (_, crate::backend::Kind::Postgres) => "NOT t.is_stub",
        _ => "t.is_stub = 0",
    };
    let text = format!(
        "SELECT t.id, {} FROM {table} AS t JOIN organizations AS o ON o.id = t.organization_id \
         WHERE o.classy_id = {organization} AND t.absent_since IS NULL AND {not_stub}",
        columns.collect::<Vec<_>>().join(", ")
    );
    let rows = connection
        .query_all_raw(Statement::from_string(
            connection.get_database_backend(),
            text,
        ))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let value = |index: usize, kind: As| {
                normal(kind, row.try_get("", &format!("c{index}")).unwrap())
            };
            (
                row.try_get("", "id").unwrap(),
                map.iter()
                    .enumerate()
                    .map(|(index, (_, _, kind))| value(index, *kind))
                    .collect(),
            )
        })
        .collect()
}

/// Ids and every mapped column equal the source's, and every total equals a fresh sum.
pub async fn assert_exact(simulator: &Simulator, fresh: &Fresh, organization: i64) {
    for kind in Kind::ALL {
        assert_list(simulator, fresh, organization, kind).await;
    }
    assert_totals(simulator, fresh, organization).await;
}

/// Ids and every mapped column of one list equal the source's.
pub async fn assert_list(simulator: &Simulator, fresh: &Fresh, organization: i64, kind: Kind) {
    let connection = fresh.connect().await;
    let (table, map) = table(kind);
    let (source, here) = (
        at_source(simulator, organization, kind),
        stored(fresh, &connection, organization, kind).await,
    );
    let lacking: Vec<_> = source.keys().filter(|id| !here.contains_key(id)).collect();
    let surplus: Vec<_> = here.keys().filter(|id| !source.contains_key(id)).collect();
    assert!(
        lacking.is_empty() && surplus.is_empty(),
        "{:?} {table}: lacks {lacking:?}, has too many {surplus:?}",
        fresh.kind
    );
    for (id, row) in &source {
        for (index, (_, column, _)) in map.iter().enumerate() {
            assert_eq!(
                here[id][index], row[index],
                "{:?} {table} {id} {column}",
                fresh.kind
            );
        }
    }
    connection.close().await.unwrap();
}

/// What somebody gave, or a campaign raised.
#[derive(Default)]
struct Sum {
    amount: Decimal,
    gifts: i64,
    last: Option<String>,
    donors: BTreeSet<String>,
}

/// Giving totals, from the source's own records.
async fn assert_totals(simulator: &Simulator, fresh: &Fresh, organization: i64) {
    let connection = fresh.connect().await;
    let gifts = at_source(simulator, organization, Kind::Transactions);
    let column = |name: &str| {
        TRANSACTIONS
            .iter()
            .position(|(_, column, _)| *column == name)
            .unwrap()
    };
    let (supporter, campaign, status, amount, at) = (
        column("supporter_id"),
        column("campaign_id"),
        column("status"),
        column("total_gross_amount"),
        column("purchased_at"),
    );
    let mut sums: BTreeMap<(&str, i64), Sum> = BTreeMap::new();
    for gift in gifts
        .values()
        .filter(|gift| gift[status].as_deref() == Some("success"))
    {
        for (table, link) in [("supporters", supporter), ("campaigns", campaign)] {
            let Some(id) = gift[link].as_ref().map(|id| id.parse::<i64>().unwrap()) else {
                continue;
            };
            let entry = sums.entry((table, id)).or_default();
            entry.amount += gift[amount]
                .as_ref()
                .map_or(Decimal::ZERO, |text| text.parse().unwrap());
            entry.gifts += 1;
            entry.last = entry.last.clone().max(gift[at].clone());
            entry.donors.extend(gift[supporter].clone());
        }
    }
    for (table, sum, count, last, donors) in [
        (
            "supporters",
            "lifetime_donation_amount",
            "lifetime_donation_count",
            "last_donation_at",
            "1",
        ),
        (
            "campaigns",
            "total_raised",
            "transactions_count",
            "NULL",
            "donors_count",
        ),
    ] {
        let text = format!(
            "SELECT t.id, {} AS total, {} AS gifts, {} AS last_gift, {} AS donors FROM {table} AS t JOIN organizations AS o ON o.id = t.organization_id WHERE o.classy_id = {organization}",
            fresh.text(sum),
            fresh.text(count),
            fresh.text(last),
            fresh.text(donors)
        );
        for row in connection
            .query_all_raw(Statement::from_string(
                connection.get_database_backend(),
                text,
            ))
            .await
            .unwrap()
        {
            let id: i64 = row.try_get("", "id").unwrap();
            let expected = sums.remove(&(table, id)).unwrap_or_default();
            let total = normal(Money, row.try_get("", "total").unwrap()).unwrap();
            assert_eq!(
                total,
                expected.amount.round_dp(4).normalize().to_string(),
                "{:?} {table} {id} {sum}",
                fresh.kind
            );
            assert_eq!(
                row.try_get::<String>("", "gifts").unwrap(),
                expected.gifts.to_string(),
                "{table} {id} {count}"
            );
            if table == "campaigns" {
                assert_eq!(
                    row.try_get::<String>("", "donors").unwrap(),
                    expected.donors.len().to_string(),
                    "{table} {id} {donors}"
                );
            } else {
                assert_eq!(
                    normal(Time, row.try_get("", "last_gift").unwrap()),
                    expected.last,
                    "{table} {id} {last}"
                );
            }
        }
    }
    assert!(sums.is_empty(), "gifts of nobody: {:?}", sums.keys());
    connection.close().await.unwrap();
}
