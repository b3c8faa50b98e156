//! Looks at everything at a steady pace, publishes the verdict, and lets those be told who should
//! know. A task on the shared runtime and no actor, so that it goes on when every thread of the
//! actors is blocked.

mod gather;
mod progress;
mod test_alert;

use test_alert::TestAlert;
pub use test_alert::TestAlerts;

use super::Shared;
use crate::clock::{self, Looks};
use crate::domain::{Health, Time};
use crate::health::{
    Baseline, Book, Facts, Finding, HealthCheck, HealthReport, Messenger, Notice, Undelivered, Way,
    checks, evaluate,
};
use chrono::TimeDelta;
use gather::Counted;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};

/// How long the book may take to be written down; then it is tried again at the next look.
const PATIENCE: Duration = Duration::from_secs(3);
/// Samples are written down this often.
const MINUTE: TimeDelta = TimeDelta::seconds(60);
/// Samples are rolled up this often.
const HOUR: TimeDelta = TimeDelta::minutes(60);
/// Feeds whose past is read from the database in one look.
const PASTS: usize = 40;

/// A notice, and whether it arrived.
type Told = (Notice, Result<Way, Undelivered>);

/// Watches until the process ends.
pub async fn watch(shared: Arc<Shared>) {
    let every = shared.plan().look;
    let (told, mut arrived) = mpsc::channel(64);
    let mut monitor = Monitor::new(shared, every, told);
    let test_alerts = monitor.shared.test_alerts.clone();
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A task of its own, which ends with this one: a question that is not polled during a look
    // would keep a connection from it.
    let mut following = tokio::task::JoinSet::new();
    following.spawn(progress::follow(Arc::clone(&monitor.shared), 3 * every));
    loop {
        tokio::select! {
            _ = tick.tick() => monitor.check(None).await,
            test_alert = test_alerts.next() => monitor.check(Some(test_alert)).await,
            // The sender lives in the monitor.
            Some(told) = arrived.recv() => monitor.told(told),
        }
    }
}

struct Monitor {
    shared: Arc<Shared>,
    every: Duration,
    checks: Vec<Box<dyn HealthCheck>>,
    book: Book,
    baseline: Baseline,
    counted: Counted,
    number: u64,
    sampled_at: Time,
    rolled_at: Time,
    pruning: Option<tokio::task::JoinHandle<()>>,
    alive_at: Option<Time>,
    looks: Looks,
    test_alerts: Vec<TestAlert>,
    told: mpsc::Sender<Told>,
}

impl Monitor {
    fn new(shared: Arc<Shared>, every: Duration, told: mpsc::Sender<Told>) -> Monitor {
        let (book, now) = (
            Book::new(crate::store::readable(&shared.holder)),
            clock::now(),
        );
        Monitor {
            shared,
            every,
            checks: checks(),
            book,
            baseline: Baseline::default(),
            counted: Counted::default(),
            number: 0,
            sampled_at: now,
            rolled_at: now,
            pruning: None,
            alive_at: None,
            looks: Looks::begin(),
            test_alerts: Vec::new(),
            told,
        }
    }

    async fn check(&mut self, test_alert: Option<TestAlert>) {
        if self.looks.passed().was_away(self.every) {
            self.counted.away_until(clock::now());
        }
        self.measure_runs().await;
        self.counted.renew(&self.shared, self.number).await;
        let facts = gather::facts(&self.shared, &self.counted, &self.baseline).await;
        let mut findings = evaluate(&self.checks, &facts);
        if let Some(test_alert) = test_alert {
            findings.push(test_alert::finding(&test_alert));
            self.test_alerts.push(test_alert);
        }
        self.number += 1;
        let now = facts.at;
        self.baseline
            .measure(None, "memory", facts.memory_bytes as f64);
        if let Some(took) = gather::answer_time(&facts) {
            self.baseline.measure(None, "database", took.as_secs_f64());
        }
        let is_there = gather::answer_time(&facts).is_some();
        if is_there {
            self.recall(&mine(&facts), now).await;
        }
        self.book.evaluate(&findings, now);
        self.publish(facts, findings);
        self.tell(now);
        if is_there {
            self.save(now).await;
            self.keep_samples(now).await;
        }
        self.show_alerts();
        self.say_alive(now);
    }

    fn publish(&self, facts: Facts, findings: Vec<Finding>) {
        let mut health = HealthReport::new(facts, self.every, findings, self.number);
        health.alerts = self.book.open();
        self.shared.health.send_replace(Arc::new(health));
    }

    /// Shows the alerts with the ids that they have by now.
    fn show_alerts(&self) {
        let open = self.book.open();
        self.shared.health.send_if_modified(|health| {
            let differs = health.alerts != open;
            if differs {
                Arc::make_mut(health).alerts = open;
            }
            differs
        });
    }

