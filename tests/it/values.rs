//! One value never costs a batch: what no database holds is rejected with its field, and
//! everything else of the batch is stored. What only the database refuses is in
//! `database_refuses`.

use crate::backend::{Kind, kinds};
use crate::place::place;
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::domain::{Item, Money};
use classy_sync::entities::Transaction;
use classy_sync::simulator::Kind as List;
use classy_sync::store::Batch;
use sea_orm::ConnectionTrait;

fn table(list: List) -> &'static str {
    if list == List::Plans {
        "recurring_plans"
    } else {
        list.path()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_that_no_total_can_hold_is_rejected_alone() {
    for kind in kinds() {
        let place = place(kind).await;
        // Six of them are more than SQLite holds exactly; elsewhere it takes ten thousand.
        let large = "90000000000";
        let gift = |id: i64, amount: &str| {
            Item::Good(Transaction {
                id,
                supporter_id: Some(7),
                campaign_id: Some(3),
                status: "success".to_owned(),
                total_gross_amount: Money::parse(amount).ok(),
                ..Transaction::default()
            })
        };
        let gifts = (1..=8)
            .map(|id| gift(id, if id == 1 || id == 8 { "5" } else { large }))
            .collect();
        let counts = place
            .tenant
            .commit(&place.fence, &Batch::of(gifts))
            .await
            .unwrap()
            .counts;
        let expected = if kind == Kind::Sqlite { (7, 1) } else { (8, 0) };
        assert_eq!((counts.inserted, counts.rejected), expected, "{kind:?}");
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
async fn what_no_database_holds_is_rejected_with_its_field_and_the_rest_of_the_feed_is_stored() {
    for kind in kinds() {
        let site = Site::new(kind, world(250, 77)).await;
        let address: String = (0..2_800)
            .map(|_| char::from(b'a' + rand::random::<u8>() % 26))
            .collect();
        let spoil = [
            (
                List::Supporters,
                "email_address",
                format!("\"{address}@example.org\""),
            ),
            (
                List::Supporters,
                "last_email_consent_decision_date",
                "\"9999-12-31T23:59:59-05:00\"".to_owned(),
            ),
            (
                List::Campaigns,
                "ended_at",
                "\"9999-12-31T23:59:59-05:00\"".to_owned(),
            ),
            (List::Campaigns, "goal", "\"1_000\"".to_owned()),
            (List::Plans, "started_at", "\"0999-12-31\"".to_owned()),
            (
                List::Transactions,
                "total_gross_amount",
                "\"1e400\"".to_owned(),
            ),
            (List::Transactions, "supporter_id", "\"+5\"".to_owned()),
        ];
        let mut before = Vec::new();
        for (place, (list, field, literal)) in spoil.iter().enumerate() {
            let mut world = site.simulator.world();
            let record = world
                .list(ORGANIZATION, *list)
                .unwrap()
                .iter()
                .nth(place % 2)
                .unwrap();
            let (id, was) = (record.id, record.get(field).unwrap().into_owned());
            assert!(world.edit(ORGANIZATION, *list, id, &[(field, literal.clone())], true));
            before.push((*list, id, *field, was));
        }
        site.json(&["sync"], 3);
        let rejects = site.json(&["rejects"], 0);
        assert_eq!(
            rejects.as_array().unwrap().len(),
            spoil.len(),
            "{kind:?}: {rejects}"
        );
        for (list, id, field, _) in &before {
            let told = rejects
                .as_array()
                .unwrap()
                .iter()
                .find(|reject| reject["id"] == *id && reject["feed"] == table(*list));
            let detail =
                told.unwrap_or_else(|| panic!("{kind:?}: {field} of {id} in {rejects}"))["detail"]
                    .as_str()
                    .unwrap();
            assert!(detail.starts_with(&format!("{field}: ")), "{detail}");
        }
        for (list, count) in [
            (List::Supporters, 2),
            (List::Campaigns, 2),
            (List::Plans, 1),
            (List::Transactions, 2),
        ] {
            let there = site
                .simulator
                .world()
                .list(ORGANIZATION, list)
                .unwrap()
                .iter()
                .count() as i64;
            let stored = match list {
                List::Transactions => site.number("SELECT COUNT(*) AS n FROM transactions").await,
                _ => {
                    site.number(&format!(
                        "SELECT COUNT(*) AS n FROM {} WHERE fingerprint IS NOT NULL",
                        table(list)
                    ))
                    .await
                }
            };
            assert_eq!(stored, there - count, "{kind:?}: {}", table(list));
        }
        for (list, id, field, was) in before {
            site.simulator
                .world()
                .edit(ORGANIZATION, list, id, &[(field, was)], true);
        }
        site.sync();
        site.assert_exact().await;
        assert_eq!(site.json(&["rejects"], 0), serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_reading_believes_that_the_source_went_back_and_tells_of_it() {
    for kind in kinds() {
        let site = Site::new(kind, world(250, 78)).await;
        let ids: Vec<i64> = site
            .simulator
            .world()
            .list(ORGANIZATION, List::Supporters)
            .unwrap()
            .iter()
            .map(|one| one.id)
            .collect();
        let set = |id: i64, opt_in: bool, at: i64| {
            let mut world = site.simulator.world();
            assert!(world.edit(
                ORGANIZATION,
                List::Supporters,
                id,
                &[("opt_in", opt_in.to_string())],
                false
            ));
            world
                .list(ORGANIZATION, List::Supporters)
                .unwrap()
                .get_mut(id)
                .unwrap()
                .updated_at = Some(at);
        };
        let now = site.simulator.world().now();
        // One carried a time from the future, and then an honest one; of others a backup was
        // restored.
        set(ids[3], true, now + 400 * 86_400);
        ids[10..13].iter().for_each(|id| set(*id, true, now - 10));
        site.sync();
        set(ids[3], false, now + 1);
        ids[10..13]
            .iter()
            .for_each(|id| set(*id, false, now - 90 * 86_400));
        site.simulator.world().clock_offset += 20;
        let yes = format!(
            "SELECT COUNT(*) AS n FROM supporters WHERE email_opt_in AND id IN ({}, {}, {}, {})",
            ids[3], ids[10], ids[11], ids[12]
        );
        let report = site.sync();
        let told = feed(&report, "supporters");
        assert_eq!(
            (&told["older"], &told["restored"]),
            (&1.into(), &0.into()),
            "{kind:?}: the incremental says how many it refused"
        );
        assert_eq!(site.number(&yes).await, 4);
        let report = site.json(&["sync", "--full"], 0);
        let told = feed(&report, "supporters");
        assert_eq!(
            (&told["restored"], &told["reconcile"]["restored"]),
            (&4.into(), &4.into()),
            "{kind:?}: {told}"
        );
        assert_eq!(site.number(&yes).await, 0, "{kind:?}");
        site.assert_exact().await;
        assert_eq!(
            site.numbers("SELECT restored AS n FROM sync_runs WHERE restored > 0")
                .await,
            [4]
        );
        let audit = site.json(&["audit", "--limit", "1000"], 0);
        let changes = audit
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["action"] == "supporter.consent_changed")
            .count();
        assert_eq!(changes, 4, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_spell_every_name_is_refused_before_anything_is_made() {
    for kind in kinds() {
        let site = Site::new(kind, world(10, 79)).await;
        match kind {
            Kind::Sqlite => continue,
            Kind::Postgres => {
                let (server, name) = site.database.url.rsplit_once('/').unwrap();
                let admin = sea_orm::Database::connect(format!("{server}/postgres"))
                    .await
                    .unwrap();
                for text in [
                    format!("DROP DATABASE {name}"),
                    format!(
                        "CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
                    ),
                ] {
                    admin.execute_unprepared(&text).await.unwrap();
                }
                admin.close().await.unwrap();
                for command in [["db", "migrate"].as_slice(), &["sync"]] {
                    let output = site.run(command);
                    let told = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert_eq!(output.status.code(), Some(65), "{told}");
                    assert!(
                        told.contains("LATIN1")
                            && told.contains("hint:")
                            && told.contains("ENCODING 'UTF8'"),
                        "{told}"
                    );
                }
                assert_eq!(
                    site.number("SELECT COUNT(*) AS n FROM pg_tables WHERE schemaname = 'public'")
                        .await,
                    0
                );
            }
            Kind::MySql => {
                site.json(&["db", "migrate"], 0);
                let connection = site.database.connect().await;
                connection
                    .execute_unprepared(
                        "ALTER TABLE supporters MODIFY city LONGTEXT CHARACTER SET latin1",
                    )
                    .await
                    .unwrap();
                connection.close().await.unwrap();
                let output = site.run(&["sync"]);
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(65), "{told}");
                assert!(
                    told.contains("supporters.city is latin1") && told.contains("utf8mb4"),
                    "{told}"
                );
            }
        }
    }
}
