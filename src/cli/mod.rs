//! Words typed by a person: parsed, carried out, answered. Results go to standard output,
//! everything else to standard error.

mod alerts;
mod app;
mod args;
mod ask;
mod chosen;
mod configuration;
mod db;
mod demo;
mod dictionary;
mod dry_run;
mod examples;
mod exit;
mod export;
mod export_parquet;
mod hand_over;
mod in_force;
mod init;
mod keys;
mod offline;
mod org;
mod org_write;
mod output;
mod parse;
mod plugin;
mod plugin_adopt;
mod plugin_approve;
mod plugin_audit;
mod plugin_preview;
mod plugin_selection;
mod plugin_undo;
mod plugin_undo_output;
mod plugin_webhook;
mod progress;
mod records;
mod remote;
mod report;
mod run;
mod setup;
mod simulate;
mod status;
mod stderr;
mod summary;
mod sync;
mod table;

use crate::daemon::{Process, Signals, hold_file_size_signal, hold_signals, let_signals};
use args::{Cli, Command, Output};
use exit::{Code, Failure};
use std::process::ExitCode;

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    hold_signals();
    hold_file_size_signal();
    crate::files::keep_new_files_private();
    let cli = match examples::parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&hidden(error)),
    };
    if cli.quiet {
        stderr::be_quiet();
    }
    // These end in order. All others end as the system has it.
    let heeds = matches!(
        cli.command,
        Command::Run
            | Command::Sync(_)
            | Command::Demo(_)
            | Command::Init(_)
            | Command::Plugin(args::PluginOrder::Run(_))
    );
    if !heeds {
        let_signals();
    }
    let for_programs = cli.output == Output::Json && !matches!(cli.command, Command::Run);
    let process = match Process::new() {
        Ok(process) => process,
        Err(error) => return failed(&Failure::new(Code::Bug, error), for_programs),
    };
    match process.block_on(carry_out(cli, &process, heeds)) {
        Ok(code) => {
            let written = if for_programs {
                output::acknowledge()
            } else {
                output::finish()
            };
            written.map_or_else(|failure| failed(&failure, false), |()| code)
        }
        Err(failure) => failed(&failure, for_programs),
    }
}

fn failed(failure: &Failure, for_programs: bool) -> ExitCode {
    failure.print();
    if for_programs {
        output::failed(failure);
    }
    ExitCode::from(failure.code as u8)
}

/// Help and version are results; everything else are words that do not fit together, which end with
/// code 2. A word that fits nowhere may be a secret, which was meant to be asked for: it is not
/// repeated. Flags and commands are.
fn hidden(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let is_word = |word: &str| {
        !word.starts_with('-')
            && (word.len() >= 12 || word.bytes().any(|byte| byte.is_ascii_digit()))
    };
    let kinds = match error.kind() {
        ErrorKind::UnknownArgument => [ContextKind::InvalidArg, ContextKind::Suggested],
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::TooManyValues => {
            [ContextKind::InvalidValue, ContextKind::SuggestedValue]
        }
        _ => return error,
    };
    if matches!(error.get(kinds[0]), Some(ContextValue::String(word)) if is_word(word)) {
        error.insert(kinds[0], ContextValue::String("(not shown)".to_owned()));
        error.remove(kinds[1]);
    }
    error
}

fn unparsed(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return output::help(error)
            .map_or_else(|failure| failed(&failure, false), |()| ExitCode::SUCCESS);
    }
    // A standard error that takes nothing is nobody's failure.
    let _ = error.print();
    // One that is no text is no word of ours.
    let words: Vec<String> = std::env::args_os()
        .filter_map(|word| word.into_string().ok())
        .collect();
    let is_json = |pair: &[String]| pair[0] == "--output" && pair[1] == "json";
    if words.iter().any(|word| word == "--output=json") || words.windows(2).any(is_json) {
        let text = error.to_string();
        let text = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        output::failed(&Failure::usage(text).hint(
            "`classy-sync help` lists the commands, `classy-sync COMMAND --help` what one takes",
        ));
    }
    ExitCode::from(Code::Usage as u8)
}

async fn carry_out(cli: Cli, process: &Process, heeds: bool) -> Result<ExitCode, Failure> {
    if heeds {
        let mut signals = Signals::new().map_err(|error| Failure::new(Code::Bug, error))?;
        let_signals();
        return match cli.command {
            Command::Demo(ref demo) => demo::run(&cli, process, demo, &mut signals).await,
            Command::Plugin(args::PluginOrder::Run(ref which)) => {
                plugin::deliver(&cli, process, which, &mut signals).await
            }
            Command::Sync(ref order) => sync::run(&cli, process, &mut signals, order).await,
            Command::Init(ref asked) => init::run(&cli, process, &mut signals, asked).await,
            _ => run::run(&cli, process, &mut signals).await,
        };
    }
    match cli.command {
        Command::Demo(_) | Command::Run | Command::Sync(_) | Command::Init(_) => {}
        Command::Org(ref order) => return org::run(&cli, order).await,
        Command::Status(ref watch) => return status::status(&cli, watch).await,
        Command::Health(ref watch) => return status::health(&cli, watch).await,
        Command::Alerts(ref order) => alerts::run(&cli, order).await?,
        Command::Stop => return run::stop(&cli).await,
        Command::Reload => return run::reload(&cli).await,
        Command::Plugin(args::PluginOrder::Undo(ref asked)) => {
            return plugin_undo::run(&cli, process, asked).await;
        }
        Command::Plugin(ref order) => plugin::run(&cli, order).await?,
        Command::Export(ref order) => export::run(&cli, order).await?,
        Command::Report(ref report) => report::run(&cli, report).await?,
        Command::Rejects(ref which) => records::rejects(&cli, which).await?,
        Command::History(ref which) => records::history(&cli, which).await?,
        Command::Audit(ref which) => records::audit(&cli, which).await?,
        Command::Db(ref order) => return db::run(&cli, order).await,
        Command::Keys(ref order) => keys::run(&cli, order).await?,
        Command::Config(ref order) => return configuration::run(&cli, order),
        Command::Simulate(ref order) => simulate::run(&cli, order).await?,
        Command::Completions { shell } => {
            // Into memory first: the generator panics when it cannot write.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut examples::command(), "classy-sync", &mut script);
            match cli.output {
                Output::Table => output::print(&script)?,
                Output::Json => output::json(&serde_json::json!({
                    "shell": shell.to_string(), "script": String::from_utf8_lossy(&script),
                }))?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
