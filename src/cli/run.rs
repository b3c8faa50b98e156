//! `run`, `stop`, `reload`: the daemon, and the two words that one says to it most.

use super::app::{App, done};
use super::args::Cli;
use super::exit::{Code, Failure};
use super::remote::Daemon;
use crate::classy::Transport;
use crate::config::Config;
use crate::daemon::{PidFile, Process, Service, Signal, serve, signal_process};
use std::process::ExitCode;
use std::time::Duration;

/// How long `stop` waits beyond the daemon's own deadline.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub(super) async fn run(cli: &Cli, process: &Process) -> Result<ExitCode, Failure> {
    let app = App::daemon(cli)?;
    let lock = PidFile::lock(&app.config.daemon.pid_file)?;
    let service = Service {
        store: app.store().await?,
        vault: app.vault()?,
        transport: Transport::new("")?,
        reload: |config| Config::load(Some(&config.file), super::app::environment()),
        config: app.config.clone(),
        lock,
    };
    serve(process, service).await?;
    Ok(ExitCode::SUCCESS)
}

/// Tells the daemon to stop, and waits until it did.
pub(super) async fn stop(cli: &Cli) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let daemon = &app.config.daemon;
    let unusable = |error: std::io::Error| Failure::new(Code::Configuration, format!("{}: {error}", daemon.pid_file.display()));
    let Some(pid) = signal_process(&daemon.pid_file, Signal::Stop).map_err(unusable)? else {
        done("no daemon is running");
        return Ok(ExitCode::SUCCESS);
    };
    let deadline = tokio::time::Instant::now() + daemon.shutdown_timeout + PATIENCE;
    while PidFile::holder_pid(&daemon.pid_file).map_err(unusable)?.is_some() {
        if tokio::time::Instant::now() > deadline {
            return Err(
                Failure::new(Code::Busy, format!("process {pid} did not stop")).hint(format!("`kill -9 {pid}` ends it; nothing is lost"))
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    done(&format!("process {pid} has stopped"));
    Ok(ExitCode::SUCCESS)
}

/// Lets the daemon read its configuration again, and says what came of it.
pub(super) async fn reload(cli: &Cli) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let pid_file = &app.config.daemon.pid_file;
    if let Some(daemon) = Daemon::at(&PidFile::socket_of(pid_file)).await {
        let organizations = daemon.reload().await?;
        done(&format!("the configuration was read again: {organizations} organizations"));
        return Ok(ExitCode::SUCCESS);
    }
    let unusable = |error: std::io::Error| Failure::new(Code::Configuration, format!("{}: {error}", pid_file.display()));
    match signal_process(pid_file, Signal::Reload).map_err(unusable)? {
        Some(pid) => {
            done(&format!("process {pid} was told to read its configuration again; its log says what came of it"));
            Ok(ExitCode::SUCCESS)
        }
        None => Err(Failure::new(Code::Usage, "no daemon is running").hint("`classy-sync run` starts one")),
    }
}
