//! `run`, `stop`, `reload`: the daemon, and the two words that one says to it most.

use super::app::{App, done};
use super::args::Cli;
use super::exit::{Code, Failure};
use super::output;
use super::remote::{Daemon, Reloaded};
use crate::classy::Transport;
use crate::config::{Config, ConfigError};
use crate::daemon::{
    HeldBy, Holder, PidFile, Process, Service, Signal, Signals, apart, serve, signal_process,
};
use crate::vault::KeyRing;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

/// How long `stop` waits beyond the daemon's own deadline.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub(super) async fn run(
    cli: &Cli,
    process: &Process,
    signals: &mut Signals,
) -> Result<ExitCode, Failure> {
    let begin = begin(cli.clone());
    let failed = |error| Failure::new(Code::Bug, error);
    // One that is told to stop before it has begun has nothing to stop.
    let Some(begun) = apart(&process.runtime(), signals.stop(), begin)
        .await
        .map_err(failed)?
    else {
        return Ok(ExitCode::SUCCESS);
    };
    let (service, _app) = begun?;
    serve(process, service, signals).await?;
    Ok(ExitCode::SUCCESS)
}

async fn begin(cli: Cli) -> Result<(Service, App), Failure> {
    let app = App::daemon(&cli)?;
    let lock = PidFile::lock(&app.config.daemon.pid_file, Holder::Daemon)?;
    let store = app.store().await?;
    let service = Service {
        vault: app.vault(&store).await?,
        store,
        transport: Transport::new("")?,
        reload: |config| read_again(config, super::app::environment()),
        config: app.config.clone(),
        lock,
    };
    Ok((service, app))
}

/// The configuration again, with every value held against its meaning.
pub(super) fn read_again(
    config: &Config,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Config, Vec<ConfigError>> {
    let (config, mut faults) =
        Config::read(Some(&config.file), environment).map_err(|error| vec![error])?;
    faults.extend(config.meanings());
    if let Err(error) = KeyRing::load(&config.vault.keys, &config.vault.key_file) {
        let place = config.file.display().to_string();
        faults.push(ConfigError::Value {
            place,
            key: "vault.key_file".to_owned(),
            cause: error.to_string(),
        });
    }
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(faults)
    }
}

/// Tells the daemon to stop, and waits until it did. Somebody's command that holds the lock is left
/// alone.
pub(super) async fn stop(cli: &Cli) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    let daemon = &app.config.daemon;
    let unusable = |error: std::io::Error| {
        Failure::new(
            Code::Configuration,
            format!("{}: {error}", daemon.pid_file.display()),
        )
    };
    let held = HeldBy::of(&daemon.pid_file).map_err(unusable)?;
    let Some(pid) = signal_process(&daemon.pid_file, Signal::Stop).map_err(unusable)? else {
        match held.filter(|held| !held.is_daemon()) {
            Some(command) => done(&format!(
                "no daemon is running; {command} is at work and goes on: whoever began it may stop it"
            )),
            None => done("no daemon is running"),
        }
        return Ok(ExitCode::SUCCESS);
    };
    let deadline = tokio::time::Instant::now() + daemon.shutdown_timeout + PATIENCE;
    while HeldBy::of(&daemon.pid_file)
        .map_err(unusable)?
        .is_some_and(|held| held.pid == pid)
    {
        if tokio::time::Instant::now() > deadline {
            return Err(
                Failure::new(Code::Busy, format!("process {pid} did not stop"))
                    .hint(format!("`kill -9 {pid}` ends it; nothing is lost")),
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
    // One that is there may be just starting, or short of time: what is ordered is in force when it
    // answers.
    let mut silent = None;
    let daemon = match HeldBy::of(pid_file) {
        Ok(Some(held)) if held.is_daemon() => {
            silent = Some(held.pid);
            Daemon::of(pid_file).await
        }
        _ => None,
    };
    if let Some(daemon) = daemon {
        let Reloaded {
            organizations,
            wrong,
            restart,
        } = daemon.reload().await?;
        done(&format!(
            "the configuration was read again: {}",
            output::counted(organizations, "organization", "organizations")
        ));
        if wrong.is_empty() && restart.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        if wrong.is_empty() {
            let text = format!("in force only after a restart: {}", restart.join(", "));
            return Err(Failure::new(Code::Partial, text)
                .hint("everything else is in force; restart the daemon for these"));
        }
        let (files, stays) = if wrong.len() == 1 {
            ("an organization's file is", "it stays as it was")
        } else {
            ("files of organizations are", "they stay as they were")
        };
        return Err(Failure::new(
            Code::Partial,
            format!("{files} wrong: {}", wrong.join("; ")),
        )
        .hint(format!("{stays} until that is mended and read again")));
    }
    let unusable = |error: std::io::Error| {
        Failure::new(
            Code::Configuration,
            format!("{}: {error}", pid_file.display()),
        )
    };
    match signal_process(pid_file, Signal::Reload).map_err(unusable)? {
        Some(pid) if silent == Some(pid) => {
            let text = format!("process {pid} does not answer at its control socket");
            let hint = "it was told to read its configuration again by a signal; its log says whether it did";
            Err(Failure::new(Code::Busy, text).hint(hint))
        }
        Some(pid) => {
            done(&format!(
                "process {pid} was told to read its configuration again; its log says what came of it"
            ));
            Ok(ExitCode::SUCCESS)
        }
        None => {
            Err(Failure::new(Code::Usage, "no daemon is running")
                .hint("`classy-sync run` starts one"))
        }
    }
}
