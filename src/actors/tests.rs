//! The tree of actors under faults: a panic in any handler and at any step of a run, runs that
//! hang, floods of orders. Whatever happens to one organization, the others do not notice, and in
//! the end everything is there.

mod ear;

use super::entity_sync::messages::Sync;
use super::*;
use crate::classy::Transport;
use crate::credentials::{Applied, apply};
use crate::integrations::{load_organizations, secret_keys};
use crate::simulator::{Kind, Options, Simulator};
use crate::status::{Order, PluginChoice};
use crate::store::{Settings, Store};
use crate::supervision::failpoint;
use crate::vault::{KeyRing, Vault, generate_key_line};
use crate::{domain::Task, entities::Entity};
use secrecy::ExposeSecret;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const VICTIM: i64 = 10_001;
const OTHER: i64 = 10_002;

/// A tree of two organizations over a simulated Classy and a database in a temporary folder.
struct Place {
    simulator: Simulator,
    store: Store,
    handle: Handle,
    /// People that the plugins' hook was told of.
    told: Arc<AtomicUsize>,
    _watch: actix_rt::Arbiter,
    _folder: tempfile::TempDir,
}

fn plan() -> Plan {
    let second = Duration::from_secs(1);
    Plan {
        every: [Every {
            changes: second,
            reconcile: 3_600 * second,
        }; Entity::COUNT],
        look: Duration::from_millis(100),
        patience: Duration::from_millis(500),
        lease: 3 * second,
        restarts: crate::supervision::RestartPolicy {
            first: Duration::from_millis(50),
            ..Default::default()
        },
        ..Plan::default()
    }
}

/// Somebody who takes whatever is posted.
async fn hook() -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, told) = (
        listener.local_addr().unwrap(),
        Arc::new(AtomicUsize::new(0)),
    );
    let count = Arc::clone(&told);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let (mut text, mut part) = (String::new(), [0; 65_536]);
                // The body ends the list of supporters.
                while !text.ends_with("]}") {
                    let read = stream.read(&mut part).await.unwrap_or(0);
                    if read == 0 {
                        return;
                    }
                    text.push_str(&String::from_utf8_lossy(&part[..read]));
                }
                count.fetch_add(
                    text.matches("lifetime_donation_count").count(),
                    Ordering::Relaxed,
                );
                let _ = stream
                    .write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
                    .await;
            });
        }
    });
    (address, told)
}

impl Place {
    async fn new(runtime: &Arc<tokio::runtime::Runtime>) -> Place {
        // As the program does: health tells of files that others may read.
        crate::files::keep_new_files_private();
        let folder = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(Options {
            organizations: vec![VICTIM, OTHER],
            supporters: 120,
            ..Options::default()
        })
        .await
        .unwrap();
        std::fs::create_dir(folder.path().join("organizations")).unwrap();
        let (hook, told) = hook().await;
        for id in [VICTIM, OTHER] {
            let text = format!(
                "classy_id = {id}\nname = \"Org {id}\"\n[classy]\nclient_id = \"client-{id}\"\nclient_secret = \"secret-of-{id}\"\n\
                 base_url = \"{}\"\ntoken_url = \"{}\"\nrequests_per_minute = 0\n\
                 [plugins.webhook]\nurl = \"http://{hook}/\"\nsecret = \"a-secret-of-a-test-hook\"\n",
                simulator.base_url(),
                simulator.token_url()
            );
            std::fs::write(folder.path().join(format!("organizations/{id}.toml")), text).unwrap();
        }
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&Settings {
            url: url.into(),
            max_connections: 5,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let vault = Vault::new(KeyRing::parse(generate_key_line("k").expose_secret()).unwrap());
        let (applied, _): (Vec<Applied>, _) = apply(
            &store,
            &vault,
            "here",
            load_organizations(&folder.path().join("organizations")),
            secret_keys,
        )
        .await
        .unwrap();
        let shared = Shared::new(
            store.clone(),
            vault,
            Transport::new("").unwrap(),
            runtime.handle().clone(),
            4,
            "test".to_owned(),
            plan(),
        );
        let runtime = Arc::clone(runtime);
        let watch = actix_rt::Arbiter::with_tokio_rt(move || runtime);
        let handle = Handle::daemon(Arc::new(shared), watch.handle());
        handle.configure(applied);
        Place {
            simulator,
            store,
            handle,
            told,
            _watch: watch,
            _folder: folder,
        }
    }

    async fn stored(&self, classy_id: i64, entity: Entity) -> u64 {
        let organization = self.store.organization(classy_id).await.unwrap().unwrap();
        self.store
            .tenant(&organization)
            .count(entity)
            .await
            .unwrap()
    }

    fn there(&self, classy_id: i64) -> Vec<u64> {
        let world = self.simulator.world();
        let lists = &world.organizations[&classy_id].lists;
        Entity::ALL
            .map(|entity| lists[&Kind::of(entity.about().path).unwrap()].len() as u64)
            .to_vec()
    }

    /// Everything that the source has is here.
    async fn is_whole(&self, classy_id: i64) -> bool {
        let mut here = Vec::new();
        for entity in Entity::ALL {
            here.push(self.stored(classy_id, entity).await);
        }
        here == self.there(classy_id)
    }

    /// The generations of an organization's feeds.
    fn generations(&self, classy_id: i64) -> Vec<u64> {
        let (_, feeds) = self.handle.shared().board.one(classy_id).unwrap();
        feeds.iter().map(|(_, feed)| feed.generation).collect()
    }

    fn order(task: Task) -> Order {
        Order {
            entities: Entity::ALL.to_vec(),
            task,
            plugins: PluginChoice::All,
            reason: "test",
        }
    }
}

async fn until(what: &str, mut yes: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !yes().await {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One at a time: a failpoint strikes whoever comes by in this process.
static ALONE: Mutex<()> = Mutex::new(());

fn in_a_place(test: impl AsyncFnOnce(Place)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Arc::new(
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .build()
            .unwrap(),
    );
    let shared = Arc::clone(&runtime);
    actix_rt::System::with_tokio_rt(move || shared).block_on(async {
        let place = Place::new(&runtime).await;
        until("both are whole", async || {
            place.is_whole(VICTIM).await && place.is_whole(OTHER).await
        })
        .await;
        test(place).await;
    });
}

/// New records at both, that a tree which still works brings over by itself.
async fn still_works(place: &Place, what: &str) {
    for id in [VICTIM, OTHER] {
        let mut world = place.simulator.world();
        for kind in Kind::ALL {
            world.add(id, kind);
        }
    }
    for id in [OTHER, VICTIM] {
        until(&format!("{what}: {id} is whole again"), async || {
            place.is_whole(id).await
        })
        .await;
    }
}

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
        "health::look",
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
        let feed = Arc::new(super::entity_sync::Feed {
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
                super::entity_sync::EntitySync::of_feed(
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
