//! `rejects`, `history`, `audit`: what the database remembers of its own making.

use super::app::{App, require};
use super::args::{Cli, Records};
use super::exit::Failure;
use super::output;
use serde_json::{Value, json};

pub(super) async fn rejects(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store_to_read().await?;
    require(&store, which.org).await?;
    let row = |reject: crate::store::RejectRow| {
        vec![
            json!(reject.classy_id),
            json!(reject.entity),
            json!(reject.source_id),
            json!(reject.reason),
            json!(reject.detail),
            json!(reject.first_seen_at.to_rfc3339()),
            json!(reject.last_seen_at.to_rfc3339()),
            json!(reject.resolved_at.map(|at| at.to_rfc3339())),
        ]
    };
    let rows = store
        .rejects(which.org, which.all, which.limit.saturating_add(1))
        .await?;
    let rows = output::at_most(rows, which.limit)
        .into_iter()
        .map(row)
        .collect();
    let headings = [
        "organization",
        "feed",
        "id",
        "reason",
        "detail",
        "first_seen_at",
        "last_seen_at",
        "resolved_at",
    ];
    output::rows(
        cli.output,
        &headings,
        rows,
        "every record that was read could be stored",
    )?;
    Ok(store.close().await?)
}

/// So many older runs are read besides, to know what is usual.
const PAST: u64 = 500;

pub(super) async fn history(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store_to_read().await?;
    require(&store, which.org).await?;
    let runs = store
        .runs(which.org, which.limit.saturating_add(PAST))
        .await?;
    let shown = output::at_most(runs.iter().collect(), which.limit);
    let rows = shown
        .into_iter()
        .enumerate()
        .map(|(place, run)| history_row(run, &runs[place + 1..]))
        .collect();
    let headings = [
        "run",
        "organization",
        "feed",
        "mode",
        "reason",
        "outcome",
        "started_at",
        "seconds",
        "seen",
        "new",
        "changed",
        "rejected",
        "gone",
        "requests",
        "per_second",
        "ms_per_request",
        "times_usual",
        "error",
    ];
    output::rows(
        cli.output,
        &headings,
        rows,
        "nothing ran yet: `classy-sync sync` reads everything once",
    )?;
    Ok(store.close().await?)
}

/// A run, with its pace against the median of those before it.
fn history_row(run: &crate::store::RunRow, before: &[crate::store::RunRow]) -> Vec<Value> {
    let like = |other: &&crate::store::RunRow| {
        (other.classy_id, &other.entity, &other.mode) == (run.classy_id, &run.entity, &run.mode)
            && other.outcome.as_deref() == Some("complete")
    };
    let usual = crate::health::usual(before.iter().filter(like).filter_map(pace));
    let seconds = run
        .finished_at
        .map(|end| (end - run.started_at).as_seconds_f64());
    let rate = seconds
        .filter(|seconds| *seconds > 0.0)
        .map(|seconds| run.counts.seen as f64 / seconds);
    let rounded = |value: Option<f64>| {
        value.map_or(Value::Null, |value| json!((value * 100.0).round() / 100.0))
    };
    let times = pace(run)
        .zip(usual)
        .filter(|(_, usual)| *usual > 0.0)
        .map(|(pace, usual)| pace / usual);
    vec![
        json!(run.id),
        json!(run.classy_id),
        json!(run.entity),
        json!(run.mode),
        json!(run.reason),
        json!(run.outcome.as_deref().unwrap_or("unfinished")),
        json!(run.started_at.to_rfc3339()),
        rounded(seconds),
        json!(run.counts.seen),
        json!(run.counts.inserted),
        json!(run.counts.updated),
        json!(run.counts.rejected),
        json!(run.counts.absent),
        json!(run.counts.requests),
        rounded(rate),
        rounded(pace(run)),
        rounded(times),
        json!(run.error),
    ]
}

/// Milliseconds a request.
fn pace(run: &crate::store::RunRow) -> Option<f64> {
    let took = run.finished_at? - run.started_at;
    Some(took.as_seconds_f64() * 1_000.0 / run.counts.requests.max(1) as f64)
}

pub(super) async fn audit(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store_to_read().await?;
    require(&store, which.org).await?;
    let row = |row: crate::store::AuditRow| {
        vec![
            json!(row.at.to_rfc3339()),
            json!(row.actor),
            json!(row.classy_id),
            json!(row.action),
            json!(row.subject),
            json!(row.detail),
        ]
    };
    let rows = store
        .audit_rows(which.org, which.limit.saturating_add(1))
        .await?;
    let rows = output::at_most(rows, which.limit)
        .into_iter()
        .map(row)
        .collect();
    output::rows(
        cli.output,
        &["at", "actor", "organization", "action", "subject", "detail"],
        rows,
        "nothing was ordered, and nothing of consent, e-mail or money changed",
    )?;
    Ok(store.close().await?)
}
