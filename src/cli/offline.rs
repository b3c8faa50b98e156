//! `status` and `health` without a daemon: the same shapes, from the database and this machine.

use super::app::App;
use super::exit::Failure;
use crate::clock;
use crate::credentials::require_keys;
use crate::domain::{Entity, Health, Time};
use crate::health::{Database, Facts, FeedFacts, FeedState, Limits, OrganizationFacts, Standing, checks, free_space, look, memory_bytes};
use crate::store::{FeedSummary, Organization, Status, Store};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};

type Feeds = HashMap<(i64, Entity), FeedSummary>;

async fn feeds(store: &Store) -> Result<Feeds, Failure> {
    Ok(store.feed_summaries().await?.into_iter().map(|feed| ((feed.classy_id, feed.entity), feed)).collect())
}

/// What the database knows of all organizations.
pub(super) async fn status(app: &App) -> Result<Value, Failure> {
    let store = app.store().await?;
    let feeds = feeds(&store).await?;
    let moment = |at: Option<Time>| at.map(|at| at.to_rfc3339());
    let organizations = store.organizations().await?.into_iter().map(|organization| {
        let feed = |entity: Entity| {
            let known = feeds.get(&(organization.classy_id, entity));
            json!({
                "entity": entity.as_str(),
                "fresh_at": moment(known.and_then(|known| known.swept_at)),
                "next_at": moment(known.and_then(|known| known.times.next_run_at)),
                "is_loaded": known.is_some_and(|known| known.first_pass_at.is_some()),
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
    let status = json!({ "ready": null, "organizations": organizations.collect::<Vec<_>>() });
    store.close().await?;
    Ok(status)
}

/// The checks that need no daemon.
pub(super) async fn health(app: &App) -> Result<Value, Failure> {
    let store = app.store().await?;
    let begin = Instant::now();
    store.ping().await?;
    let answered = Database::Answers(begin.elapsed());
    let feeds = feeds(&store).await?;
    let rejects: HashMap<i64, _> = store.reject_counts(clock::now() - chrono::TimeDelta::days(1)).await?.into_iter().collect();
    let organizations = store.organizations().await?.into_iter().map(|organization| {
        let counts = rejects.get(&organization.classy_id).copied().unwrap_or_default();
        facts_of(app, organization, &feeds, (counts.open, counts.recent, counts.foreign))
    });
    let facts = Facts {
        at: clock::now(),
        up: Duration::ZERO,
        limits: Limits::default(),
        database: answered,
        spaces: store.folder().and_then(|folder| free_space("database", folder)).into_iter().collect(),
        main_late: Duration::ZERO,
        watch_late: Duration::ZERO,
        children: Vec::new(),
        keys_missing: require_keys(&store, &app.vault()?).await.err().map(|error| error.to_string()),
        wrong_files: Vec::new(),
        not_listening: None,
        memory_bytes: memory_bytes(),
        organizations: organizations.collect(),
    };
    // What only a daemon has is not vouched for.
    let findings: Vec<_> =
        look(&checks(), &facts).into_iter().filter(|finding| !["threads", "http", "files"].contains(&finding.check)).collect();
    let checks = findings.iter().map(|finding| {
        json!({
            "check": finding.check, "classy_id": finding.classy_id, "subject": finding.subject, "verdict": finding.verdict().as_str(),
            "reason": finding.result.reason,
        })
    });
    let verdict = findings.iter().map(crate::health::Finding::verdict).max().unwrap_or(Health::Ok);
    let told = json!({
        "verdict": verdict.as_str(), "looked_at": facts.at.to_rfc3339(), "stale": "no daemon is running: nothing is kept current",
        "checks": checks.collect::<Vec<_>>(),
    });
    store.close().await?;
    Ok(told)
}

fn facts_of(app: &App, organization: Organization, feeds: &Feeds, rejects: (u64, u64, u64)) -> OrganizationFacts {
    let sync = &app.config.sync;
    let feed = |entity: Entity| {
        let known = feeds.get(&(organization.classy_id, entity));
        FeedFacts {
            entity,
            state: FeedState::Idle,
            interval: match entity {
                Entity::Supporters => sync.supporters,
                Entity::Campaigns => sync.campaigns,
                Entity::RecurringPlans => sync.recurring_plans,
                Entity::Transactions => sync.transactions,
            },
            fresh_at: known.and_then(|known| known.swept_at.or(known.first_pass_at)).unwrap_or(organization.created_at),
            is_loaded: known.is_some_and(|known| known.first_pass_at.is_some()),
            error: None,
            failures: 0,
            slow: None,
        }
    };
    let standing = match organization.status {
        Status::Active => Standing::Served,
        Status::Paused => Standing::Paused,
        Status::Suspended => Standing::Stopped(organization.status_reason.clone().unwrap_or_default()),
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
