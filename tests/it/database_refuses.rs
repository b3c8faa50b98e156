//! What only the database refuses is found in its batch and rejected alone; and a database that
//! takes nothing is no fault of the records.

use crate::backend::{Kind, kinds};
use crate::place::{Place, at, place};
use classy_sync::domain::{FeedState, Item};
use classy_sync::entities::{Entity, Supporter};
use classy_sync::store::{Batch, Error};

impl Place {
    /// Has the database refuse people of Nowhere, as it may for reasons of its own.
    async fn refuse_nowhere(&self) {
        match self.fresh.kind {
            Kind::Sqlite => {
                for event in ["INSERT", "UPDATE"] {
                    self.execute(&format!(
                        "CREATE TRIGGER nowhere_{event} BEFORE {event} ON supporters WHEN NEW.city = 'Nowhere' \
                         BEGIN SELECT RAISE(ABORT, 'no such place'); END"
                    ))
                    .await;
                }
            }
            _ => {
                self.execute(
                    "ALTER TABLE supporters ADD CONSTRAINT nowhere CHECK (city <> 'Nowhere')",
                )
                .await
            }
        }
    }

    /// Has the database refuse whoever it is.
    async fn refuse_everybody(&self) {
        match self.fresh.kind {
            Kind::Sqlite => {
                self.execute(
                    "CREATE TRIGGER nobody BEFORE INSERT ON supporters BEGIN SELECT RAISE(ABORT, 'nobody'); END",
                )
                .await
            }
            _ => {
                self.execute("ALTER TABLE supporters ADD CONSTRAINT nobody CHECK (id < 0)")
                    .await
            }
        }
    }

    /// The same by a trigger that says so in its own words, as servers have them.
    async fn refuse_nowhere_by_trigger(&self) {
        match self.fresh.kind {
            Kind::Sqlite => self.refuse_nowhere().await,
            Kind::Postgres => {
                self.execute(
                    "CREATE FUNCTION nowhere() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     IF NEW.city = 'Nowhere' THEN RAISE EXCEPTION 'no such place'; END IF; RETURN NEW; END $$",
                )
                .await;
                self.execute(
                    "CREATE TRIGGER nowhere BEFORE INSERT OR UPDATE ON supporters FOR EACH ROW EXECUTE FUNCTION nowhere()",
                )
                .await;
            }
            Kind::MySql => {
                for event in ["INSERT", "UPDATE"] {
                    self.execute(&format!(
                        "CREATE TRIGGER nowhere_{event} BEFORE {event} ON supporters FOR EACH ROW \
                         IF NEW.city = 'Nowhere' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no such place'; END IF"
                    ))
                    .await;
                }
            }
        }
    }
}