    /// Sends what is due; the answers come back through `told`.
    fn tell(&mut self, now: Time) {
        let messenger = self
            .shared
            .surroundings()
            .messenger
            .clone()
            .unwrap_or_else(|| Messenger::new(None, None));
        for notice in self.book.due(messenger.way(), now) {
            let (messenger, told) = (messenger.clone(), self.told.clone());
            self.shared.runtime.spawn(async move {
                let result = messenger.tell(&notice).await;
                // Without a monitor nobody asks any more.
                let _ = told.send((notice, result)).await;
            });
        }
    }

    fn told(&mut self, (notice, result): Told) {
        if let Err(error) = &result
            && notice.tries == 0
        {
            tracing::warn!(%error, "a notice did not arrive and is tried again");
        }
        test_alert::answer(&mut self.test_alerts, &notice, &result);
        self.book.notified(&notice, result.ok(), clock::now());
    }

    async fn recall(&mut self, mine: &BTreeSet<i64>, now: Time) {
        match timeout(PATIENCE, self.book.recall(&self.shared.store, mine, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "open alerts could not be read"),
            Err(_) => tracing::warn!("open alerts could not be read in time"),
        }
    }

    async fn save(&mut self, now: Time) {
        match timeout(PATIENCE, self.book.save(&self.shared.store, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "alerts could not be written down"),
            Err(_) => tracing::warn!("alerts could not be written down in time"),
        }
    }

    /// Measures the runs that ended, each against its own past.
    async fn measure_runs(&mut self) {
        let mut pasts = 0;
        for run in self.shared.journal.take() {
            if self.baseline.is_new(&run) && pasts < PASTS {
                pasts += 1;
                let before = run.at
                    - TimeDelta::from_std(run.took).unwrap_or_default()
                    - TimeDelta::seconds(1);
                let past = self
                    .shared
                    .store
                    .past_runs(run.classy_id, run.entity, run.mode, before);
                match timeout(PATIENCE, past).await {
                    Ok(Ok(past)) => self.baseline.remember(&run, past),
                    // A database that is slow or away must not hold the look up: these feeds begin
                    // without a past.
                    _ => pasts = PASTS,
                }
            }
            if let Some(slow) = self.baseline.ended(&run) {
                tracing::warn!(organization = run.classy_id, entity = %run.entity, reason = slow.text, "a run was far slower than usual");
            }
        }
    }

    async fn keep_samples(&mut self, now: Time) {
        if (now - self.sampled_at).abs() < MINUTE {
            return;
        }
        self.sampled_at = now;
        let samples = self.baseline.minute(now);
        if let Ok(Err(error)) = timeout(PATIENCE, self.shared.store.add_samples(&samples)).await {
            tracing::warn!(%error, "samples could not be written down");
        }
        self.prune();
        if (now - self.rolled_at).abs() >= HOUR {
            self.rolled_at = now;
            let store = self.shared.store.clone();
            self.shared.runtime.spawn(async move {
                if let Err(error) = store.roll_up_samples(now).await {
                    tracing::warn!(%error, "samples could not be rolled up");
                }
            });
        }
    }

    /// Lets what is old be removed, if no process of this database did lately; one at a time,
    /// however long it takes.
    fn prune(&mut self) {
        if self
            .pruning
            .as_ref()
            .is_some_and(|pruning| !pruning.is_finished())
        {
            return;
        }
        let (store, retention) = (self.shared.store.clone(), self.shared.plan().retention);
        self.pruning = Some(self.shared.runtime.spawn(async move {
            match store.prune_if_due(&retention).await {
                Ok(None) => {}
                Ok(Some(pruned)) => tracing::info!(
                    folded_runs = pruned.folded_runs,
                    runs = pruned.runs,
                    alerts = pruned.alerts,
                    harms = pruned.harms,
                    audit = pruned.audit,
                    "what was kept long enough is removed"
                ),
                Err(error) => tracing::warn!(%error, "what is old could not be removed, and is tried again later"),
            }
        }));
    }

    /// Tells whoever waits for it that nothing is failing.
    fn say_alive(&mut self, now: Time) {
        let is_due = self.alive_at.is_none_or(|at| (now - at).abs() >= MINUTE);
        if !is_due || self.shared.health().verdict() == Health::Failing {
            return;
        }
        self.alive_at = Some(now);
        if let Some(messenger) = self.shared.surroundings().messenger.clone() {
            self.shared.runtime.spawn(async move {
                if let Err(error) = messenger.alive().await {
                    tracing::warn!(%error, "the dead-man address did not take the call");
                }
            });
        }
    }
}

/// The organizations that this process answers for.
fn mine(facts: &Facts) -> BTreeSet<i64> {
    let is_mine =
        |standing: &crate::health::Standing| *standing != crate::health::Standing::Elsewhere;
    facts
        .organizations
        .iter()
        .filter(|organization| is_mine(&organization.standing))
        .map(|organization| organization.classy_id)
        .collect()
}
