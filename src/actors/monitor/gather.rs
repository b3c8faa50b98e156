//! Gathers the facts: from the board, the registry and the database, in bounded time.

use crate::actors::Shared;
use crate::classy::Heard;
use crate::clock;
use crate::domain::Time;
use crate::entities::Entity;
use crate::health::{
    Access, Baseline, ChildFacts, Database, Facts, FeedFacts, FeedState, Limits, OrganizationFacts,
    PluginFacts, Standing, free_space, memory_bytes, told_for_many, wide_files,
};
use crate::plugin::Told;
use crate::status::{Activity, Condition, FeedStatus, OrganizationStatus, PluginStatus};
use crate::store::{HoldCount, PluginLag, RejectCount, SilentHook, Suspension};
use crate::supervision::Life;
use chrono::TimeDelta;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many looks in a row find what a webhook should have told before it counts as silent: one may
/// come late.
const SILENT: i64 = 3;
/// What is counted in the database is counted at each so manieth look.
const COUNT_EVERY: u64 = 3;

/// What is counted in the database.
#[derive(Debug, Default)]
pub(super) struct Counted {
    rejects: HashMap<i64, RejectCount>,
    plugins: HashMap<i64, Vec<PluginLag>>,
    holds: HashMap<i64, Vec<HoldCount>>,
    suspensions: Vec<Suspension>,
    told: Vec<(i64, String, Told)>,
    silent: Vec<SilentHook>,
    up: Option<Instant>,
    /// Until when nobody here could do anything: the machine slept, or the process was stopped.
    away_until: Option<Time>,
}

impl Counted {
    /// Nobody here could do anything until now: nothing is late for that.
    pub(super) const fn away_until(&mut self, now: Time) {
        self.away_until = Some(now);
    }

    /// Counts anew when it is time. What cannot be counted in time stays as it was.
    pub(super) async fn renew(&mut self, shared: &Shared, number: u64) {
        self.up.get_or_insert_with(Instant::now);
        let was_silent = shared
            .health()
            .facts
            .as_ref()
            .is_some_and(|facts| answer_time(facts).is_none());
        if number % COUNT_EVERY != 0 || was_silent {
            return;
        }
        let since = clock::now() - TimeDelta::days(1);
        if let Ok(Ok(rejects)) = timeout(PATIENCE, shared.store.reject_counts(since)).await {
            self.rejects = rejects.into_iter().collect();
        }
        if let Ok(Ok(lags)) = timeout(PATIENCE, shared.store.plugin_lags(None)).await {
            self.plugins.clear();
            for lag in lags {
                self.plugins.entry(lag.classy_id).or_default().push(lag);
            }
        }
        if let Ok(Ok(suspensions)) = timeout(PATIENCE, shared.store.suspensions()).await {
            self.suspensions = suspensions;
        }
        if let Ok(Ok(states)) = timeout(PATIENCE, shared.store.plugin_memories()).await {
            self.told = states
                .into_iter()
                .map(|(id, plugin, state)| (id, plugin, Told::of(state.as_deref())))
                .collect();
        }
        if let Ok(Ok(silent)) = timeout(PATIENCE, shared.store.silent_hooks(SILENT)).await {
            self.silent = silent;
        }
        if let Ok(Ok(counts)) = timeout(PATIENCE, shared.store.hold_counts()).await {
            self.holds.clear();
            for count in counts {
                self.holds.entry(count.classy_id).or_default().push(count);
            }
        }
    }
}

