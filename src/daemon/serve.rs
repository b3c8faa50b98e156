//! The daemon from its start to its end.

use super::{PidFile, Process, Signal, Signals, Tree};
use super::{notify, surroundings};
use crate::actors::{Handle, Plan, Shared};
use crate::config::{Config, ConfigError};
use crate::credentials::{self, Applied, apply};
use crate::http::{Control, Listeners, ReloadRequest, Server};
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
    surroundings::required_token(&config)?;
    let (applied, wrong) = apply(&store, &vault, load_organizations(&config.organizations.dir), secret_keys).await?;
    complain(&wrong);
    let (tcp, not_listening) = match surroundings::listen(&config) {
        Ok(tcp) => (Some(tcp), None),
        Err(error) => {
            tracing::error!(error, "http.listen cannot be opened: no pages, metrics or webhooks");
            (None, Some(error))
        }
    };
    let address = tcp.as_ref().and_then(|tcp| tcp.local_addr().ok());
    let found = surroundings::find(&config, &store, &vault, &applied, &wrong, not_listening).await?;
    let runs = config.sync.max_concurrent_runs;
    let shared = Shared::new(store, vault, transport, process.runtime(), runs, lock.holder(), Plan::of(&config));
    shared.set_surroundings(found);
    let tree = process.daemon(shared);
    let handle = tree.handle.clone();
    let mut organizations = applied.clone();
    handle.configure(applied);
    let (reloads, mut asked) = mpsc::channel::<ReloadRequest>(8);
    let ready = Arc::new(AtomicBool::new(true));
    let control = Control { handle: handle.clone(), ready: Arc::clone(&ready), reloads, address };
    let socket = lock.socket();
    let control_socket = crate::http::listen(&socket).inspect_err(|error| {
        tracing::error!(socket = %socket.display(), %error, "no control socket: commands cannot speak to this process");
    });
    let server = Server::start(control, Listeners { socket: control_socket.ok(), tcp })
        .inspect_err(|error| tracing::error!(%error, "nobody can ask this process for anything"));
    let watch = process.runtime().spawn(watch(Arc::clone(handle.shared())));
    let vouch = process.runtime().spawn(notify::vouch(Arc::clone(handle.shared())));
    let tell = process.runtime().spawn(notify::tell(Arc::clone(handle.shared())));
    tracing::info!(organizations = organizations.len(), http = address.map(tracing::field::display), "ready");
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
    watch.abort();
    if let Ok(server) = server {
        server.stop();
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

/// Lets somebody watch; one that panics is followed by another.
async fn watch(shared: Arc<Shared>) {
    loop {
        // Ends with this task.
        let mut watching = tokio::task::JoinSet::new();
        watching.spawn(crate::actors::watch(Arc::clone(&shared)));
        if let Some(Err(error)) = watching.join_next().await {
            tracing::error!(%error, "whoever watches panicked; another takes over");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
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
    let before = shared.surroundings();
    let found = surroundings::find(&new, &shared.store, &shared.vault, &applied, &wrong, before.not_listening.clone()).await;
    let mut found = found.map_err(|error| error.to_string())?;
    let spoiled = |one: &Applied| wrong.iter().any(|error| error.is_about(&one.file.path));
    applied.extend(organizations.iter().filter(|old| spoiled(old)).cloned());
    for old in organizations.iter().filter(|old| spoiled(old)) {
        let id = old.organization.classy_id;
        found.organizations.insert(id, Applied::clone(old));
        found.hooks.insert(id, before.hooks.get(&id).cloned().unwrap_or_default());
    }
    shared.set_surroundings(found);
    shared.set_plan(Plan::of(&new));
    *config = new;
    organizations.clone_from(&applied);
    handle.configure(applied);
    Ok(organizations.len())
}
