//! Samples in the live shape, the noise that live data has, and bytes that are nothing at all.

use super::{List, Wire, list};
use crate::domain::{Campaign, Item, RecurringPlan, Reject, RejectReason, Supporter, Time, Transaction};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const ORGANIZATION: i64 = 10_001;

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/classy/", $name, ".json"))
    };
}

fn page<R: Wire>(records: &[&str]) -> Vec<Item<R>> {
    let body =
        format!(r#"{{"current_page":1,"data":[{}],"last_page":"1","total":"{}","queries_log":[]}}"#, records.join(","), records.len());
    let List { items, total } = list(body.as_bytes(), ORGANIZATION).unwrap();
    assert_eq!(total, records.len() as u64);
    items
}

fn good<R: Wire>(json: &str) -> R {
    match page(&[json]).remove(0) {
        Item::Good(record) => record,
        Item::Bad(reject) => panic!("{}", reject.detail),
    }
}

fn bad<R: Wire>(json: &str) -> Reject {
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
fn a_supporter_is_read_whole() {
    let expected = Supporter {
        id: 50_000_001,
        email_address: text("maribel.okafor@example.org"),
        first_name: text("Maribel"),
        last_name: text("Okafor"),
        phone: None,
        address1: text("100 Example St"),
        address2: None,
        city: text("Springfield"),
        state: text("OR"),
        postal_code: text("97477"),
        country: text("US"),
        email_opt_in: Some(true),
        consent_decided_at: at("2021-04-07T17:16:09Z"),
        origin: text("donation"),
        source_campaign_id: Some(200_001),
        member_id: Some(60_000_001),
        source_created_at: at("2020-05-29T00:00:00Z"),
        source_updated_at: at("2025-05-29T17:45:43Z"),
    };
    assert_eq!(good::<Supporter>(sample!("supporter")), expected);
    let sparse: Supporter = good(sample!("supporter-sparse"));
    assert_eq!((sparse.email_opt_in, sparse.phone, sparse.source_campaign_id), (Some(false), None, None));
}

#[test]
fn a_transaction_is_read_whole_in_its_three_currencies() {
    let expected = Transaction {
        id: 30_000_001,
        supporter_id: Some(50_000_001),
        campaign_id: Some(200_001),
        recurring_plan_id: Some(400_001),
        parent_transaction_id: None,
        designation_id: Some(70_001),
        status: "success".to_owned(),
        total_gross_amount: amount("6.01"),
        donation_gross_amount: amount("6.01"),
        donation_net_amount: amount("5.53"),
        fees_amount: amount("0.48"),
        currency_code: text("USD"),
        raw_total_gross_amount: amount("5.25"),
        raw_currency_code: text("EUR"),
        charged_total_gross_amount: amount("6.01"),
        charged_currency_code: text("USD"),
        frequency: text("monthly"),
        payment_method: text("Classy Pay"),
        payment_type: text("Credit Card"),
        is_anonymous: false,
        purchased_at: at("2025-06-03T10:28:06Z"),
        refunded_at: None,
        source_created_at: at("2025-06-03T00:00:00Z"),
        source_updated_at: at("2025-06-03T10:28:18Z"),
    };
    assert_eq!(good::<Transaction>(sample!("transaction")), expected);
    let offline: Transaction = good(sample!("transaction-offline-company"));
    assert_eq!((offline.supporter_id, offline.charged_total_gross_amount, offline.charged_currency_code), (None, None, None));
    let refunded: Transaction = good(sample!("transaction-refunded"));
    assert_eq!((refunded.status.as_str(), refunded.refunded_at.is_some()), ("refunded", true));
}

#[test]
fn a_campaign_is_read_whole() {
    let expected = Campaign {
        id: 200_001,
        name: text("Example Year End 2025"),
        status: text("active"),
        kind: text("donation"),
        goal: amount("100000"),
        currency_code: text("USD"),
        timezone: text("America/Los_Angeles"),
        canonical_url: text("https://give.example.org/campaign/example-year-end/c200001"),
        started_at: at("2025-01-09T18:13:11Z"),
        ended_at: None,
        source_created_at: at("2025-01-09T18:13:28Z"),
        source_updated_at: at("2025-02-06T18:49:45Z"),
    };
    assert_eq!(good::<Campaign>(sample!("campaign")), expected);
}

#[test]
fn a_plan_is_read_whole() {
    let expected = RecurringPlan {
        id: 400_001,
        supporter_id: Some(50_000_001),
        campaign_id: Some(200_001),
        amount: amount("52.5"),
        currency_code: text("USD"),
        frequency: text("monthly"),
        status: "active".to_owned(),
        is_paused: false,
        started_at: at("2021-01-08T00:00:00Z"),
        next_payment_date: at("2025-06-08T00:00:00Z"),
        canceled_at: None,
        source_created_at: at("2021-01-04T22:58:12Z"),
        source_updated_at: at("2025-05-12T20:22:10Z"),
    };
    assert_eq!(good::<RecurringPlan>(sample!("recurring-donation-plan")), expected);
    assert!(good::<RecurringPlan>(sample!("recurring-donation-plan-canceled")).canceled_at.is_some());
    assert_eq!(good::<RecurringPlan>(sample!("recurring-donation-plan-draft")).status, "draft");
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
    let plan: RecurringPlan = good(r#"{"id":1,"status":"hibernating","is_paused":1,"next_processing_date":"2025-06-08","schedule":{}}"#);
    assert_eq!((plan.status.as_str(), plan.is_paused, plan.next_payment_date), ("hibernating", true, at("2025-06-08T00:00:00Z")));
    assert_eq!(good::<Campaign>(r#"{"id":1,"type":"","status":null}"#), Campaign { id: 1, ..Campaign::default() });
    // Where a person came from is no owner.
    assert_eq!(good::<Supporter>(r#"{"id":1,"source_organization_id":99}"#).id, 1);
}

#[test]
fn a_bad_record_says_where_it_is_bad_and_never_what_it_holds() {
    use RejectReason::{AmountTooLarge, ForeignOrganization, Invalid};
    for (json, id, reason, detail) in [
        (r#"{"id":1,"status":"success","total_gross_amount":"secret"}"#, Some(1), Invalid, "total_gross_amount: not a decimal number"),
        (
            r#"{"id":1,"status":"success","total_gross_amount":1e18}"#,
            Some(1),
            AmountTooLarge,
            "total_gross_amount: larger than 15 digits before the point",
        ),
        (r#"{"id":1,"status":"success","purchased_at":"secret"}"#, Some(1), Invalid, "purchased_at: not a date and time"),
        (r#"{"id":1,"status":"success","is_anonymous":"secret"}"#, Some(1), Invalid, "is_anonymous: neither true nor false"),
        (r#"{"id":1,"status":"success","supporter_id":"secret"}"#, Some(1), Invalid, "supporter_id: not an id"),
        (r#"{"id":1,"status":"success","payment_type":{"secret":1}}"#, Some(1), Invalid, "payment_type: not a text"),
        (r#"{"id":1,"status":"success","payment_type":"secret\ud800"}"#, Some(1), Invalid, "payment_type: not a text"),
        (r#"{"id":1}"#, Some(1), Invalid, "status: missing"),
        (r#"{"id":1,"status":null}"#, Some(1), Invalid, "status: missing"),
        (r#"{"id":1,"status":""}"#, Some(1), Invalid, "status: missing"),
        (
            r#"{"id":"7","status":"success","organization_id":10002}"#,
            Some(7),
            ForeignOrganization,
            "organization_id: names another organization",
        ),
        (r#"{"status":"success"}"#, None, Invalid, "id: missing"),
        (r#"{"id":-3,"status":"success"}"#, None, Invalid, "id: not an id"),
        (r#"{"id":9223372036854775808,"status":"success"}"#, None, Invalid, "id: not an id"),
        (r#"{"id":1,"status":"success","status":"refunded"}"#, Some(1), Invalid, "record: not readable, or a key twice"),
        (r#"[1,"2025-01-01","2025-01-01"]"#, None, Invalid, "record: not an object"),
        ("null", None, Invalid, "record: not an object"),
        (r#""secret""#, None, Invalid, "record: not an object"),
    ] {
        let reject = bad::<Transaction>(json);
        assert_eq!((reject.source_id, reject.reason, reject.detail.as_str()), (id, reason, detail), "{json}");
    }
    let reject = bad::<Supporter>(r#"{"id":5,"updated_at":"2025-05-29T17:45:43+0000","opt_in":"perhaps"}"#);
    assert_eq!((reject.source_id, reject.updated_at), (Some(5), at("2025-05-29T17:45:43Z")));
}

#[test]
fn one_bad_record_leaves_its_neighbours_alone_and_in_order() {
    let items = page::<Supporter>(&[r#"{"id":1}"#, "7", r#"{"id":2,"opt_in":[]}"#, r#"{"id":3}"#]);
    let seen: Vec<(bool, Option<i64>)> = items.iter().map(|item| (matches!(item, Item::Good(_)), item.id())).collect();
    assert_eq!(seen, [(true, Some(1)), (false, None), (false, Some(2)), (true, Some(3))]);
}

#[test]
fn bytes_that_are_no_text_cost_only_their_own_record() {
    let body =
        [br#"{"total":3,"data":[{"id":1,"first_name":"Zo"#.as_slice(), b"\xff", br#""},{"id":2,"first_name":"Zo\u00eb"},{"id":3}]}"#]
            .concat();
    let items = list::<Supporter>(&body, ORGANIZATION).unwrap().items;
    assert!(matches!(&items[0], Item::Bad(reject) if reject.source_id == Some(1) && reject.detail == "record: not valid UTF-8"));
    assert!(matches!(&items[1], Item::Good(record) if record.first_name.as_deref() == Some("Zoë")));
    // A replacement character that was served as such is a text like any other.
    assert_eq!(good::<Supporter>("{\"id\":1,\"first_name\":\"\u{FFFD}\"}").first_name.as_deref(), Some("\u{FFFD}"));
}

#[test]
fn a_page_cut_anywhere_is_no_page() {
    let body = format!(r#"{{"data":[{}],"total":1}}"#, sample!("supporter"));
    assert!(list::<Supporter>(body.as_bytes(), ORGANIZATION).is_ok());
    for end in 0..body.len() {
        assert!(list::<Supporter>(&body.as_bytes()[..end], ORGANIZATION).is_err(), "cut at {end}");
    }
}

/// Whatever comes: no panic, no record with an id that is none, and nothing of the body in a reason.
fn survives<R: Wire>(body: &[u8]) {
    if let Ok(List { items, .. }) = list::<R>(body, ORGANIZATION) {
        for item in items {
            match item {
                Item::Good(record) => assert!(record.id() > 0),
                Item::Bad(reject) => assert!(!reject.detail.contains("Maribel") && reject.source_id.is_none_or(|id| id > 0)),
            }
        }
    }
}

#[test]
fn random_damage_is_survived() {
    let seed: u64 = std::env::var("CLASSY_SYNC_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}: CLASSY_SYNC_TEST_SEED={seed} repeats this");
    let mut rng = SmallRng::seed_from_u64(seed);
    let body = format!(r#"{{"data":[{},{}],"total":2}}"#, sample!("transaction"), sample!("supporter"));
    let pieces: [&[u8]; 12] = [b"{", b"}", b"[", b"]", b"\"", b"null", b"-", b"1e999", b"\\ud800", b"\x00", b"\xf0\x9f", br#""id":"#];
    for _ in 0..3000 {
        let mut bytes = body.clone().into_bytes();
        for _ in 0..rng.random_range(1..6) {
            let from = rng.random_range(0..bytes.len());
            let to = (from + rng.random_range(0..20)).min(bytes.len());
            let piece = pieces.choose(&mut rng).unwrap();
            bytes.splice(from..to, piece.iter().copied());
        }
        survives::<Transaction>(&bytes);
        survives::<Supporter>(&bytes);
        let noise: Vec<u8> = (0..rng.random_range(0..64)).map(|_| rng.random()).collect();
        survives::<Campaign>(&noise);
    }
}
