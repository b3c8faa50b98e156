//! The tree of actors under faults: a panic in any handler and at any step of a run, runs that
//! hang, threads that are blocked. Whatever happens to one organization, the others do not notice,
//! and in the end everything is there.

mod ear;
mod floods;
mod place;

use super::*;
use crate::domain::Task;
use crate::entities::Entity;
use crate::simulator::Kind;
use crate::supervision::failpoint;
use place::{OTHER, Place, VICTIM, in_a_place, still_works, until};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[test]
fn after_a_panic_anywhere_the_process_lives_the_child_is_back_and_nothing_is_lost() {
    for step in [
        "entity_sync::sync",
        "entity_sync::due",
        "entity_sync::ended",
        "run::turn",
        "run::watched",
        "run::settle",
        "organization::start_sync",
        "organization::feed_ended",
        "organization::child_died",
        "organization::plugin_ended",
        "plugin::wake",
        "plugin::deliver",
        "plugin::ended",
        "delivery::turn",
        "health::check",
    ] {
        in_a_place(async |place| {
            failpoint::plan(step, false);
            if step == "organization::child_died" {
                failpoint::plan("entity_sync::due", false);
            }
            place.simulator.world().add(VICTIM, Kind::Supporters);
            let answer = tokio::time::timeout(
                Duration::from_secs(15),
                place.handle.sync(VICTIM, Place::order(Task::CatchUp)),
            )
            .await;
            assert!(answer.is_ok(), "{step}: whoever ordered is answered");
            until(&format!("{step} strikes"), async || failpoint::struck(step)).await;
            still_works(&place, step).await;
            assert!(place.handle.is_alive());
            if [
                "entity_sync::sync",
                "entity_sync::due",
                "entity_sync::ended",
            ]
            .contains(&step)
            {
                let all = [place.generations(VICTIM), place.generations(OTHER)].concat();
                assert_eq!(
                    all.iter().filter(|generation| **generation == 2).count(),
                    1,
                    "{step}: one has a second life: {all:?}"
                );
            }
            place.handle.stop().await;
        });
    }
}

#[test]
fn a_run_that_hangs_is_ended_and_replaced() {
    in_a_place(async |place| {
        failpoint::plan("run::watched", true);
        until("it hangs", async || failpoint::struck("run::watched")).await;
        still_works(&place, "after a hang").await;
        let told = |id| {
            let (_, feeds) = place.handle.shared().board.one(id).unwrap();
            feeds.iter().filter(|(_, feed)| feed.runs > 0).count()
        };
        assert_eq!((told(VICTIM), told(OTHER)), (Entity::COUNT, Entity::COUNT));
        let failed = place.store.runs(None, 1_000).await.unwrap();
        assert!(
            failed
                .iter()
                .all(|run| run.outcome.as_deref() != Some("failed")),
            "it ended before it began to read"
        );
        place.handle.stop().await;
    });
}

#[test]
fn a_delivery_that_hangs_is_ended_and_replaced_and_holds_up_nobody() {
    in_a_place(async |place| {
        failpoint::plan("delivery::turn", true);
        place.simulator.world().add(VICTIM, Kind::Supporters);
        until("it hangs", async || failpoint::struck("delivery::turn")).await;
        still_works(&place, "while a delivery hangs").await;
        let everybody = async || {
            place.stored(VICTIM, Entity::Supporters).await
                + place.stored(OTHER, Entity::Supporters).await
        };
        let all = everybody().await as usize;
        for id in [VICTIM, OTHER] {
            let answer = place
                .handle
                .sync(id, Place::order(Task::CatchUp))
                .await
                .unwrap();
            assert_eq!(answer.plugins[0].outcome, "complete", "{answer:?}");
        }
        assert!(
            place.told.load(Ordering::Relaxed) >= all,
            "everybody is told of in the end"
        );
        place.handle.stop().await;
    });
}

