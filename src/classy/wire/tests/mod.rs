//! Records: samples in the live shape, and the noise that live data has.

use super::envelope::list;
use super::{List, OneReader};
use crate::domain::{Item, Reject, RejectReason, Time};
use crate::entities::{Campaign, Record, RecurringPlan, Supporter, Transaction};

const ORGANIZATION: i64 = 10_001;

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(
            "../../../../tests/fixtures/classy/",
            $name,
            ".json"
        ))
    };
}

mod lists;
mod whole;

fn page<R: Record>(records: &[&str]) -> Vec<Item<R>> {
    let body = format!(
        r#"{{"current_page":1,"data":[{}],"last_page":"1","total":"{}","queries_log":[]}}"#,
        records.join(","),
        records.len()
    );
    let List { items, total, .. } = list(body.as_bytes(), ORGANIZATION).unwrap();
    assert_eq!(total, records.len() as u64);
    items
}

fn good<R: Record>(json: &str) -> R {
    match page(&[json]).remove(0) {
        Item::Good(record) => record,
        Item::Bad(reject) => panic!("{}", reject.detail),
    }
}

fn bad<R: Record>(json: &str) -> Reject {
    match page::<R>(&[json]).remove(0) {
        Item::Good(_) => panic!("accepted: {json}"),
        Item::Bad(reject) => reject,
    }
}

