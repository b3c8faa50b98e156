//! `status` and `health` without a daemon: the same shapes, from the database and this machine.

use super::app::App;
use super::exit::Failure;
use super::remote::{absence, silence};
use crate::classy::Heard;
use crate::clock;
use crate::credentials::require_keys;
use crate::domain::{Health, Time};
use crate::entities::Entity;
use crate::health::{
    Database, Facts, FeedFacts, FeedState, Limits, OrganizationFacts, PluginFacts, Standing,
    checks, evaluate, free_space, memory_bytes, wide_files,
};
use crate::plugin::Told;
use crate::store::{FailedFeed, FeedProgress, FeedSummary, Organization, Status, Store};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What the database knows of the feeds, each by its organization and entity.
struct Feeds {
    summaries: HashMap<(i64, Entity), FeedSummary>,
    failed: HashMap<(i64, Entity), FailedFeed>,
}

impl Feeds {
    async fn load(store: &Store) -> Result<Feeds, Failure> {
        let summaries = store
            .feed_summaries()
            .await?
            .into_iter()
            .map(|feed| ((feed.classy_id, feed.entity), feed));
        let failed = store
            .failed_feeds()
            .await?
            .into_iter()
            .map(|feed| ((feed.classy_id, feed.entity), feed));
        Ok(Feeds {
            summaries: summaries.collect(),
            failed: failed.collect(),
        })
    }
}

/// What the database knows of all organizations.
pub(super) async fn status(app: &App) -> Result<Value, Failure> {
    let store = app.store_to_read().await?;
    let feeds = Feeds::load(&store).await?;
    let progress: HashMap<(i64, Entity), FeedProgress> = store
        .feed_progress(true)
        .await?
        .into_iter()
        .map(|feed| ((feed.classy_id, feed.entity), feed))
        .collect();
    let moment = |at: Option<Time>| at.map(|at| at.to_rfc3339());
    let organizations = store.organizations().await?.into_iter().map(|organization| {
        let feed = |entity: Entity| {
            let known = feeds.summaries.get(&(organization.classy_id, entity));
            let failed = feeds.failed.get(&(organization.classy_id, entity));
            let progress = progress.get(&(organization.classy_id, entity));
            json!({
                "entity": entity.as_str(),
                "fresh_at": moment(progress.and_then(|feed| feed.read_at)),
                "next_at": moment(known.and_then(|known| known.times.next_run_at)),
                "is_loaded": known.is_some_and(|known| known.first_pass_at.is_some()),
                "import": progress.and_then(|feed| feed.import).map(|import| {
                    json!({ "since": moment(import.since), "done": import.done, "total": import.total, "left_s": null })
                }),
                "lacks": known.and_then(|known| known.lacks.as_deref()),
                "failures": failed.map_or(0, |failed| failed.failures),
                "last": failed.map(|failed| json!({ "error": failed.error })),
            })
        };
        json!({
            "classy_id": organization.classy_id,
            "name": organization.name,
            "condition": organization.status.as_str(),
            "reason": organization.status_reason,
            "feeds": Entity::ALL.map(feed),
        })
    });
    let status = json!({ "ready": null, "stale": absence(&app.config.daemon.pid_file), "organizations": organizations.collect::<Vec<_>>() });
    store.close().await?;
    Ok(status)
}

/// The checks that need no daemon.
pub(super) async fn health(app: &App) -> Result<Value, Failure> {
    let store = app.store_to_read().await?;
    let begin = Instant::now();
    store.ping().await?;
    let answered = Database::Answers(begin.elapsed());
    let feeds = Feeds::load(&store).await?;
    let rejects: HashMap<i64, _> = store
        .reject_counts(clock::now() - chrono::TimeDelta::days(1))
        .await?
        .into_iter()
        .collect();
    let plugins = plugins(&store).await?;
    let organizations = store
        .organizations()
        .await?
        .into_iter()
        .map(|organization| {
            let counts = rejects
                .get(&organization.classy_id)
                .copied()
                .unwrap_or_default();
            let plugins = plugins
                .get(&organization.classy_id)
                .cloned()
                .unwrap_or_default();
            OrganizationFacts {
                plugins,
                ..facts_of(
                    app,
                    organization,
                    &feeds,
                    (counts.open, counts.recent, counts.foreign),
                )
            }
        });
    let (keys_missing, wrong_files) = match app.vault(&store).await {
        Ok(vault) => (
            require_keys(&store, &vault)
                .await
                .err()
                .map(|error| error.to_string()),
            match app.preview_organizations(&store, &vault).await {
                Ok(found) => found.wrong.iter().map(ToString::to_string).collect(),
                Err(failure) => vec![failure.text()],
            },
        ),
        Err(failure) => (Some(failure.text()), Vec::new()),
    };
    let facts = Facts {
        at: clock::now(),
        up: Duration::ZERO,
        limits: Limits::default(),
        database: answered,
        unwritten: None,
        spaces: store
            .folder()
            .and_then(|folder| free_space("database", folder))
            .into_iter()
            .collect(),
        main_late: Duration::ZERO,
        watch_late: Duration::ZERO,
        children: Vec::new(),
        keys_missing,
        wrong_files,
        wide_files: wide_files(
            store.files().iter().chain(&app.config.private_files()),
            app.config.configuration_files().iter(),
        ),
        not_listening: None,
        lost_ways_in: Vec::new(),
        silent_daemon: silence(&app.config.daemon.pid_file),
        told_once: std::collections::BTreeSet::new(),
        told_singly: std::collections::BTreeSet::new(),
        memory_bytes: memory_bytes(),
        organizations: organizations.collect(),
    };
    // What only a daemon has is not vouched for.
    let findings: Vec<_> = evaluate(&checks(), &facts)
        .into_iter()
        .filter(|finding| {
            !["threads", "http", "source"].contains(&finding.check)
                || finding.verdict() == Health::Failing
        })
        .collect();
    let checks = findings.iter().map(|finding| {
        json!({
            "check": finding.check, "classy_id": finding.classy_id, "subject": finding.subject, "verdict": finding.verdict().as_str(),
            "reason": finding.result.reason, "consequence": finding.is_consequence(),
        })
    });
    let verdict = findings
        .iter()
        .map(crate::health::Finding::verdict)
        .max()
        .unwrap_or(Health::Ok);
    let told = json!({
        "verdict": verdict.as_str(), "looked_at": facts.at.to_rfc3339(), "stale": format!("{}: this is what the database tells", absence(&app.config.daemon.pid_file)),
        "checks": checks.collect::<Vec<_>>(),
    });
    store.close().await?;
    Ok(told)
}

