//! What a sync did: for people as a table, for programs as JSON, for scripts as an exit code.

use super::args::{Cli, Output};
use super::exit::{Code, Failure, code_of_run};
use super::output;
use crate::classy::Transport;
use crate::credentials::{Applied, client};
use crate::domain::{Entity, Query, RunCounts};
use crate::store::{Organization, Store};
use crate::sync::{FeedOutcome, Settings};
use crate::vault::Vault;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What was done for one organization.
pub(super) struct OrganizationReport {
    pub(super) classy_id: i64,
    pub(super) name: String,
    pub(super) feeds: Vec<FeedOutcome>,
    pub(super) requests: u64,
    pub(super) token_requests: u64,
    /// Why nothing was done.
    pub(super) failure: Option<Failure>,
}

impl OrganizationReport {
    pub(super) fn new(organization: &Organization) -> Self {
        OrganizationReport {
            classy_id: organization.classy_id,
            name: organization.name.clone(),
            feeds: Vec::new(),
            requests: 0,
            token_requests: 0,
            failure: None,
        }
    }

    fn json(&self) -> Value {
        json!({
            "classy_id": self.classy_id,
            "name": self.name,
            "requests": self.requests,
            "token_requests": self.token_requests,
            "error": self.failure.as_ref().map(|failure| failure.text()),
            "feeds": self.feeds.iter().map(feed_json).collect::<Vec<_>>(),
        })
    }
}

fn feed_json(feed: &FeedOutcome) -> Value {
    let RunCounts { requests, pages, bytes, seen, inserted, updated, unchanged, older, rejected, absent } = feed.counts;
    let found = feed.state.reconciled.as_ref();
    json!({
        "entity": feed.entity.as_str(), "mode": feed.mode.as_str(), "outcome": feed.word(),
        "error": feed.result.as_ref().err().map(ToString::to_string),
        "requests": requests, "pages": pages, "bytes": bytes, "seen": seen, "inserted": inserted, "updated": updated,
        "unchanged": unchanged, "older": older, "rejected": rejected, "absent": absent,
        "watermark": feed.state.watermark.map(|at| at.to_rfc3339()),
        "reconciled_at": found.map(|found| found.at.to_rfc3339()),
        "reconcile": found.map(|found| json!({ "missing": found.missing, "stale": found.stale, "absent": found.absent })),
        "duration_ms": u64::try_from(feed.took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Prints the result; failures go to standard error as errors.
pub(super) fn print(output: Output, reports: &[OrganizationReport]) {
    if output == Output::Json {
        output::json(&json!({ "organizations": reports.iter().map(OrganizationReport::json).collect::<Vec<_>>() }));
    } else {
        let headings = ["organization", "feed", "mode", "outcome", "seen", "new", "changed", "rejected", "gone", "requests", "seconds"];
        let row = |report: &OrganizationReport, feed: &FeedOutcome| {
            let counts = feed.counts;
            vec![
                json!(report.classy_id),
                json!(feed.entity.as_str()),
                json!(feed.mode.as_str()),
                json!(feed.word()),
                json!(counts.seen),
                json!(counts.inserted),
                json!(counts.updated),
                json!(counts.rejected),
                json!(counts.absent),
                json!(counts.requests),
                json!(format!("{:.2}", feed.took.as_secs_f64())),
            ]
        };
        let rows = reports.iter().flat_map(|report| report.feeds.iter().map(|feed| row(report, feed))).collect();
        output::rows(output, &headings, rows);
    }
    for report in reports {
        if let Some(failure) = &report.failure {
            output::remark(&format!("organization {} was not synced:", report.classy_id));
            failure.print();
        }
        for feed in &report.feeds {
            if let Err(error) = &feed.result {
                let mut failure = Failure::new(code_of_run(error), format!("organization {}, {}: {error}", report.classy_id, feed.entity));
                if let Some(hint) = error.hint() {
                    failure = failure.hint(hint);
                }
                failure.print();
            }
        }
        let rejected: u64 = report.feeds.iter().map(|feed| feed.counts.rejected).sum();
        if rejected > 0 {
            output::remark(&format!(
                "organization {}: {rejected} records could not be stored: `classy-sync rejects --org {0}`",
                report.classy_id
            ));
        }
    }
}

/// 0 when all is well. When everything failed for one reason, its code; when something was done, 3.
pub(super) fn exit_code(reports: &[OrganizationReport], wrong_files: bool) -> ExitCode {
    let mut codes = Vec::new();
    let mut anything = false;
    for report in reports {
        codes.extend(report.failure.as_ref().map(|failure| failure.code));
        for feed in &report.feeds {
            match &feed.result {
                Ok(_) => anything = true,
                Err(error) => codes.push(code_of_run(error)),
            }
            if feed.counts.rejected > 0 {
                codes.push(Code::Partial);
            }
        }
    }
    if wrong_files {
        codes.push(Code::Configuration);
    }
    match codes.first() {
        None => ExitCode::SUCCESS,
        Some(first) if !anything && codes.iter().all(|code| code == first) => ExitCode::from(*first as u8),
        Some(_) => ExitCode::from(Code::Partial as u8),
    }
}

/// Asks each feed how much would be read; writes nothing.
pub(super) async fn dry_run(
    cli: &Cli,
    store: &Store,
    vault: &Vault,
    transport: &Transport,
    settings: &Settings,
    entities: &[Entity],
    chosen: Vec<Applied>,
) -> Result<ExitCode, Failure> {
    let mut rows = Vec::new();
    for applied in chosen {
        if let Some(problem) = applied.problem {
            return Err(problem.into());
        }
        let client = client(transport, vault, &applied.organization, &applied.file)?;
        let tenant = store.tenant(&applied.organization);
        for entity in entities {
            let state = tenant.feed_state(*entity).await?;
            let begun = state.first_pass_at.is_some() && state.pass.is_none();
            let query = match state.watermark.filter(|_| begun) {
                Some(watermark) => Query::LatestSince(watermark - settings.overlap),
                None => Query::All,
            };
            let total = match entity {
                Entity::Supporters => client.page::<crate::domain::Supporter>(query, 1, settings.per_page).await?.total,
                Entity::Campaigns => client.page::<crate::domain::Campaign>(query, 1, settings.per_page).await?.total,
                Entity::RecurringPlans => client.page::<crate::domain::RecurringPlan>(query, 1, settings.per_page).await?.total,
                Entity::Transactions => client.page::<crate::domain::Transaction>(query, 1, settings.per_page).await?.total,
            };
            let mode = if begun { "incremental" } else { "full" };
            rows.push(vec![
                json!(applied.organization.classy_id),
                json!(entity.as_str()),
                json!(mode),
                json!(total),
                json!(tenant.count(*entity).await?),
            ]);
        }
    }
    output::rows(cli.output, &["organization", "feed", "mode", "would_read", "stored"], rows);
    Ok(ExitCode::SUCCESS)
}
