//! Values at the edge of what a database holds: each is stored as what it says, or rejected with
//! its field, and none costs another record.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Kind as List;

/// Rejected everywhere.
const REFUSED: [(List, &str, &[&str]); 8] = [
    (
        List::Transactions,
        "total_gross_amount",
        &[
            r#""NaN""#,
            r#""nan""#,
            r#""Infinity""#,
            r#""-inf""#,
            r#""1_000""#,
            r#""1,000.00""#,
            r#""0x10""#,
            r#""+5""#,
            r#""--5""#,
            r#""-""#,
            r#""1e""#,
            r#""١٢""#,
            r#""$5""#,
            "1000000000000000",
            "999999999999999.9999",
            "100000000000",
            "999999999999999.99995",
            "-1000000000000000",
            "1e400",
            "true",
            "[5]",
        ],
    ),
    (
        List::Transactions,
        "fees_amount",
        &["1e15", r#""1e99999999999999999999""#],
    ),
    (
        List::Transactions,
        "supporter_id",
        &[
            "9223372036854775808",
            "-1",
            "-0",
            "1e3",
            "1.0",
            r#""1_000""#,
            r#""NaN""#,
            "18446744073709551616",
        ],
    ),
    (
        List::Transactions,
        "purchased_at",
        &[
            r#""0001-01-01T00:00:00Z""#,
            r#""2025-02-30""#,
            "1700000000",
            r#""1700000000""#,
        ],
    ),
    (
        List::Transactions,
        "is_anonymous",
        &["2", r#""perhaps""#, "-1"],
    ),
    (
        List::Supporters,
        "last_email_consent_decision_date",
        &[
            r#""0999-12-31T23:59:59Z""#,
            r#""1000-01-01T00:00:00+00:01""#,
            r#""9999-12-31T23:59:59-05:00""#,
            r#""9999-12-31T24:00:00Z""#,
            r#""9999-12-31T23:59:60Z""#,
            r#""10000-01-01""#,
            r#""-2025-01-01""#,
            r#""2025-13-01T00:00:00Z""#,
            r#""2025-00-10""#,
            r#""2025-06-00""#,
            r#""2025-06-01T23:59:61Z""#,
            r#""2025-06-01T24:00:01Z""#,
            r#""2025-06-01T12:00:00+99:00""#,
            r#""2025-06-01T12:00:00.Z""#,
            r#""NaN""#,
            r#""now""#,
        ],
    ),
    (
        List::Supporters,
        "member_id",
        &["9223372036854775808", "1.5", r#""1 000""#],
    ),
    (List::Supporters, "opt_in", &[r#""perhaps""#, "2", "1.0"]),
];

/// Stored: what the column then holds, as a question that answers 1.
const STORED: [(List, &str, &str, &str); 21] = [
    (
        List::Transactions,
        "total_gross_amount",
        "-0",
        "total_gross_amount = 0",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        r#""-0.00""#,
        "total_gross_amount = 0",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        "0e99999",
        "total_gross_amount = 0",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        "1e-400",
        "total_gross_amount = 0",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        "-0.00001",
        "total_gross_amount = 0",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        "1e3",
        "total_gross_amount = 1000",
    ),
    (
        List::Transactions,
        "total_gross_amount",
        r#""-12.5""#,
        "total_gross_amount = -12.5",
    ),
    (
        List::Transactions,
        "fees_amount",
        "99999999999.9999",
        "fees_amount > 99999999999.9998 AND fees_amount < 100000000000",
    ),
    (
        List::Transactions,
        "supporter_id",
        "9223372036854775807",
        "supporter_id = 9223372036854775807",
    ),
    (
        List::Transactions,
        "parent_transaction_id",
        r#""9223372036854775807""#,
        "parent_transaction_id = 9223372036854775807",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""0000-00-00""#,
        "refunded_at IS NULL",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""0000-00-00 00:00:00""#,
        "refunded_at IS NULL",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""-0001-11-30T00:00:00+0000""#,
        "refunded_at IS NULL",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""2016-12-31T23:59:60Z""#,
        "refunded_at = '2017-01-01 00:00:00'",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""2016-12-31T24:00:00Z""#,
        "refunded_at = '2017-01-01 00:00:00'",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""1969-12-31T23:59:59Z""#,
        "refunded_at = '1969-12-31 23:59:59'",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""1000-01-01T00:00:00Z""#,
        "refunded_at = '1000-01-01 00:00:00'",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""9999-12-31T23:59:59.999999Z""#,
        "refunded_at > '9999-12-31 23:59:58'",
    ),
    (
        List::Transactions,
        "refunded_at",
        r#""9999-12-31T23:59:59+18:00""#,
        "refunded_at = '9999-12-31 05:59:59'",
    ),
    (List::Supporters, "member_id", "0", "member_id IS NULL"),
    (
        List::Supporters,
        "first_name",
        r#""\u0000\ud83d\ude00\ufeff""#,
        "first_name IS NOT NULL",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn values_at_the_edge_are_stored_as_what_they_say_or_rejected_and_cost_no_other_record() {
    for kind in kinds() {
        let site = Site::new(kind, world(400, 314)).await;
        let mut places = std::collections::HashMap::new();
        let mut next = |list: List| {
            let place = places.entry(list.path()).or_insert(0);
            *place += 2;
            site.simulator
                .world()
                .list(ORGANIZATION, list)
                .unwrap()
                .iter()
                .nth(*place)
                .unwrap()
                .id
        };
        let set = |list, id, field: &str, literal: &str| {
            assert!(
                site.simulator.world().edit(
                    ORGANIZATION,
                    list,
                    id,
                    &[(field, literal.to_owned())],
                    true
                ),
                "{field}"
            );
        };
        let (mut refused, mut stored) = (Vec::new(), Vec::new());
        for (list, field, literals) in REFUSED {
            for literal in literals {
                let id = next(list);
                set(list, id, field, literal);
                refused.push((id, field, *literal));
            }
        }
        for (list, field, literal, holds) in STORED {
            let id = next(list);
            set(list, id, field, literal);
            stored.push((list, id, literal, holds));
        }
        let told = site.json(&["sync"], 3);
        let rejects = site.json(&["rejects", "--limit", "500"], 0);
        for (id, field, literal) in &refused {
            let reject = rejects
                .as_array()
                .unwrap()
                .iter()
                .find(|reject| reject["id"] == *id);
            let detail = reject.unwrap_or_else(|| panic!("{kind:?}: {field} {literal} was taken"))
                ["detail"]
                .as_str()
                .unwrap();
            assert!(
                detail.starts_with(&format!("{field}: ")),
                "{kind:?}: {literal}: {detail}"
            );
        }
        assert_eq!(
            rejects.as_array().unwrap().len(),
            refused.len(),
            "{kind:?}: {rejects}"
        );
        for (list, id, literal, holds) in stored {
            let text = format!(
                "SELECT COUNT(*) AS n FROM {} WHERE id = {id} AND {}",
                list.path(),
                spelled(kind, holds)
            );
            assert_eq!(
                site.number(&text).await,
                1,
                "{kind:?}: {literal} of {id}, {holds}: {told}"
            );
        }
        // Read again nothing differs from what was stored.
        let again = site.json(&["sync", "--full"], 3);
        for feed in again["organizations"][0]["feeds"].as_array().unwrap() {
            assert_eq!(
                (&feed["outcome"], &feed["updated"]),
                (&"complete".into(), &0.into()),
                "{kind:?}: {feed}"
            );
        }
        let there = site
            .simulator
            .world()
            .list(ORGANIZATION, List::Supporters)
            .unwrap()
            .iter()
            .count() as i64;
        let fields: Vec<&str> = REFUSED
            .iter()
            .filter(|(list, ..)| *list == List::Supporters)
            .map(|(_, field, _)| *field)
            .collect();
        let out = refused
            .iter()
            .filter(|(_, field, _)| fields.contains(field))
            .count() as i64;
        let stored = site
            .number("SELECT COUNT(*) AS n FROM supporters WHERE fingerprint IS NOT NULL")
            .await;
        assert_eq!(stored, there - out, "{kind:?}");
    }
}

/// Moments as a database spells them.
fn spelled(kind: Kind, holds: &str) -> String {
    let Some((before, clock)) = holds
        .strip_suffix('\'')
        .and_then(|text| text.rsplit_once(' '))
    else {
        return holds.to_owned();
    };
    match kind {
        Kind::Sqlite => format!("{before}T{clock}+00:00'"),
        Kind::Postgres => format!("{before} {clock}+00'"),
        Kind::MySql => holds.to_owned(),
    }
}
