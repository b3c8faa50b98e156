//! `with`: the documented relations of a transaction, nested under their names (contract 3.1, 3.2).
//! Undocumented ones are passed over; documented ones of which this double has nothing are null or
//! empty, as for a gift that has none.

use super::keys::{Gift, Person};
use super::query::Shape;
use super::value::{amount, clock_text};
use crate::simulator::fault::Fault;
use crate::simulator::record::Record;
use crate::simulator::world::{Kind, Organization};
use serde_json::{Value, json};

/// On the list and on the single record.
const EVERYWHERE: [&str; 11] = [
    "items",
    "member",
    "offline_payment_info",
    "channel_transaction",
    "dedication",
    "reprocess_status",
    "recurring_donation_plan",
    "receipt_serial",
    "supporter",
    "order_donation_match",
    "source_tracking_codes",
];
/// On the single record only.
const SINGLE: [&str; 8] = [
    "answers",
    "campaign",
    "decline_reason",
    "fundraising_page",
    "fundraising_team",
    "organization",
    "reprocess_attempt_info",
    "reprocess_history",
];

/// One record with what is nested in it.
pub(super) fn render(
    organization: &Organization,
    record: &Record,
    faults: &[Fault],
    shape: &Shape<'_>,
    single: bool,
    out: &mut String,
) {
    record.render_fields(faults, shape.fields.as_deref(), out);
    if record.kind() != Kind::Transactions {
        return;
    }
    let known = EVERYWHERE.iter().chain(SINGLE.iter().filter(|_| single));
    for relation in known.filter(|relation| shape.shows(relation)) {
        // The object is open again.
        out.pop();
        out.push_str(if out.ends_with('{') { "\"" } else { ",\"" });
        out.push_str(relation);
        out.push_str("\":");
        out.push_str(&nested(organization, record, faults, relation));
        out.push('}');
    }
}

fn nested(
    organization: &Organization,
    record: &Record,
    faults: &[Fault],
    relation: &str,
) -> String {
    let related = |kind: Kind, field: &str| {
        let id = record.get(field).and_then(|literal| literal.parse().ok());
        let other = id.and_then(|id| organization.lists.get(&kind)?.served(id));
        other.map_or_else(
            || "null".to_owned(),
            |other| {
                let mut out = String::new();
                other.render(faults, &mut out);
                out
            },
        )
    };
    match relation {
        "items" => format!("[{}]", item(record)),
        "supporter" => related(Kind::Supporters, "supporter_id"),
        "campaign" => related(Kind::Campaigns, "campaign_id"),
        "fundraising_page" => related(Kind::FundraisingPages, "fundraising_page_id"),
        "recurring_donation_plan" => related(Kind::Plans, "recurring_donation_plan_id"),
        "organization" => super::organization::render(organization),
        "receipt_serial" => record.number().to_string(),
        "member" => member(record).to_string(),
        "offline_payment_info" if Gift::of(record).offline => {
            json!({"check_number": "456", "description": null, "payment_type": "check", "sync_third_party": false}).to_string()
        }
        "source_tracking_codes" => {
            let at = clock_text(record.born());
            json!([{"id": record.id, "c_src": "newsletter", "c_src2": null, "referrer": null, "trackable_id": record.id,
                "trackable_type": "transaction", "event_type": "create", "created_at": at, "updated_at": at}])
            .to_string()
        }
        "answers" | "reprocess_history" => "[]".to_owned(),
        _ => "null".to_owned(),
    }
}

/// The account; its shape is in the specification only.
fn member(record: &Record) -> Value {
    Gift::of(record).member.map_or(Value::Null, |member| {
        let person = Person::of(record.home(), member);
        json!({"id": person.member_id, "first_name": person.first, "last_name": person.last, "email_address": person.email()})
    })
}

/// What was bought or given (contract 6.2).
fn item(record: &Record) -> String {
    let gift = Gift::of(record);
    let field = |name: &str| record.get(name).unwrap_or_default();
    let money = |cents: i64| {
        let mut out = String::new();
        amount(cents, &mut out);
        out
    };
    let (kind, name, price) = match () {
        () if gift.offline => ("offline_donation", "Offline donation", 0),
        () if gift.total() == 0 || gift.overhead > 0 => ("registration", "Ticket", gift.total()),
        () => ("donation", "Donation", 0),
    };
    format!(
        r#"{{"final_price":{total},"fundraising_team_id":null,"raw_overhead_amount":null,"designation_id":{designation},"commerce_order_item_id":null,"id":{id},"transaction_id":{transaction},"type":"{kind}","product_id":null,"product_name":"{name}","price":{price},"fees_amount":{fees},"overhead_amount":{overhead},"quantity":1,"donation_net_amount":{net},"donation_gross_amount":{gross},"campaign_id":{campaign},"fundraising_page_id":{page},"organization_id":{organization},"raw_price":null,"raw_final_price":{raw},"charged_fees_amount":{charged_fees},"charged_final_price":{charged},"currency_code":{currency},"promo_code_id":null,"raw_currency_code":{raw_currency},"raw_donation_gross_amount":{raw}}}"#,
        total = field("total_gross_amount"),
        designation = field("designation_id"),
        id = record.id + 2_000_000_000,
        transaction = record.id,
        price = money(price),
        fees = field("fees_amount"),
        overhead = money(gift.overhead),
        net = field("donation_net_amount"),
        gross = field("donation_gross_amount"),
        campaign = field("campaign_id"),
        organization = field("organization_id"),
        page = field("fundraising_page_id"),
        charged_fees = field("charged_fees_amount"),
        charged = field("charged_total_gross_amount").trim_matches('"'),
        currency = field("currency_code"),
        raw_currency = field("raw_currency_code"),
        raw = field("raw_total_gross_amount"),
    )
}
