//! The daemon from its start to its end.

use super::notify;
use super::{PidFile, Process, Signal, Signals, Tree};
use crate::actors::{Handle, Plan, Shared};
use crate::config::{Config, ConfigError};
use crate::credentials::{self, Applied, apply, require_keys};
use crate::http::{Control, ReloadRequest};
use crate::integrations::{load_organizations, secret_keys};
use crate::store::Store;
use crate::vault::Vault;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long runs may take to fall once they were told to fall at once.
const FALL: Duration = Duration::from_secs(2);

/// What the daemon is made from: opened by whoever started the process, so that a wrong start is told on its terminal.
#[derive(Debug)]
pub struct Service {
    /// As it was read.
    pub config: Config,
    /// Reads it again.
    pub reload: Reload,
    /// Held until the end.
    pub lock: PidFile,
    /// Schema up to date.
    pub store: Store,
    /// The keys.
    pub vault: Vault,
    /// The connections to Classy.
    pub transport: crate::classy::Transport,
}

/// Reads the main configuration again.
pub type Reload = fn(&Config) -> Result<Config, ConfigError>;

/// Serves until it is told to stop.
///
/// # Errors
/// What is in the way of the start.
pub async fn serve(process: &Process, service: Service) -> Result<(), credentials::Error> {
    let Service { mut config, reload: read_again, lock, store, vault, transport } = service;
    if let Err(error) = require_keys(&store, &vault).await {
        // The organizations that these keys sealed cannot be served; the others can.
        tracing::error!(%error, "keys are missing");
    }
    let (applied, wrong) = apply(&store, &vault, load_organizations(&config.organizations.dir), secret_keys).await?;
    complain(&wrong);
    let runs = config.sync.max_concurrent_runs;
    let shared = Shared::new(store, vault, transport, process.runtime(), runs, lock.holder(), Plan::of(&config));
    let tree = process.daemon(shared);
    let handle = tree.handle.clone();
    let mut organizations = applied.clone();
    handle.configure(applied);
    let (reloads, mut asked) = mpsc::channel::<ReloadRequest>(8);
    let ready = Arc::new(AtomicBool::new(true));
    let control = Control { handle: handle.clone(), ready: Arc::clone(&ready), reloads };
    let socket = lock.socket();
    let server = match crate::http::listen(&socket) {
        Ok(listener) => Some(process.runtime().spawn(crate::http::serve(listener, control))),
        Err(error) => {
            tracing::error!(socket = %socket.display(), %error, "no control socket: commands cannot speak to this process");
            None
        }
    };
    let vouch = process.runtime().spawn(notify::vouch(Arc::clone(handle.shared())));
    let tell = process.runtime().spawn(notify::tell(Arc::clone(handle.shared())));
    tracing::info!(organizations = organizations.len(), "ready");
    notify::say(NotifyState::Ready);
    let mut signals = Signals::new().map_err(|source| ConfigError::File { path: config.file.clone(), source })?;
    loop {
        let request = tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => break,
                Signal::Reload => None,
            },
            request = asked.recv() => request,
        };
        notify::reloading();
        let result = reload(read_again, &mut config, &mut organizations, &handle).await;
        match &result {
            Ok(count) => tracing::info!(organizations = count, "the configuration was read again"),
            Err(error) => tracing::error!(error, "the configuration could not be read again; the old one stays in force"),
        }
        notify::say(NotifyState::Ready);
        if let Some(request) = request {
            // Whoever hung up does not want to know.
            let _ = request.send(result);
        }
    }
    ready.store(false, Ordering::Relaxed);
    notify::say(NotifyState::Stopping);
    tracing::info!("stopping");
    stop(tree, &mut signals, config.daemon.shutdown_timeout).await;
    vouch.abort();
    tell.abort();
    if let Some(server) = server {
        server.abort();
    }
    let _ = std::fs::remove_file(&socket);
    let shared = handle.shared();
    if let Err(error) = shared.store.leave(&shared.holder).await {
        tracing::warn!(%error, "the leases could not be given back; they end by themselves");
    }
    shared.store.clone().close().await?;
    tracing::info!("stopped");
    drop(lock);
    Ok(())
}

/// Stops in order; past the deadline, or at a second signal, at once.
async fn stop(tree: Tree, signals: &mut Signals, deadline: Duration) {
    let (handle, kill) = (tree.handle.clone(), tree.handle.shared().kill.clone());
    let stopped = tree.stop();
    tokio::pin!(stopped);
    tokio::select! {
        () = &mut stopped => return,
        () = tokio::time::sleep(deadline) => kill.cancel("the deadline for stopping has passed"),
        () = signals.stop() => kill.cancel("told to stop twice"),
    }
    for (child, _) in handle.shared().roster.children().into_iter().filter(|(_, child)| child.run.is_some()) {
        tracing::warn!(child = %child, "a run is ended before its next page");
    }
    let _ = tokio::time::timeout(FALL, stopped).await;
}

fn complain(wrong: &[ConfigError]) {
    for error in wrong {
        tracing::error!(%error, "an organization's file is wrong; it stays as it was");
    }
}

/// Reads everything again. A wrong main file changes nothing; a wrong organization's file leaves that organization as it was.
/// Answers with the number of organizations.
///
/// # Errors
/// What is wrong with the main file, or with the database.
pub async fn reload(read_again: Reload, config: &mut Config, organizations: &mut Vec<Applied>, handle: &Handle) -> Result<usize, String> {
    let new = read_again(config).map_err(|error| error.to_string())?;
    let shared = handle.shared();
    let files = load_organizations(&new.organizations.dir);
    let (mut applied, wrong) = apply(&shared.store, &shared.vault, files, secret_keys).await.map_err(|error| error.to_string())?;
    complain(&wrong);
    let spoiled = |one: &Applied| wrong.iter().any(|error| error.is_about(&one.file.path));
    applied.extend(organizations.iter().filter(|old| spoiled(old)).cloned());
    shared.set_plan(Plan::of(&new));
    *config = new;
    organizations.clone_from(&applied);
    handle.configure(applied);
    Ok(organizations.len())
}
