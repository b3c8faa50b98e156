//! A value as it is served when something is wrong with it: broken, of another type, unknown, or
//! far too large (contract 6, 9).

use crate::simulator::fault::{Fault, mix};
use crate::simulator::record::Record;
use crate::simulator::world::Kind;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Tens of KB of what a payment service says about a payer: personal data that nobody should keep.
static PAYLOAD: LazyLock<String> = LazyLock::new(|| {
    let attempt = r#"{"payer":"Canary-Payer-Data","email":"canary.payer@example.org","phone":"555-010-0177","clientIp":"192.0.2.7","userAgent":"Canary/1.0 (X11)","billing":{"address1":"1 Canary Lane","postalCode":"C4N 4RY"}}"#;
    format!(
        r#"{{"_classy_pay":{{"payer":"Canary-Payer-Data","attempts":[{}]}}}}"#,
        [attempt; 150].join(",")
    )
});

/// The literal of a field as the faults leave it.
pub(in crate::simulator) fn noise<'a>(
    record: &Record,
    faults: &[Fault],
    name: &str,
    literal: Cow<'a, str>,
) -> Cow<'a, str> {
    if record.broken {
        match name {
            "total_gross_amount" | "donation_amount" | "goal" => return "\"12,50 dollars\"".into(),
            "member_id" if record.kind() == Kind::Supporters => return "{\"id\":1}".into(),
            _ => {}
        }
    }
    if name == "metadata" && literal != "null" && faults.contains(&Fault::BigMetadata) {
        return PAYLOAD.as_str().into();
    }
    if faults.contains(&Fault::TypeNoise) {
        typed(record, name, literal)
    } else {
        literal
    }
}

/// The same value as another type, or a word that nobody knew.
fn typed<'a>(record: &Record, name: &str, literal: Cow<'a, str>) -> Cow<'a, str> {
    let bare = literal.trim_matches('"');
    // By chance, but the same for the same record.
    let chance = |one_in: u64| mix(record.id as u64) % one_in == 0;
    match (name, &*literal) {
        (_, "null") if name != "metadata" => literal,
        (
            "total_gross_amount" | "fees_amount" | "pp_fees_amount" | "donation_amount" | "goal"
            | "member_id",
            _,
        ) if chance(3) => format!("\"{bare}\"").into(),
        (
            "charged_total_gross_amount" | "raw_donation_amount" | "raw_goal" | "card_last_four",
            _,
        ) if chance(2) => bare.to_owned().into(),
        ("opt_in" | "is_paused", _) if chance(4) => if bare == "true" { "1" } else { "0" }.into(),
        ("metadata", _) if chance(5) => "\"a text\"".into(),
        ("metadata", _) if chance(3) => "null".into(),
        ("schedule", _) if chance(3) => r#"{"mmdd":"0108","month":"January","day":8}"#.into(),
        ("schedule", _) if chance(2) => "null".into(),
        ("type", _) if record.number() % 5 == 0 => "\"something_new\"".into(),
        ("status", _) if record.kind() == Kind::Transactions && record.number() % 29 == 0 => {
            "\"1\"".into()
        }
        _ => literal,
    }
}
