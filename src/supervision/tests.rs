//! The parts together, under paused time: panics, generations, runs that end with their actor.

use super::*;
use actix::{Actor, AsyncContext, Context, Handler, Message};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// A child that does as it is told.
struct Pupil {
    _obituary: ExitGuard,
    count: u64,
    told: mpsc::UnboundedSender<u64>,
}

impl Actor for Pupil {
    type Context = Context<Self>;
}

/// Count, or panic.
struct Count {
    panic: bool,
}

impl Message for Count {
    type Result = ();
}

impl Handler<Count> for Pupil {
    type Result = ();
    fn handle(&mut self, order: Count, _: &mut Context<Self>) {
        assert!(!order.panic, "told to panic");
        self.count += 1;
        self.told.send(self.count).unwrap();
    }
}

/// Its owner, which respawns at once.
struct Teacher {
    child_slot: Option<ChildSlot<Pupil>>,
    deaths: mpsc::UnboundedSender<(u64, Cause)>,
    told: mpsc::UnboundedSender<u64>,
}

impl Actor for Teacher {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Context<Self>) {
        let told = self.told.clone();
        let owner = context.address().recipient().downgrade();
        let mut child_slot = ChildSlot::new("pupil".into(), owner, move |exit_guard| {
            Pupil {
                _obituary: exit_guard,
                count: 0,
                told: told.clone(),
            }
            .start()
        });
        child_slot.start();
        self.child_slot = Some(child_slot);
    }
}

impl Handler<ChildDied> for Teacher {
    type Result = ();
    fn handle(&mut self, death: ChildDied, _: &mut Context<Self>) {
        let child_slot = self.child_slot.as_mut().unwrap();
        if let Some(cause) = child_slot.died(&death) {
            self.deaths.send((death.generation, cause)).unwrap();
            child_slot.start();
        }
    }
}

impl Handler<Count> for Teacher {
    type Result = ();
    fn handle(&mut self, order: Count, _: &mut Context<Self>) {
        self.child_slot
            .as_ref()
            .unwrap()
            .child()
            .unwrap()
            .do_send(order);
    }
}

/// A system of its own over a runtime with a paused clock.
fn in_a_system<T>(test: impl Future<Output = T>) -> T {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    actix_rt::System::with_tokio_rt(runtime).block_on(test)
}

#[test]
fn after_a_panic_the_next_life_begins_fresh_and_old_obituaries_are_ignored() {
    in_a_system(async {
        let ((deaths, mut dead), (told, mut counts)) =
            (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let teacher = Teacher {
            child_slot: None,
            deaths,
            told,
        }
        .start();
        for generation in 1..=3 {
            for count in 1..=2 {
                teacher.do_send(Count { panic: false });
                assert_eq!(
                    counts.recv().await,
                    Some(count),
                    "each life counts from the beginning"
                );
            }
            teacher.do_send(Count { panic: true });
            assert_eq!(dead.recv().await, Some((generation, Cause::Panicked)));
        }
    });
}

/// An actor with one run.
struct Worker {
    ended: mpsc::UnboundedSender<String>,
}

impl Actor for Worker {
    type Context = Context<Self>;
}

/// Begin a run of some kind.
struct Begin {
    what: &'static str,
    kill: KillSwitch,
    beats: Arc<AtomicU64>,
}

impl Message for Begin {
    type Result = ();
}

impl Handler<Begin> for Worker {
    type Result = ();
    fn handle(&mut self, order: Begin, context: &mut Context<Self>) {
        let (what, beats) = (order.what, order.beats);
        let work = async move {
            match what {
                "panic" => panic!("inside the run"),
                "endless" => loop {
                    beats.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                },
                other => other.to_owned(),
            }
        };
        let runtime = tokio::runtime::Handle::current();
        run::spawn(
            context,
            self,
            &runtime,
            order.kill,
            work,
            |worker, ended, _| {
                worker.ended.send(format!("{ended:?}")).unwrap();
            },
        );
    }
}

#[test]
fn a_run_hands_back_one_value_whatever_becomes_of_it() {
    in_a_system(async {
        let (ended, mut ends) = mpsc::unbounded_channel();
        let worker = Worker { ended }.start();
        for (what, cause, expected) in [
            ("fine", None, r#"Done("fine")"#),
            ("panic", None, r#"Panicked("inside the run")"#),
            ("endless", Some("frozen"), r#"Cancelled("frozen")"#),
            ("again", None, r#"Done("again")"#),
        ] {
            let kill = KillSwitch::root();
            worker.do_send(Begin {
                what,
                kill: kill.child(),
                beats: Arc::default(),
            });
            if let Some(cause) = cause {
                kill.cancel(cause);
            }
            assert_eq!(
                ends.recv().await.as_deref(),
                Some(expected),
                "the actor lives on"
            );
        }
    });
}

#[test]
fn a_run_ends_with_whoever_falls_above_it() {
    in_a_system(async {
        let (ended, _ends) = mpsc::unbounded_channel();
        let worker = Worker { ended }.start();
        let (kill, beats) = (KillSwitch::root(), Arc::new(AtomicU64::new(0)));
        worker.do_send(Begin {
            what: "endless",
            kill: kill.child(),
            beats: Arc::clone(&beats),
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(worker);
        kill.cancel("the owner fell");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = beats.load(Ordering::Relaxed);
        assert!(before >= 5);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(beats.load(Ordering::Relaxed), before);
    });
}

#[test]
fn a_pulse_tells_how_long_nothing_moved() {
    in_a_system(async {
        let progress = Progress::new();
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(progress.idle(), Duration::from_secs(30));
        progress.mark();
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(progress.idle(), Duration::from_secs(7));
    });
}