#[test]
fn a_blocked_main_thread_does_not_hold_up_runs_and_is_noticed() {
    in_a_place(async |place| {
        let shared = Arc::clone(place.handle.shared());
        place.simulator.world().add(OTHER, Kind::Supporters);
        // Long enough that a run is still under way when the thread is blocked.
        place.simulator.options().latency = Duration::from_millis(400);
        let order = Place::order(Task::Full);
        let answer = tokio::task::spawn_local({
            let handle = place.handle.clone();
            async move { handle.sync(OTHER, order).await }
        });
        let is_begun = |run: &crate::store::RunRow| run.mode == "full" && run.outcome.is_none();
        until("a pass is under way", async || {
            place
                .store
                .runs(Some(OTHER), 20)
                .await
                .unwrap()
                .iter()
                .any(is_begun)
        })
        .await;
        let during = place.simulator.ledger().data_requests;
        std::thread::sleep(Duration::from_secs(3));
        let (late, after) = (
            shared.registry.lateness(),
            place.simulator.ledger().data_requests,
        );
        assert!(late >= Duration::from_millis(400), "{late:?}");
        assert!(after > during, "requests went on");
        assert!(answer.await.unwrap().is_ok());
        place.handle.stop().await;
    });
}

#[test]
fn whoever_watches_says_within_two_looks_that_a_thread_is_blocked_and_that_it_has_time_again() {
    in_a_place(async |place| {
        let shared = Arc::clone(place.handle.shared());
        let watching = shared.runtime.spawn(watch(Arc::clone(&shared)));
        until("somebody looks", async || {
            shared.health().number > 2 && shared.health().verdict() == crate::domain::Health::Ok
        })
        .await;
        let looks = shared.health().number;
        let seen = Arc::clone(&shared);
        // Asked from another thread, as a visitor of the pages would.
        let asked = std::thread::spawn(move || {
            let begin = Instant::now();
            let says_so = || {
                seen.health().worst().iter().any(|finding| {
                    finding
                        .result
                        .reason
                        .contains("main thread has been blocked")
                })
            };
            while !says_so() {
                assert!(begin.elapsed() < Duration::from_secs(9), "nobody said so");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(seen.health().verdict(), crate::domain::Health::Failing);
            begin.elapsed()
        });
        // No actor has time meanwhile.
        std::thread::sleep(Duration::from_millis(6_000));
        let took = asked.join().unwrap();
        // The limit is three seconds, a look each tenth of one here.
        assert!(took < Duration::from_millis(5_500), "{took:?}");
        assert!(shared.health().number > looks + 10, "it looked on");
        until("it is well again", async || {
            shared.health().verdict() == crate::domain::Health::Ok
        })
        .await;
        until("the alert is over", async || {
            shared.health().alerts.is_empty()
        })
        .await;
        let kept = async || {
            let kept = shared.store.alerts(None, true, 10).await.unwrap();
            kept.len() == 1 && kept[0].resolved_at.is_some() && kept[0].notices == 2
        };
        until("it is written down, told twice", kept).await;
        watching.abort();
        place.handle.stop().await;
    });
}

#[test]
fn an_actor_that_dies_is_seen_and_forgiven_and_a_test_alert_comes_back() {
    in_a_place(async |place| {
        let shared = Arc::clone(place.handle.shared());
        let watching = shared.runtime.spawn(watch(Arc::clone(&shared)));
        failpoint::plan("entity_sync::due", false);
        until("it struck", async || failpoint::struck("entity_sync::due")).await;
        let seen =
            async || {
                shared.health().worst().iter().any(|finding| {
                    finding.check == "actors" && finding.result.reason.contains("died")
                })
            };
        until("it is seen", seen).await;
        // Once more at once: each is answered.
        for _ in 0..2 {
            assert_eq!(
                tokio::time::timeout(Duration::from_secs(20), shared.test_alerts.order()).await,
                Ok(Ok(()))
            );
        }
        watching.abort();
        place.handle.stop().await;
    });
}