fn person(id: i64, city: &str, seconds: i64) -> Item<Supporter> {
    Item::Good(Supporter {
        id,
        city: Some(city.to_owned()),
        source_updated_at: at(seconds),
        ..Supporter::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_database_refuses_is_found_and_the_rest_is_stored_with_its_checkpoint() {
    for kind in kinds() {
        let place = place(kind).await;
        place
            .tenant
            .commit(
                &place.fence,
                &Batch::of(vec![person(150, "Before", 1), person(999, "Gone", 1)]),
            )
            .await
            .unwrap();
        place.refuse_nowhere().await;
        let city = |id: i64| {
            if [1, 150, 300].contains(&id) {
                "Nowhere"
            } else {
                "Somewhere"
            }
        };
        let state = FeedState {
            watermark: at(7),
            first_pass_at: at(5),
            ..FeedState::default()
        };
        let mut batch =
            Batch::of((1..=300).map(|id| person(id, city(id), 2)).collect()).at(state.clone());
        batch.suspects = vec![4, 5];
        batch.absent = vec![999];
        let counts = place
            .tenant
            .commit(&place.fence, &batch)
            .await
            .unwrap()
            .counts;
        assert_eq!(
            (
                counts.seen,
                counts.inserted,
                counts.updated,
                counts.rejected,
                counts.absent
            ),
            (300, 297, 0, 3, 1),
            "{kind:?}"
        );
        assert_eq!(
            place.tenant.count(Entity::Supporters).await.unwrap(),
            298,
            "the one that was stored is kept"
        );
        assert_eq!(
            place.tenant.feed_state(Entity::Supporters).await.unwrap(),
            state
        );
        assert_eq!(
            place.tenant.suspects(Entity::Supporters).await.unwrap(),
            [4, 5]
        );
        let mut rejects = place.store.rejects(None, false, 10).await.unwrap();
        rejects.sort_by_key(|reject| reject.source_id);
        assert_eq!(
            rejects
                .iter()
                .map(|reject| (reject.source_id, reject.reason.as_str()))
                .collect::<Vec<_>>(),
            [(1, "database"), (150, "database"), (300, "database")]
        );
        assert!(
            rejects
                .iter()
                .all(|reject| reject.detail.len() > 40 && !reject.detail.contains("Nowhere")),
            "{kind:?}: {rejects:?}"
        );
        let healed = place
            .tenant
            .commit(
                &place.fence,
                &Batch::of((1..=300).map(|id| person(id, "Somewhere", 3)).collect()),
            )
            .await
            .unwrap();
        assert_eq!(
            (healed.counts.rejected, healed.counts.inserted),
            (0, 2),
            "{kind:?}"
        );
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
async fn a_database_that_takes_nothing_is_no_fault_of_the_records() {
    for kind in kinds() {
        let place = place(kind).await;
        place.refuse_everybody().await;
        let state = FeedState {
            watermark: at(7),
            ..FeedState::default()
        };
        let batch = Batch::of((1..=300).map(|id| person(id, "Nowhere", 2)).collect()).at(state);
        assert!(
            matches!(
                place.tenant.commit(&place.fence, &batch).await,
                Err(Error::Query { .. })
            ),
            "{kind:?}"
        );
        assert_eq!(
            place.tenant.feed_state(Entity::Supporters).await.unwrap(),
            FeedState::default(),
            "the checkpoint passed nobody"
        );
        assert!(
            place
                .store
                .rejects(None, true, 10)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_that_the_database_refuses_cost_none_that_it_takes_wherever_they_stand() {
    for kind in kinds() {
        let place = place(kind).await;
        place.refuse_nowhere().await;
        let state = FeedState {
            watermark: at(7),
            ..FeedState::default()
        };
        // In front of the others, and a batch with no other.
        let city = |id: i64| if id <= 60 { "Nowhere" } else { "Somewhere" };
        let mixed = (1..=70).map(|id| person(id, city(id), 2)).collect();
        let bad = (101..=140).map(|id| person(id, "Nowhere", 2)).collect();
        let mut found = Vec::new();
        for items in [mixed, bad] {
            let batch = Batch::of(items).at(state.clone());
            let done = place.tenant.commit(&place.fence, &batch).await.unwrap();
            found.push((done.counts.inserted, done.counts.rejected));
        }
        assert_eq!(found, [(10, 60), (0, 40)], "{kind:?}");
        assert_eq!(
            place.store.rejects(None, false, 500).await.unwrap().len(),
            100
        );
        assert_eq!(
            place.tenant.feed_state(Entity::Supporters).await.unwrap(),
            state
        );
        assert_eq!(place.tenant.count(Entity::Supporters).await.unwrap(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trigger_of_the_database_s_owner_refuses_costs_that_record_alone() {
    for kind in kinds() {
        let place = place(kind).await;
        place.refuse_nowhere_by_trigger().await;
        let city = |id: i64| if id == 77 { "Nowhere" } else { "Somewhere" };
        let batch = Batch::of((1..=150).map(|id| person(id, city(id), 2)).collect());
        let counts = place
            .tenant
            .commit(&place.fence, &batch)
            .await
            .unwrap()
            .counts;
        assert_eq!((counts.inserted, counts.rejected), (149, 1), "{kind:?}");
        let rejects = place.store.rejects(None, false, 10).await.unwrap();
        assert_eq!(rejects.len(), 1);
        assert_eq!(rejects[0].source_id, 77);
        // The owner's words may be of the person: neither a log nor a table of ours repeats them.
        let detail = &rejects[0].detail;
        assert!(
            detail.contains("a trigger of the database refused it (code")
                && !detail.contains("no such place"),
            "{kind:?}: {detail}"
        );
    }
}