/// Everything as of now.
pub(super) async fn facts(shared: &Shared, counted: &Counted, baseline: &Baseline) -> Facts {
    let database = ask(shared).await;
    let surroundings = shared.surroundings();
    let folder = shared
        .store
        .folder()
        .map(|folder| ("database", folder.to_owned()));
    let places = folder
        .into_iter()
        .chain(surroundings.places.iter().cloned());
    let mut pulses = shared.board.pulses();
    let organizations = shared.board.all().into_iter().map(|(status, feeds)| {
        let pulse = pulses.remove(&status.classy_id);
        let heard = pulse
            .as_ref()
            .map(|pulse| pulse.lists.clone())
            .unwrap_or_default();
        let access = pulse.map(|pulse| Access {
            host: pulse.host,
            trouble: pulse.trouble,
            silent_for: pulse.silent_for,
            waits_for: pulse.waits_for,
            open_for: pulse.open_for,
            refused: pulse.refused,
            token_for: pulse.token_for,
            ahead_ms: pulse.ahead_ms,
        });
        organization(
            shared,
            counted,
            baseline,
            status,
            feeds.into_iter().zip(heard).collect(),
            access,
        )
    });
    Facts {
        at: clock::now(),
        up: counted.up.map(|since| since.elapsed()).unwrap_or_default(),
        limits: Limits::default(),
        database,
        unwritten: shared.unwritten(),
        organizations: organizations.collect(),
        spaces: places
            .filter_map(|(what, folder)| free_space(what, &folder))
            .collect(),
        main_late: shared.registry.lateness(),
        watch_late: shared.registry.watch_lateness(),
        children: children(shared),
        keys_missing: surroundings.keys_missing.clone(),
        wrong_files: surroundings.wrong_files.clone(),
        wide_files: wide_files(
            shared
                .store
                .files()
                .iter()
                .chain(&surroundings.private_files),
            surroundings.configuration_files.iter(),
        ),
        not_listening: surroundings.not_listening.clone(),
        lost_ways_in: surroundings
            .ways_in
            .iter()
            .filter(|file| !file.is_there())
            .map(|file| file.path().clone())
            .collect(),
        silent_daemon: None,
        told_once: told_once(shared),
        told_singly: told_singly(shared),
        memory_bytes: memory_bytes(),
    }
}

/// Of what open alerts tell for many organizations at once.
fn told_once(shared: &Shared) -> std::collections::BTreeSet<String> {
    shared
        .health()
        .alerts
        .iter()
        .filter(|alert| alert.classy_id.is_none())
        .filter_map(|alert| told_for_many(&alert.key))
        .collect()
}

/// Open alerts that tell of one organization.
fn told_singly(shared: &Shared) -> std::collections::BTreeSet<(i64, String)> {
    shared
        .health()
        .alerts
        .iter()
        .filter_map(|alert| Some((alert.classy_id?, alert.key.clone())))
        .collect()
}

/// How long the database took to answer; none when it did not.
pub(super) const fn answer_time(facts: &Facts) -> Option<Duration> {
    match facts.database {
        Database::Answers(took) => Some(took),
        Database::Silent(_) => None,
    }
}

