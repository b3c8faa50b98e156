//! What a sync did: for people as a table, for programs as JSON, for scripts as an exit code.

use super::args::Output;
use super::exit::{Code, Failure, code_of};
use super::output;
use crate::actors::{FeedReport, OrganizationReport};
use crate::domain::Fault;
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
    print_plugins(output, reports);
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
        for plugin in &report.plugins {
            if let Some(fault) = plugin.fault() {
                let text = format!("organization {}, {}: {}", report.classy_id, plugin.plugin, fault.text);
                Failure::from(Fault { text, ..fault }).print();
            }
            if plugin.held > 0 {
                output::remark(&format!(
                    "organization {0}: held for approval, people: {1}; see `classy-sync plugin preview --org {0} --plugin {2}`, then `plugin approve`",
                    report.classy_id, plugin.held, plugin.plugin
                ));
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

/// What the plugins did, if there are any.
fn print_plugins(output: Output, reports: &[OrganizationReport]) {
    let rows: Vec<Vec<serde_json::Value>> = reports
        .iter()
        .flat_map(|report| report.plugins.iter().map(|plugin| (report.classy_id, plugin)))
        .map(|(classy_id, plugin)| {
            vec![
                json!(classy_id),
                json!(plugin.plugin),
                json!(plugin.outcome),
                json!(plugin.delivered),
                json!(plugin.skipped),
                json!(plugin.deferred),
                json!(plugin.held),
                json!(plugin.rejected),
                json!(format!("{:.2}", plugin.duration_ms as f64 / 1_000.0)),
            ]
        })
        .collect();
    if output == Output::Table && !rows.is_empty() {
        let headings = ["organization", "plugin", "outcome", "delivered", "skipped", "deferred", "held", "rejected", "seconds"];
        output::rows(output, &headings, rows);
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
        for plugin in &report.plugins {
            match plugin.fault() {
                None => anything = true,
                Some(fault) => codes.push(code_of(fault.kind)),
            }
            if plugin.rejected > 0 {
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
