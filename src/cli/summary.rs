//! What a sync did: for people as a table, for programs as JSON, for scripts as an exit code.

use super::args::{Cli, Output};
use super::exit::{Code, Failure, code_of};
use super::output;
use crate::actors::{FeedReport, OrganizationReport};
use crate::classy::Transport;
use crate::credentials::{Applied, client};
use crate::domain::{Entity, Fault, Query};
use crate::store::Store;
use crate::sync::Settings;
use crate::vault::Vault;
use serde_json::json;
use std::process::ExitCode;

/// Prints the result; failures go to standard error as errors.
pub(super) fn print(output: Output, reports: &[OrganizationReport]) {
    if output == Output::Json {
        output::json(&json!({ "organizations": reports }));
    } else {
        let headings = ["organization", "feed", "mode", "outcome", "seen", "new", "changed", "rejected", "gone", "requests", "seconds"];
        let row = |report: &OrganizationReport, feed: &FeedReport| {
            vec![
                json!(report.classy_id),
                json!(feed.entity),
                json!(feed.mode),
                json!(feed.outcome),
                json!(feed.seen),
                json!(feed.inserted),
                json!(feed.updated),
                json!(feed.rejected),
                json!(feed.absent),
                json!(feed.requests),
                json!(format!("{:.2}", feed.duration_ms as f64 / 1_000.0)),
            ]
        };
        let rows = reports.iter().flat_map(|report| report.feeds.iter().map(|feed| row(report, feed))).collect();
        output::rows(output, &headings, rows);
    }
    for report in reports {
        if let Some(fault) = report.fault() {
            output::remark(&format!("organization {} was not synced:", report.classy_id));
            Failure::from(fault).print();
        }
        for feed in &report.feeds {
            if let Some(fault) = feed.fault() {
                let text = format!("organization {}, {}: {}", report.classy_id, feed.entity, fault.text);
                Failure::from(Fault { text, ..fault }).print();
            }
        }
        let rejected: u64 = report.feeds.iter().map(|feed| feed.rejected).sum();
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
        codes.extend(report.fault().map(|fault| code_of(fault.kind)));
        for feed in &report.feeds {
            match feed.fault() {
                None => anything = true,
                Some(fault) => codes.push(code_of(fault.kind)),
            }
            if feed.rejected > 0 {
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
