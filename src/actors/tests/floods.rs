//! Floods of orders: whatever number of them comes, it is a run or two.

use super::*;
use crate::actors::entity_sync::messages::Sync;
use crate::actors::entity_sync::{EntitySync, Feed};
use crate::status::{Order, PluginChoice};

#[test]
fn ten_thousand_orders_for_a_feed_are_at_most_two_runs() {
    in_a_place(async |place| {
        // A machine that has much to do loses no lease here, which would be a reason for one run
        // more.
        let (minute, shared) = (Duration::from_secs(60), place.handle.shared());
        shared.set_plan(Plan {
            patience: minute,
            lease: minute,
            ..Plan::clone(&shared.plan())
        });
        let passes = async || {
            // One that gave its turn to another goes on as the next one.
            let is_end = |run: &&crate::store::RunRow| {
                run.outcome.as_deref() != Some("stopped") && run.entity == "supporters"
            };
            let runs = place.store.runs(Some(VICTIM), 1_000).await.unwrap();
            runs.iter()
                .filter(is_end)
                .filter(|run| run.mode == "full")
                .map(|run| run.outcome.clone())
                .collect::<Vec<_>>()
        };
        until("the first is done", async || {
            passes().await.contains(&Some("complete".to_owned()))
        })
        .await;
        let before = passes().await.len();
        let order = Order {
            entities: vec![Entity::Supporters],
            task: Task::Full,
            plugins: PluginChoice::None,
            reason: "test",
        };
        // So long that all orders come while the first run goes on, also on a machine that has much
        // to do.
        place.simulator.options().latency = Duration::from_secs(10);
        let orders = futures_util::future::join_all(
            (0..10_000).map(|_| place.handle.sync(VICTIM, order.clone())),
        );
        let (answers, ()) = tokio::join!(orders, async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            place.simulator.options().latency = Duration::from_millis(10);
        });
        assert!(answers.iter().all(|answer| {
            answer
                .as_ref()
                .is_ok_and(|report| report.feeds[0].is_complete())
        }));
        let all = passes().await;
        assert!(
            (before + 1..=before + 2).contains(&all.len()),
            "{before} before, and then {all:?}"
        );
        place.handle.stop().await;
    });
}

#[test]
fn ten_thousand_nudges_are_at_most_two_runs() {
    use actix::Actor;
    in_a_place(async |place| {
        // A feed of its own, beside the tree.
        place.handle.stop().await;
        let shared = Arc::clone(place.handle.shared());
        let applied = place.store.organization(OTHER).await.unwrap().unwrap();
        let tenant = place.store.tenant(&applied);
        let fence = tenant
            .acquire("nudges", Duration::from_secs(60))
            .await
            .unwrap();
        let settings = crate::classy::Settings::new(
            OTHER,
            place.simulator.base_url().parse().unwrap(),
            place.simulator.token_url().parse().unwrap(),
            format!("client-{OTHER}"),
            format!("secret-of-{OTHER}").into(),
        );
        let feed = Arc::new(Feed {
            client: crate::classy::Client::new(&shared.transport, settings).unwrap(),
            sink: crate::sync::FencedStore::new(tenant, fence),
            classy_id: OTHER,
            entity: Entity::Campaigns,
            kill: crate::supervision::KillSwitch::root(),
            shared,
        });
        let ear = ear::Ear.start();
        let owner = ear.clone().recipient().downgrade();
        let mut child_slot = crate::supervision::ChildSlot::new(
            "nudged".into(),
            ear.recipient().downgrade(),
            move |exit_guard| {
                EntitySync::of_feed(
                    exit_guard,
                    Arc::clone(&feed),
                    owner.clone(),
                    Default::default(),
                    false,
                )
                .start()
            },
        );
        child_slot.start();
        let before = place.store.runs(Some(OTHER), 1_000).await.unwrap().len();
        // Long enough for the first run that all nudges come while it goes on.
        place.simulator.options().latency = Duration::from_millis(200);
        for _ in 0..10_000 {
            child_slot.child().unwrap().do_send(Sync {
                task: Task::CatchUp,
                reason: "nudge",
                ticket: None,
            });
        }
        let runs = async || place.store.runs(Some(OTHER), 1_000).await.unwrap().len() - before;
        until("it runs", async || runs().await >= 1).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert!(runs().await <= 2, "{} runs", runs().await);
    });
}
