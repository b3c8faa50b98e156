//! `rejects`, `history`, `audit`: what the database remembers of its own making.

use super::app::App;
use super::args::{Cli, Records};
use super::exit::Failure;
use super::output;
use serde_json::{Value, json};

pub(super) async fn rejects(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
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
    let rows = store.rejects(which.org, which.all, which.limit).await?.into_iter().map(row).collect();
    let headings = ["organization", "feed", "id", "reason", "detail", "first_seen_at", "last_seen_at", "resolved_at"];
    output::rows(cli.output, &headings, rows);
    Ok(store.close().await?)
}

pub(super) async fn history(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
    let row = |run: crate::store::RunRow| {
        let seconds = run.finished_at.map(|end| (end - run.started_at).as_seconds_f64());
        let rate = seconds.filter(|seconds| *seconds > 0.0).map(|seconds| run.counts.seen as f64 / seconds);
        let rounded = |value: Option<f64>| value.map_or(Value::Null, |value| json!((value * 100.0).round() / 100.0));
        vec![
            json!(run.id),
            json!(run.classy_id),
            json!(run.entity),
            json!(run.mode),
            json!(run.reason),
            json!(run.outcome.unwrap_or_else(|| "unfinished".to_owned())),
            json!(run.started_at.to_rfc3339()),
            rounded(seconds),
            json!(run.counts.seen),
            json!(run.counts.inserted),
            json!(run.counts.updated),
            json!(run.counts.rejected),
            json!(run.counts.absent),
            json!(run.counts.requests),
            rounded(rate),
            json!(run.error),
        ]
    };
    let rows = store.runs(which.org, which.limit).await?.into_iter().map(row).collect();
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
        "error",
    ];
    output::rows(cli.output, &headings, rows);
    Ok(store.close().await?)
}

pub(super) async fn audit(cli: &Cli, which: &Records) -> Result<(), Failure> {
    let app = App::start(cli)?;
    let store = app.store().await?;
    let row = |row: crate::store::AuditRow| {
        vec![json!(row.at.to_rfc3339()), json!(row.actor), json!(row.classy_id), json!(row.action), json!(row.subject), json!(row.detail)]
    };
    let rows = store.audit_rows(which.org, which.limit).await?.into_iter().map(row).collect();
    output::rows(cli.output, &["at", "actor", "organization", "action", "subject", "detail"], rows);
    Ok(store.close().await?)
}
