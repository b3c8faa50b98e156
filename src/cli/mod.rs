//! Words typed by a person: parsed, carried out, answered. Results go to standard output, everything else to standard error.

mod alerts;
mod app;
mod args;
mod configuration;
mod db;
mod demo;
mod dry_run;
mod exit;
mod init;
mod keys;
mod offline;
mod org;
mod org_write;
mod output;
mod parse;
mod plugin;
mod progress;
mod records;
mod remote;
mod report;
mod run;
mod simulate;
mod status;
mod summary;
mod sync;

use crate::daemon::Process;
use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use exit::{Code, Failure};
use std::process::ExitCode;

/// Carries out the command line of this process.
pub fn main() -> ExitCode {
    // Usage errors end here with code 2, as documented.
    let cli = Cli::parse();
    let process = match Process::new() {
        Ok(process) => process,
        Err(error) => {
            Failure::new(Code::Bug, error).print();
            return ExitCode::FAILURE;
        }
    };
    match process.block_on(carry_out(cli, &process)) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code as u8)
        }
    }
}

async fn carry_out(cli: Cli, process: &Process) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Demo(ref demo) => return demo::run(&cli, process, demo).await,
        Command::Init { dir } => init::run(dir.as_deref())?,
        Command::Org(ref order) => return org::run(&cli, order).await,
        Command::Status(ref watch) => return status::status(&cli, watch).await,
        Command::Health(ref watch) => return status::health(&cli, watch).await,
        Command::Alerts(ref order) => alerts::run(&cli, order).await?,
        Command::Run => return run::run(&cli, process).await,
        Command::Stop => return run::stop(&cli).await,
        Command::Reload => return run::reload(&cli).await,
        Command::Plugin(ref order) => return plugin::run(&cli, process, order).await,
        Command::Sync(ref order) => return sync::run(&cli, process, order).await,
        Command::Report(ref report) => report::run(&cli, report).await?,
        Command::Rejects(ref which) => records::rejects(&cli, which).await?,
        Command::History(ref which) => records::history(&cli, which).await?,
        Command::Audit(ref which) => records::audit(&cli, which).await?,
        Command::Db(ref order) => return db::run(&cli, order).await,
        Command::Keys(ref order) => keys::run(&cli, order).await?,
        Command::Config(ref order) => return configuration::run(&cli, order),
        Command::Simulate(ref order) => simulate::run(&cli, order).await?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "classy-sync", &mut std::io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}