/// The plugins that delivered somewhere, by organization: what they hold, what keeps people
/// waiting, and what does not work. Why a delivery failed only the process knows that made it.
async fn plugins(store: &Store) -> Result<HashMap<i64, Vec<PluginFacts>>, Failure> {
    let (lags, holds, suspensions) = (
        store.plugin_lags(None).await?,
        store.hold_counts().await?,
        store.suspensions().await?,
    );
    let rooms = store.room_counts().await?;
    let mut plugins: HashMap<i64, Vec<PluginFacts>> = HashMap::new();
    for (classy_id, plugin, state) in store.plugin_memories().await? {
        let lag = lags
            .iter()
            .find(|one| (one.classy_id, &one.plugin) == (classy_id, &plugin));
        let of = |id: i64, name: &String| (id, name) == (classy_id, &plugin);
        let suspended = suspensions
            .iter()
            .find(|one| of(one.classy_id, &one.plugin))
            .map(|one| one.reason.clone());
        let waiting: Vec<_> = rooms
            .iter()
            .filter(|one| of(one.classy_id, &one.plugin))
            .collect();
        let people: i64 = waiting.iter().map(|one| one.people).sum();
        let facts = PluginFacts {
            behind: lag.map_or(0, |lag| lag.behind),
            moved_at: lag.map(|lag| lag.moved_at),
            error: None,
            was_seen: false,
            trouble: waiting.first().map(|one| {
                format!(
                    "people who wait for room: {people}; of each: {}",
                    one.reason
                )
            }),
            silent: None,
            holds: holds
                .iter()
                .find(|one| of(one.classy_id, &one.plugin))
                .map(|one| one.harms)
                .unwrap_or_default(),
            suspended,
            lacks: Told::of(state.as_deref()).lacks,
            plugin,
        };
        plugins.entry(classy_id).or_default().push(facts);
    }
    Ok(plugins)
}

fn facts_of(
    app: &App,
    organization: Organization,
    feeds: &Feeds,
    rejects: (u64, u64, u64),
) -> OrganizationFacts {
    let sync = &app.config.sync;
    let feed = |entity: Entity| {
        let known = feeds.summaries.get(&(organization.classy_id, entity));
        let failed = feeds.failed.get(&(organization.classy_id, entity));
        FeedFacts {
            entity,
            state: FeedState::Idle,
            interval: sync.changes.of(entity),
            fresh_at: known
                .and_then(|known| {
                    known
                        .swept_at
                        .filter(|at| *at <= clock::now())
                        .or(known.first_pass_at)
                })
                .unwrap_or(organization.created_at),
            is_loaded: known.is_some_and(|known| known.first_pass_at.is_some()),
            error: failed.map(|failed| failed.error.clone()),
            failures: failed.map_or(0, |failed| failed.failures),
            trouble: None,
            heard: Heard::default(),
            was_seen: true,
            lacks: known.and_then(|known| known.lacks.clone()),
            slow: None,
        }
    };
    let standing = match organization.status {
        Status::Active => Standing::Served,
        Status::Paused => Standing::Paused,
        Status::Suspended => {
            Standing::Stopped(organization.status_reason.clone().unwrap_or_default())
        }
    };
    OrganizationFacts {
        classy_id: organization.classy_id,
        feeds: Entity::ALL.map(feed).to_vec(),
        name: organization.name,
        standing,
        access: None,
        rejects,
        plugins: Vec::new(),
    }
}
