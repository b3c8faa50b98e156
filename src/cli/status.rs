//! `status` and `health`: what is going on, and how well. A running daemon is asked; without one
//! the database tells what it knows.

use super::app::{App, done};
use super::args::{Cli, Output, Watch};
use super::exit::{Code, Failure};
use super::remote::Daemon;
use super::{offline, output, table};
use crate::domain::Import;
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

/// How often `--watch` looks.
const EVERY: Duration = Duration::from_secs(2);

/// What is going on.
pub(super) async fn status(cli: &Cli, watch: &Watch) -> Result<ExitCode, Failure> {
    repeat(cli, watch, async |app| {
        let status = match Daemon::of(&app.config.daemon.pid_file).await {
            Some(daemon) => daemon.status().await?,
            None => offline::status(app).await?,
        };
        print_status(cli.output, &status, watch.watch)?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// How well it is; the exit code says when something is failing.
pub(super) async fn health(cli: &Cli, watch: &Watch) -> Result<ExitCode, Failure> {
    repeat(cli, watch, async |app| {
        let health = match Daemon::of(&app.config.daemon.pid_file).await {
            Some(daemon) => daemon.get("/api/v1/health").await?,
            None => offline::health(app).await?,
        };
        print_health(cli.output, &health, watch.watch)?;
        Ok(if health["verdict"] == "failing" {
            ExitCode::from(Code::Partial as u8)
        } else {
            ExitCode::SUCCESS
        })
    })
    .await
}

async fn repeat(
    cli: &Cli,
    watch: &Watch,
    print: impl AsyncFn(&App) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    if !watch.watch {
        return print(&app).await;
    }
    loop {
        if std::io::stdout().is_terminal() {
            output::clear()?;
        }
        print(&app).await?;
        if output::is_gone() {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// What a list of organizations says without one.
const NO_ORGANIZATION: &str = "there is no organization yet: `classy-sync org add` adds one";

/// A document, or with `--watch` one of many: a line each.
fn document(value: &Value, again: bool) -> Result<(), Failure> {
    if again {
        output::line(&value.to_string())
    } else {
        output::json(value)
    }
}

fn print_status(output: Output, status: &Value, again: bool) -> Result<(), Failure> {
    if output == Output::Json {
        return document(status, again);
    }
    if status["ready"].is_null() {
        done(&format!(
            "{}; this is what the database knows",
            output::text(&status["stale"])
        ));
    } else {
        let text = |key: &str| output::text(&status[key]);
        done(&format!(
            "{}; {} alerts open; {} runs wait; http://{}",
            text("verdict"),
            text("alerts"),
            text("waiting_runs"),
            text("http")
        ));
    }
    let mut rows = Vec::new();
    for organization in status["organizations"].as_array().into_iter().flatten() {
        for feed in organization["feeds"].as_array().into_iter().flatten() {
            rows.push(vec![
                organization["classy_id"].clone(),
                organization["name"].clone(),
                json!(unusual(&organization["condition"])),
                organization["verdict"].clone(),
                feed["entity"].clone(),
                json!(doing(feed)),
                json!(since(&feed["fresh_at"])),
                json!(since(&feed["next_at"])),
                feed["last"]["error"].clone(),
                feed["lacks"].clone(),
            ]);
        }
    }
    output::rows(
        output,
        &[
            "organization",
            "name",
            "condition",
            "health",
            "feed",
            "doing",
            "up_to_date",
            "next",
            "error",
            "lacks",
        ],
        rows,
        NO_ORGANIZATION,
    )
}

/// How an organization stands, unless it is as it should be.
fn unusual(condition: &Value) -> Option<&str> {
    condition.as_str().filter(|word| *word != "serving")
}

fn doing(feed: &Value) -> String {
    if let Some(import) = import(&feed["import"]) {
        return format!("first import: {}", import.told(crate::clock::now()));
    }
    let run = &feed["run"];
    match (
        feed["activity"].as_str(),
        run["done"].as_u64(),
        run["total"].as_u64(),
    ) {
        (Some("running"), Some(done), Some(total)) if total > 0 => format!(
            "reads {done} of {total} ({} %)",
            100 * done.min(total) / total
        ),
        (Some("running"), Some(done), _) => format!("reads {done}"),
        (Some(word), ..) => word.to_owned(),
        (None, ..) => "-".to_owned(),
    }
}

/// A first import, from its JSON.
fn import(told: &Value) -> Option<Import> {
    let since = told["since"].as_str().and_then(|at| at.parse().ok());
    Some(Import {
        since,
        done: told["done"].as_u64()?,
        total: told["total"].as_u64(),
        left_s: told["left_s"].as_u64(),
    })
}

/// How long ago, or in how long.
fn since(moment: &Value) -> Option<String> {
    let at: crate::domain::Time = moment.as_str()?.parse().ok()?;
    Some(table::told(at, crate::clock::now()))
}

fn print_health(output: Output, health: &Value, again: bool) -> Result<(), Failure> {
    if output == Output::Json {
        return document(health, again);
    }
    let all = health["checks"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let (follow, bad): (Vec<&Value>, Vec<&Value>) = all
        .iter()
        .filter(|check| check["verdict"] != "ok")
        .partition(|check| check["consequence"] == true);
    let omitted = health["omitted"].as_u64().unwrap_or(0);
    let count = |verdict: &str| health["counts"][verdict].as_u64();
    let not_ok = count("degraded")
        .zip(count("failing"))
        .map_or((bad.len() + follow.len()) as u64, |(degraded, failing)| {
            degraded + failing
        });
    let text = output::text(&health["verdict"]);
    done(&format!(
        "{text}: {} checks, {not_ok} of them not ok",
        all.len() as u64 + omitted
    ));
    if !follow.is_empty() {
        done(&format!(
            "{} of these follow from what is shown",
            follow.len()
        ));
    }
    if let Some(stale) = health["stale"].as_str() {
        done(stale);
    }
    let row = |check: &&Value| {
        let subject = check["subject"]
            .as_str()
            .filter(|subject| !subject.is_empty());
        vec![
            check["verdict"].clone(),
            check["classy_id"].clone(),
            check["check"].clone(),
            json!(subject),
            check["reason"].clone(),
        ]
    };
    // What is well is told of the process only: of organizations there may be thousands.
    let well = all
        .iter()
        .filter(|check| check["verdict"] == "ok" && check["classy_id"].is_null());
    let rows = bad
        .iter()
        .map(row)
        .chain(well.map(|check| row(&check)))
        .collect();
    output::rows(
        output,
        &["health", "organization", "check", "of", "reason"],
        rows,
        "nothing was looked at",
    )
}
