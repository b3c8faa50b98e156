//! What a sync did: for people as a table, for programs as JSON, for scripts as an exit code.

use super::args::Output;
use super::chosen::{Paused, name_paused};
use super::exit::{Code, Failure, code_of};
use super::output;
use crate::domain::{Fault, Harm};
use crate::status::{FeedReport, OrganizationReport, PluginReport};
use serde_json::json;
use std::process::ExitCode;

/// The outcome of what was told to end before it was done.
const STOPPED: &str = "stopped";

/// Prints the result; failures go to standard error as errors.
pub(super) fn print(
    output: Output,
    reports: &[OrganizationReport],
    paused: &[Paused],
) -> Result<(), Failure> {
    if output == Output::Json {
        output::json(&json!({ "organizations": reports, "paused": paused }))?;
    } else {
        let headings = [
            "organization",
            "feed",
            "mode",
            "outcome",
            "seen",
            "new",
            "changed",
            "rejected",
            "gone",
            "requests",
            "seconds",
        ];
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
        let rows: Vec<_> = reports
            .iter()
            .flat_map(|report| report.feeds.iter().map(|feed| row(report, feed)))
            .collect();
        // `plugin run` reads no feed.
        if !rows.is_empty() {
            output::rows(output, &headings, rows, "")?;
        }
    }
    print_plugins(output, reports)?;
    if output == Output::Table {
        sum_up(reports);
    }
    name_paused(paused);
    for report in reports {
        if let Some(fault) = report.fault() {
            output::say(&format!(
                "organization {} was not synced:",
                report.classy_id
            ));
            Failure::from(fault).print();
        }
        for feed in &report.feeds {
            let of = format!("organization {}, {}", report.classy_id, feed.entity);
            for note in &feed.notes {
                output::remark(&format!("{of}: {note}"));
            }
            if let Some(lacks) = feed.lacks.as_ref().filter(|_| feed.fault().is_none()) {
                output::say(&format!("{of}: {lacks}; asked again by the next full pass"));
            }
            if let Some(fault) = feed.fault() {
                let text = format!(
                    "organization {}, {}: {}",
                    report.classy_id, feed.entity, fault.text
                );
                Failure::from(Fault { text, ..fault }).print();
            }
        }
        for plugin in &report.plugins {
            if let Some(fault) = plugin.fault() {
                let text = format!(
                    "organization {}, {}: {}",
                    report.classy_id, plugin.plugin, fault.text
                );
                Failure::from(Fault { text, ..fault }).print();
            }
            if plugin.held > 0 {
                output::say(&held(report.classy_id, plugin));
            }
        }
        for feed in report.feeds.iter().filter(|feed| feed.restored > 0) {
            output::remark(&format!(
                "organization {}, {}: records that Classy shows in an older version than before: {}; stored as it shows them now",
                report.classy_id, feed.entity, feed.restored
            ));
        }
        for feed in report.feeds.iter().filter(|feed| feed.upgraded > 0) {
            output::remark(&format!(
                "organization {}, {}: records of which this version stores more than the one before: {}",
                report.classy_id, feed.entity, feed.upgraded
            ));
        }
        for feed in report.feeds.iter().filter(|feed| feed.older > 0) {
            output::remark(&format!(
                "organization {}, {}: versions older than the stored ones, not stored: {}; if Classy went back to them, `sync --full` stores them",
                report.classy_id, feed.entity, feed.older
            ));
        }
        let rejected: u64 = report.feeds.iter().map(|feed| feed.rejected).sum();
        if rejected > 0 {
            output::say(&format!(
                "organization {}: {} could not be stored: `classy-sync rejects --org {0}`",
                report.classy_id,
                output::counted(rejected, "record", "records")
            ));
        }
    }
    let is_stopped = |report: &OrganizationReport| {
        report.feeds.iter().any(|feed| feed.outcome == STOPPED)
            || report
                .plugins
                .iter()
                .any(|plugin| plugin.outcome == STOPPED)
    };
    if reports.iter().any(is_stopped) {
        output::say("stopped before everything was done: the next sync goes on from there");
    }
    Ok(())
}

/// One line about everything that was read.
fn sum_up(reports: &[OrganizationReport]) {
    let feeds = || reports.iter().flat_map(|report| &report.feeds);
    if feeds().next().is_none() {
        return;
    }
    let sum = |of: fn(&FeedReport) -> u64| feeds().map(of).sum::<u64>();
    output::remark(&format!(
        "{}: {} seen, {} new, {} changed, {} gone",
        output::counted(reports.len() as u64, "organization", "organizations"),
        output::counted(sum(|feed| feed.seen), "record", "records"),
        sum(|feed| feed.inserted),
        sum(|feed| feed.updated),
        sum(|feed| feed.absent),
    ));
}

/// One line about what waits, with the command that approves it.
fn held(classy_id: i64, plugin: &PluginReport) -> String {
    let kind = |(word, count): (&String, &u64)| {
        Some(format!(
            "{} {}",
            output::counted(*count, "person", "people"),
            Harm::of(word)?.in_words()
        ))
    };
    let what = plugin
        .holds
        .iter()
        .filter_map(kind)
        .collect::<Vec<_>>()
        .join(", ");
    let first = plugin.forecast.as_ref().map_or(String::new(), |forecast| {
        format!("the first push waits ({}); ", forecast.text)
    });
    let name = &plugin.plugin;
    format!(
        "organization {classy_id}, {name}: {first}held until a person approves: {what}. See `classy-sync plugin preview --org {classy_id}`, \
         then `classy-sync plugin approve --org {classy_id} --plugin {name}`"
    )
}

/// Only what failed, on standard error.
pub(super) fn tell_failures(reports: &[OrganizationReport]) {
    for report in reports {
        let faults = report
            .fault()
            .into_iter()
            .chain(report.plugins.iter().filter_map(|plugin| plugin.fault()));
        for fault in faults {
            let hint = fault
                .hint
                .map(|hint| format!("; {hint}"))
                .unwrap_or_default();
            output::say(&format!(
                "organization {}: {}{hint}",
                report.classy_id, fault.text
            ));
        }
    }
}

/// What the plugins did, if there are any.
fn print_plugins(output: Output, reports: &[OrganizationReport]) -> Result<(), Failure> {
    let rows: Vec<Vec<serde_json::Value>> = reports
        .iter()
        .flat_map(|report| {
            report
                .plugins
                .iter()
                .map(|plugin| (report.classy_id, plugin))
        })
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
        let headings = [
            "organization",
            "plugin",
            "outcome",
            "delivered",
            "skipped",
            "deferred",
            "held",
            "rejected",
            "seconds",
        ];
        output::rows(output, &headings, rows, "")?;
    }
    Ok(())
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
                Some(fault) => {
                    anything |= feed.is_complete();
                    codes.push(code_of(fault.kind));
                }
            }
            if feed.rejected > 0
                || feed.mode == "full" && feed.undecided > 0
                || feed.outcome == STOPPED
            {
                codes.push(Code::Partial);
            }
        }
        for plugin in &report.plugins {
            match plugin.fault() {
                None => anything = true,
                Some(fault) => codes.push(code_of(fault.kind)),
            }
            if plugin.rejected > 0 || plugin.outcome == STOPPED {
                codes.push(Code::Partial);
            }
        }
    }
    if wrong_files {
        codes.push(Code::Configuration);
    }
    match codes.first() {
        None => ExitCode::SUCCESS,
        Some(first) if !anything && codes.iter().all(|code| code == first) => {
            ExitCode::from(*first as u8)
        }
        Some(_) => ExitCode::from(Code::Partial as u8),
    }
}