fn at(text: &str) -> Option<Time> {
    Some(text.parse().unwrap())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn amount(text: &str) -> Option<crate::domain::Money> {
    Some(crate::domain::Money::parse(text).unwrap())
}

#[test]
fn types_spellings_and_words_that_nobody_expected_survive() {
    let record: Transaction = good(
        r#"{"id":"9007199254740993","organization_id":"10001","status":"1","supporter_id":"","campaign_id":0,"recurring_donation_plan_id":"0",
            "total_gross_amount":"0.10","donation_gross_amount":1e2,"fees_amount":"","is_anonymous":"1","purchased_at":"2025-06-03 10:28:06",
            "refunded_at":"","updated_at":"2025-06-03T12:28:18+02:00","metadata":"[]","context":[1,{"a":null}],"frequency":"fortnightly",
            "payment_type":7,"a_new_key":{"deep":[[[]]]}}"#,
    );
    let expected = Transaction {
        id: 9_007_199_254_740_993,
        status: "1".to_owned(),
        total_gross_amount: amount("0.1"),
        donation_gross_amount: amount("100"),
        is_anonymous: true,
        purchased_at: at("2025-06-03T10:28:06Z"),
        frequency: text("fortnightly"),
        payment_type: text("7"),
        source_updated_at: at("2025-06-03T10:28:18Z"),
        ..Transaction::default()
    };
    assert_eq!(record, expected);
    let plan: RecurringPlan = good(
        r#"{"id":1,"status":"hibernating","is_paused":1,"next_processing_date":"2025-06-08","schedule":{}}"#,
    );
    assert_eq!(
        (plan.status.as_str(), plan.is_paused, plan.next_payment_date),
        ("hibernating", true, at("2025-06-08T00:00:00Z"))
    );
    assert_eq!(
        good::<Campaign>(r#"{"id":1,"type":"","status":null}"#),
        Campaign {
            id: 1,
            ..Campaign::default()
        }
    );
    // Where a person came from is no owner.
    assert_eq!(
        good::<Supporter>(r#"{"id":1,"source_organization_id":99}"#).id,
        1
    );
}

#[test]
fn a_bad_record_says_where_it_is_bad_and_never_what_it_holds() {
    use RejectReason::{AmountTooLarge, ForeignOrganization, Invalid};
    for (json, id, reason, detail) in [
        (
            r#"{"id":1,"status":"success","total_gross_amount":"secret"}"#,
            Some(1),
            Invalid,
            "total_gross_amount: not a decimal number",
        ),
        (
            r#"{"id":1,"status":"success","total_gross_amount":1e18}"#,
            Some(1),
            AmountTooLarge,
            "total_gross_amount: larger than 15 digits before the point",
        ),
        (
            r#"{"id":1,"status":"success","purchased_at":"secret"}"#,
            Some(1),
            Invalid,
            "purchased_at: not a date and time",
        ),
        (
            r#"{"id":1,"status":"success","is_anonymous":"secret"}"#,
            Some(1),
            Invalid,
            "is_anonymous: neither true nor false",
        ),
        (
            r#"{"id":1,"status":"success","supporter_id":"secret"}"#,
            Some(1),
            Invalid,
            "supporter_id: not an id",
        ),
        (
            r#"{"id":1,"status":"success","payment_type":{"secret":1}}"#,
            Some(1),
            Invalid,
            "payment_type: not a text",
        ),
        (
            r#"{"id":1,"status":"success","payment_type":"secret\ud800"}"#,
            Some(1),
            Invalid,
            "payment_type: not a text",
        ),
        (r#"{"id":1}"#, Some(1), Invalid, "status: missing"),
        (
            r#"{"id":1,"status":null}"#,
            Some(1),
            Invalid,
            "status: missing",
        ),
        (
            r#"{"id":1,"status":""}"#,
            Some(1),
            Invalid,
            "status: missing",
        ),
        (
            r#"{"id":"7","status":"success","organization_id":10002}"#,
            Some(7),
            ForeignOrganization,
            "organization_id: names another organization",
        ),
        (r#"{"status":"success"}"#, None, Invalid, "id: missing"),
        (
            r#"{"id":-3,"status":"success"}"#,
            None,
            Invalid,
            "id: not an id",
        ),
        (
            r#"{"id":9223372036854775808,"status":"success"}"#,
            None,
            Invalid,
            "id: not an id",
        ),
        (
            r#"{"id":1,"status":"success","status":"refunded"}"#,
            Some(1),
            Invalid,
            "record: not readable, or a key twice",
        ),
        (
            r#"[1,"2025-01-01","2025-01-01"]"#,
            None,
            Invalid,
            "record: not an object",
        ),
        ("null", None, Invalid, "record: not an object"),
        (r#""secret""#, None, Invalid, "record: not an object"),
    ] {
        let reject = bad::<Transaction>(json);
        assert_eq!(
            (reject.source_id, reject.reason, reject.detail.as_str()),
            (id, reason, detail),
            "{json}"
        );
    }
    let reject =
        bad::<Supporter>(r#"{"id":5,"updated_at":"2025-05-29T17:45:43+0000","opt_in":"perhaps"}"#);
    assert_eq!(
        (reject.source_id, reject.updated_at),
        (Some(5), at("2025-05-29T17:45:43Z"))
    );
}

#[test]
fn a_no_counts_though_a_key_is_there_twice() {
    for (json, id, refuses) in [
        (
            r#"{"id":5,"opt_in":false,"nickname":"a","nickname":"a"}"#,
            Some(5),
            true,
        ),
        (r#"{"id":5,"opt_in":false,"opt_in":false}"#, Some(5), true),
        (r#"{"id":5,"opt_in":true,"opt_in":"no"}"#, Some(5), true),
        (r#"{"id":5,"id":5,"opt_in":"off"}"#, Some(5), true),
        // Whose it is is not known.
        (r#"{"id":5,"id":6,"opt_in":false}"#, None, true),
        (r#"{"id":5,"opt_in":true,"opt_in":true}"#, Some(5), false),
    ] {
        let reject = bad::<Supporter>(json);
        assert_eq!(
            (reject.source_id, reject.opt_out.is_some()),
            (id, refuses),
            "{json}"
        );
    }
    let person: Supporter = good(r#"{"id":12,"opt_in":"N"}"#);
    assert_eq!(person.email_opt_in, Some(false));
}

#[test]
fn what_decides_nothing_costs_no_gift_however_long_it_is() {
    for (key, value) in [
        ("comment", format!("\"{}\"", "x".repeat(200_000))),
        ("utm", format!("[{}1]", "1,".repeat(100_000))),
        ("consent", "[".repeat(500) + &"]".repeat(500)),
    ] {
        let gift: Transaction = good(&format!(
            r#"{{"id":9,"status":"success","{key}":{value},"total_gross_amount":"5.00"}}"#
        ));
        assert_eq!(
            (gift.id, gift.total_gross_amount),
            (9, amount("5.00")),
            "{key}"
        );
    }
    let without = bad::<Transaction>(&format!(r#"{{"id":9,"status":"{}"}}"#, "x".repeat(200_000)));
    assert!(without.detail.starts_with("status: "), "{}", without.detail);
}

#[test]
fn one_bad_record_leaves_its_neighbours_alone_and_in_order() {
    let items = page::<Supporter>(&[r#"{"id":1}"#, "7", r#"{"id":2,"opt_in":[]}"#, r#"{"id":3}"#]);
    let seen: Vec<(bool, Option<i64>)> = items
        .iter()
        .map(|item| (matches!(item, Item::Good(_)), item.id()))
        .collect();
    assert_eq!(
        seen,
        [
            (true, Some(1)),
            (false, None),
            (false, Some(2)),
            (true, Some(3))
        ]
    );
}

#[test]
fn a_record_with_something_too_large_is_refused_by_field_or_kept_without_what_nobody_reads() {
    let (long, longest) = ("x".repeat(150_000), "y".repeat(4_000));
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let items = page::<Supporter>(&[
        &format!(r#"{{"first_name":"{long}","id":1,"updated_at":"2025-05-29T17:45:43+0000"}}"#),
        &format!(
            r#"{{"id":2,"metadata":{{"a":"{long}"}},"first_name":"{longest}","deep":{deep}}}"#
        ),
        &format!(r#"{{"id":3,"city":{deep}}}"#),
        &format!("\"{long}{long}\""),
        &format!(
            r#"{{"id":5,{}"last_name":"z"}}"#,
            (0..200_000)
                .map(|n| format!("\"k{n}\":{n},"))
                .collect::<String>()
        ),
        r#"{"id":6}"#,
    ]);
    let seen: Vec<(Option<i64>, &str)> = items
        .iter()
        .map(|item| match item {
            Item::Good(record) => (Some(record.id), "good"),
            Item::Bad(reject) => (reject.source_id, reject.detail.as_str()),
        })
        .collect();
    let expected = [
        (Some(1), "first_name: too long to be read"),
        (Some(2), "good"),
        (Some(3), "city: nested too deeply"),
        (None, "record: too long to be read"),
        (Some(5), "record: too long to be read"),
        (Some(6), "good"),
    ];
    assert_eq!(seen, expected);
    assert!(
        matches!(&items[1], Item::Good(record) if record.first_name.as_deref() == Some(longest.as_str()))
    );
    assert!(
        matches!(&items[0], Item::Bad(reject) if reject.updated_at == at("2025-05-29T17:45:43Z"))
    );
    // Asked for singly, the same is said.
    let body = format!(r#" {{"city":"{long}","id":1,"created_at":"2025-05-29T00:00:00+0000"}} "#);
    let mut one = OneReader::default();
    let _ = body
        .as_bytes()
        .chunks(999)
        .try_for_each(|piece| one.take(piece));
    assert!(
        matches!(one.finish::<Supporter>(1, ORGANIZATION), Ok(Item::Bad(reject)) if reject.detail == "city: too long to be read")
    );
}
