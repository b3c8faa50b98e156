//! Organizations on one database: the same ids in two of them are different records, and the
//! database itself refuses a link from one to the other.

use crate::backend::kinds;
use crate::place::{at, person, place};
use classy_sync::domain::{Item, Money};
use classy_sync::entities::{Entity, Supporter, Transaction};
use classy_sync::store::Batch;
use sea_orm::ConnectionTrait;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_with_the_same_ids_hold_all_of_their_records_whoever_came_first() {
    for kind in kinds() {
        let place = place(kind).await;
        let other = place
            .store
            .tenant(&place.store.put_organization(2, "Two").await.unwrap());
        let fence = other
            .acquire("here", Duration::from_secs(60))
            .await
            .unwrap();
        let gift = |amount: &str| Transaction {
            id: 9,
            supporter_id: Some(7),
            campaign_id: Some(3),
            recurring_plan_id: Some(4),
            status: "success".to_owned(),
            total_gross_amount: Money::parse(amount).ok(),
            source_updated_at: at(1),
            ..Transaction::default()
        };
        // The other organization comes first, with stubs for the supporter, the campaign and the
        // plan that both have.
        other
            .commit(&fence, &Batch::of(vec![Item::Good(gift("5"))]))
            .await
            .unwrap();
        assert_eq!(
            place
                .tenant
                .commit(&place.fence, &Batch::of(vec![Item::Good(gift("7"))]))
                .await
                .unwrap()
                .counts
                .inserted,
            1,
            "{kind:?}"
        );
        let ours = Batch::of(vec![Item::Good(person("Ours", 1))]);
        assert_eq!(
            place
                .tenant
                .commit(&place.fence, &ours)
                .await
                .unwrap()
                .counts
                .inserted,
            1
        );
        assert_eq!(
            (
                place.tenant.count(Entity::Supporters).await.unwrap(),
                other.count(Entity::Supporters).await.unwrap()
            ),
            (1, 0)
        );
        // Theirs is older than ours, and a record of its own.
        assert_eq!(
            other
                .commit(&fence, &Batch::of(vec![Item::Good(person("Theirs", 0))]))
                .await
                .unwrap()
                .counts
                .inserted,
            1
        );
        assert_eq!(
            place
                .tenant
                .commit(&place.fence, &ours)
                .await
                .unwrap()
                .counts
                .unchanged,
            1
        );
        let mut absent: Batch<Supporter> = Batch::of(Vec::new());
        absent.absent = vec![7];
        other.commit(&fence, &absent).await.unwrap();
        assert_eq!(
            (
                place.tenant.count(Entity::Supporters).await.unwrap(),
                other.count(Entity::Supporters).await.unwrap()
            ),
            (1, 0)
        );
        for (classy_id, city, amount) in [(1, "Ours", "7"), (2, "Theirs", "5")] {
            let text = format!(
                "SELECT s.city, {} AS amount FROM transactions AS t JOIN organizations AS o ON o.id = t.organization_id JOIN supporters AS s \
                 ON s.id = t.supporter_id AND s.organization_id = t.organization_id WHERE o.classy_id = {classy_id}",
                place.fresh.text("s.lifetime_donation_amount")
            );
            let rows = place.query(&text).await;
            let found: Vec<(String, Money)> = rows
                .iter()
                .map(|row| {
                    (
                        row.try_get("", "city").unwrap(),
                        Money::parse(&row.try_get::<String>("", "amount").unwrap()).unwrap(),
                    )
                })
                .collect();
            assert_eq!(
                found,
                [(city.to_owned(), Money::parse(amount).unwrap())],
                "{kind:?}"
            );
        }
        assert!(
            place
                .store
                .rejects(None, true, 10)
                .await
                .unwrap()
                .is_empty()
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
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_itself_refuses_a_link_to_another_organization() {
    for kind in kinds() {
        let place = place(kind).await;
        place
            .tenant
            .commit(&place.fence, &Batch::of(vec![Item::Good(person("X", 1))]))
            .await
            .unwrap();
        place.store.put_organization(2, "Two").await.unwrap();
        let insert = |organization: i64| {
            format!(
                "INSERT INTO transactions (id, organization_id, supporter_id, status, last_sync_at) \
                 SELECT 9, o.id, 7, 'success', o.created_at FROM organizations AS o WHERE o.classy_id = {organization}"
            )
        };
        let connection = place.fresh.connect().await;
        assert!(
            connection.execute_unprepared(&insert(2)).await.is_err(),
            "{kind:?}"
        );
        connection.execute_unprepared(&insert(1)).await.unwrap();
        connection.close().await.unwrap();
    }
}