async fn ask(shared: &Shared) -> Database {
    let begin = Instant::now();
    match timeout(PATIENCE, shared.store.ping()).await {
        Ok(Ok(_)) => Database::Answers(begin.elapsed()),
        Ok(Err(error)) => Database::Silent(error.to_string()),
        Err(_) => Database::Silent(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn children(shared: &Shared) -> Vec<ChildFacts> {
    let deaths = shared.registry.deaths();
    let facts = |(name, child): (std::sync::Arc<str>, crate::supervision::Child)| ChildFacts {
        is_dead: matches!(child.life, Life::Dead(_)),
        deaths: deaths.get(&name).copied().unwrap_or(0),
        idle: child.run.map(|run| run.progress.idle()),
        name,
    };
    shared.registry.children().into_iter().map(facts).collect()
}

/// Each plugin by what the database knows of it and by what its actor told last.
fn plugins(
    lags: &[PluginLag],
    holds: &[HoldCount],
    suspensions: &[Suspension],
    lacks: &[(&String, &Told)],
    silent: &[SilentHook],
    told: &[(String, PluginStatus)],
) -> Vec<PluginFacts> {
    let mut names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let facts = |name: &str| {
        let lag = lags.iter().find(|lag| lag.plugin == name);
        let last = told
            .iter()
            .find(|(other, _)| other == name)
            .and_then(|(_, status)| status.last.as_ref());
        PluginFacts {
            plugin: name.to_owned(),
            behind: lag.map_or(0, |lag| lag.behind),
            moved_at: lag.map(|lag| lag.moved_at),
            error: last.and_then(|last| last.error.clone()),
            was_seen: last.is_some(),
            silent: silent
                .iter()
                .find(|one| one.plugin == name)
                .map(|one| (one.missed, one.heard_at)),
            trouble: last.and_then(|last| last.trouble.clone()),
            holds: holds
                .iter()
                .find(|one| one.plugin == name)
                .map(|one| one.harms)
                .unwrap_or_default(),
            suspended: suspensions
                .iter()
                .find(|one| one.plugin == name)
                .map(|one| one.reason.clone()),
            lacks: lacks
                .iter()
                .find(|(plugin, _)| *plugin == name)
                .map(|(_, told)| told.lacks.clone())
                .unwrap_or_default(),
        }
    };
    names.into_iter().map(facts).collect()
}

fn organization(
    shared: &Shared,
    counted: &Counted,
    baseline: &Baseline,
    status: OrganizationStatus,
    feeds: Vec<((Entity, FeedStatus), Heard)>,
    access: Option<Access>,
) -> OrganizationFacts {
    let standing = match &status.condition {
        Condition::Serving => Standing::Served,
        Condition::Draining | Condition::Elsewhere => Standing::Elsewhere,
        Condition::Paused(_) => Standing::Paused,
        Condition::Suspended(reason) | Condition::Broken(reason) | Condition::Unserved(reason) => {
            Standing::Stopped(reason.clone())
        }
    };
    let plan = shared.plan();
    let since = counted
        .away_until
        .map_or(status.since, |until| until.max(status.since));
    let feed = |((entity, feed), heard): ((Entity, FeedStatus), Heard)| FeedFacts {
        entity,
        heard,
        state: match feed.activity {
            Activity::Idle => FeedState::Idle,
            Activity::Waiting => FeedState::Waiting,
            Activity::Running(run) => FeedState::Running(run.done, run.total),
        },
        interval: plan.every(entity).changes,
        fresh_at: feed.fresh_at.map_or(since, |fresh| fresh.max(since)),
        is_loaded: feed.is_loaded,
        error: feed
            .last
            .filter(|last| last.outcome == "failed")
            .and_then(|last| last.error.clone()),
        failures: feed.failures,
        trouble: feed.trouble,
        was_seen: feed.runs > 0,
        lacks: feed.lacks.as_deref().map(str::to_owned),
        slow: baseline
            .slow(status.classy_id, entity)
            .map(|slow| slow.text.clone()),
    };
    let rejects = counted
        .rejects
        .get(&status.classy_id)
        .copied()
        .unwrap_or_default();
    let lags = counted
        .plugins
        .get(&status.classy_id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let holds = counted
        .holds
        .get(&status.classy_id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let suspensions: Vec<Suspension> = counted
        .suspensions
        .iter()
        .filter(|one| one.classy_id == status.classy_id)
        .cloned()
        .collect();
    let lacks: Vec<(&String, &Told)> = counted
        .told
        .iter()
        .filter(|(id, ..)| *id == status.classy_id)
        .map(|(_, plugin, told)| (plugin, told))
        .collect();
    let silent: Vec<SilentHook> = counted
        .silent
        .iter()
        .filter(|one| one.classy_id == status.classy_id)
        .cloned()
        .collect();
    let told = shared.board.plugins(status.classy_id);
    OrganizationFacts {
        classy_id: status.classy_id,
        standing,
        feeds: feeds.into_iter().map(feed).collect(),
        access,
        rejects: (rejects.open, rejects.recent, rejects.foreign),
        plugins: plugins(lags, holds, &suspensions, &lacks, &silent, &told),
        name: status.name,
    }
}
