//! The page transaction by itself: newer wins, blanks and old words are in the audit, links and
//! amounts are right, and its cost does not grow. Organizations beside each other are in `apart`.

use crate::backend::{Kind, kinds};
use crate::place::{at, person, place};
use classy_sync::domain::{Item, Money, Reject, RejectReason};
use classy_sync::entities::{Supporter, Transaction};
use classy_sync::store::Batch;
use sea_orm::ConnectionTrait;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_never_replaces_a_newer_one_and_of_equals_the_later_wins() {
    for kind in kinds() {
        let place = place(kind).await;
        let commit = async |rows: Vec<Supporter>| {
            place
                .tenant
                .commit(
                    &place.fence,
                    &Batch::of(rows.into_iter().map(Item::Good).collect()),
                )
                .await
                .unwrap()
                .counts
        };
        assert_eq!(commit(vec![person("New", 50)]).await.inserted, 1);
        assert_eq!(commit(vec![person("Old", 10)]).await.older, 1);
        assert_eq!(commit(vec![person("New", 50)]).await.unchanged, 1);
        assert_eq!(commit(vec![person("Later", 50)]).await.updated, 1);
        // Twice in one batch, with two versions: the newer.
        let counts = commit(vec![person("Newest", 90), person("Stale", 60)]).await;
        assert_eq!((counts.seen, counts.updated), (2, 1));
        let report = place
            .store
            .report(classy_sync::store::Report::Supporters, None, 0, 10)
            .await
            .unwrap();
        assert_eq!(report.len(), 1);
        assert_eq!(commit(vec![person("Newest", 90)]).await.unchanged, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_consent_email_and_money_were_before_is_in_the_audit() {
    for kind in kinds() {
        let place = place(kind).await;
        let mut person = person("X", 1);
        person.email_address = Some("before@example.org".to_owned());
        let mut gift = Transaction {
            id: 9,
            supporter_id: Some(7),
            status: "success".to_owned(),
            source_updated_at: at(1),
            ..Transaction::default()
        };
        gift.total_gross_amount = Money::parse("1234567890.1234").ok();
        let people = async |row: &Supporter| {
            place
                .tenant
                .commit(&place.fence, &Batch::of(vec![Item::Good(row.clone())]))
                .await
                .unwrap()
        };
        let gifts = async |row: &Transaction| {
            place
                .tenant
                .commit(&place.fence, &Batch::of(vec![Item::Good(row.clone())]))
                .await
                .unwrap()
        };
        people(&person).await;
        gifts(&gift).await;
        assert_eq!(
            place.store.audit_rows(None, 100).await.unwrap().len(),
            0,
            "a first version changes nothing"
        );
        person.email_address = None;
        person.email_opt_in = Some(false);
        person.city = Some("Y".to_owned());
        person.source_updated_at = at(2);
        gift.total_gross_amount = Money::parse("0.01").ok();
        gift.source_updated_at = at(2);
        people(&person).await;
        gifts(&gift).await;
        let rows = place.store.audit_rows(Some(1), 100).await.unwrap();
        let told: Vec<(&str, &str, &str)> = rows
            .iter()
            .rev()
            .map(|row| {
                (
                    row.action.as_str(),
                    row.subject.as_str(),
                    row.detail.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    "supporter.email_changed",
                    "supporter:7",
                    r#"{"column":"email_address","from":"before@example.org","to":null}"#
                ),
                (
                    "supporter.consent_changed",
                    "supporter:7",
                    r#"{"column":"email_opt_in","from":true,"to":false}"#
                ),
                (
                    "transaction.amount_changed",
                    "transaction:9",
                    r#"{"column":"total_gross_amount","from":"1234567890.1234","to":"0.01"}"#
                ),
            ],
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_that_came_before_its_donor_is_linked_when_the_donor_comes() {
    for kind in kinds() {
        let place = place(kind).await;
        let gift = Transaction {
            id: 9,
            supporter_id: Some(7),
            status: "success".to_owned(),
            source_updated_at: at(1),
            ..Transaction::default()
        };
        place
            .tenant
            .commit(&place.fence, &Batch::of(vec![Item::Good(gift.clone())]))
            .await
            .unwrap();
        // The donor cannot be stored at first.
        let (source_id, updated_at, reason) = (Some(7), at(1), RejectReason::Invalid);
        let bad = Reject {
            source_id,
            updated_at,
            reason,
            detail: "email_address: not a text".to_owned(),
            opt_out: None,
        };
        place
            .tenant
            .commit::<Supporter>(&place.fence, &Batch::of(vec![Item::Bad(bad)]))
            .await
            .unwrap();
        place
            .tenant
            .commit(
                &place.fence,
                &Batch::of(vec![Item::Good(person("Late", 2))]),
            )
            .await
            .unwrap();
        assert_eq!(
            place
                .tenant
                .commit(&place.fence, &Batch::of(vec![Item::Good(gift)]))
                .await
                .unwrap()
                .counts
                .unchanged,
            1
        );
        let text = "SELECT s.city FROM transactions AS t JOIN supporters AS s ON s.id = t.supporter_id AND s.organization_id = t.organization_id";
        let cities: Vec<String> = place
            .query(text)
            .await
            .iter()
            .map(|row| row.try_get("", "city").unwrap())
            .collect();
        assert_eq!(cities, ["Late"], "{kind:?}");
        assert!(
            place
                .store
                .rejects(None, false, 10)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_and_what_the_database_cannot_hold_is_rejected() {
    for kind in kinds() {
        let place = place(kind).await;
        let gift = |id: i64, amount: &str| Transaction {
            id,
            status: "success".to_owned(),
            campaign_id: Some(3),
            total_gross_amount: Money::parse(amount).ok(),
            ..Transaction::default()
        };
        let large = "123456789012345.6789";
        let batch = Batch::of(vec![
            Item::Good(gift(1, "0.0001")),
            Item::Good(gift(2, "99999999999.9999")),
            Item::Good(gift(3, "100")),
        ]);
        place.tenant.commit(&place.fence, &batch).await.unwrap();
        // Written again as it is, it is recognized: what was stored is what was meant.
        assert_eq!(
            place
                .tenant
                .commit(&place.fence, &batch)
                .await
                .unwrap()
                .counts
                .unchanged,
            3
        );
        assert!(
            place
                .store
                .check()
                .await
                .unwrap()
                .iter()
                .all(|one| one.count == 0),
            "{kind:?}"
        );
        // A gift that would leave no room for others in a sum is refused, and the ordinary one that
        // comes after it is not.
        let other_amount = Transaction {
            fees_amount: Money::parse(large).ok(),
            ..gift(4, "7")
        };
        let batches = [gift(5, large), gift(6, "25"), other_amount].map(Item::Good);
        let mut stored = Vec::new();
        for item in batches {
            let counts = place
                .tenant
                .commit(&place.fence, &Batch::of(vec![item]))
                .await
                .unwrap()
                .counts;
            stored.push((counts.inserted, counts.rejected));
        }
        let fits = u64::from(kind != crate::backend::Kind::Sqlite);
        assert_eq!(stored, [(0, 1), (1, 0), (fits, 1 - fits)], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_costs_the_same_however_many_rows_there_are_on_a_database_without_statistics() {
    const PEOPLE: i64 = 4_000;
    const GIFTS: i64 = 2_000;
    for kind in kinds() {
        let place = place(kind).await;
        let connection = place.fresh.connect().await;
        for table in ["supporters", "transactions"] {
            let never = match kind {
                Kind::Sqlite => continue,
                Kind::Postgres => "SET (autovacuum_enabled = false)",
                Kind::MySql => "STATS_AUTO_RECALC = 0",
            };
            connection
                .execute_unprepared(&format!("ALTER TABLE {table} {never}"))
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
        let people = (1..=PEOPLE)
            .map(|id| {
                Item::Good(Supporter {
                    id,
                    ..person("X", 1)
                })
            })
            .collect();
        place
            .tenant
            .commit(&place.fence, &Batch::of(people))
            .await
            .unwrap();
        let gift = |id: i64| Transaction {
            id,
            supporter_id: Some(id * 7_919 % PEOPLE + 1),
            campaign_id: Some(id % 20 + 1),
            status: "success".to_owned(),
            total_gross_amount: Money::parse("5").ok(),
            purchased_at: at(id),
            source_updated_at: at(id),
            ..Transaction::default()
        };
        let mut took = Vec::new();
        for batch in 0..18 {
            let gifts = (batch * GIFTS + 1..=(batch + 1) * GIFTS)
                .map(|id| Item::Good(gift(id)))
                .collect();
            let begin = Instant::now();
            place
                .tenant
                .commit(&place.fence, &Batch::of(gifts))
                .await
                .unwrap();
            took.push(begin.elapsed());
        }
        println!("{kind:?}: {took:?}");
        let (early, late) = (
            took[..3].iter().min().unwrap(),
            took[15..].iter().min().unwrap(),
        );
        assert!(*late < 3 * *early, "{kind:?}: {took:?}");
    }
}
