//! The daemon from its start to its end.

use super::reload::{InForce, Reload, Reloader};
use super::surroundings::{self, Prepared, prepare};
use super::{PidFile, Process, Signal, Signals, Tree, apart, notify};
use crate::actors::{Plan, Shared, Surroundings};
use crate::config::{Config, ConfigError};
use crate::credentials;
use crate::files::OpenFile;
use crate::http::{Control, ReloadRequest, Server, Settings, Sources};
use crate::integrations::load_organizations;
use crate::store::Store;
use crate::vault::Vault;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long runs may take to fall once they were told to fall at once.
const FALL: Duration = Duration::from_secs(2);

/// How long what follows may take: leases given back, connections closed, memory freed.
const LAST_MOMENTS: Duration = Duration::from_secs(10);

/// What the daemon is made from: opened by whoever started the process, so that a wrong start is
/// told on its terminal.
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

/// Serves until it is told to stop.
///
/// # Errors
/// What is in the way of the start.
pub async fn serve(
    process: &Process,
    service: Service,
    signals: &mut Signals,
) -> Result<(), credentials::Error> {
    let Service {
        config,
        reload: read_again,
        lock,
        store,
        vault,
        transport,
    } = service;
    let (tcp, not_listening) = match surroundings::listen(&config) {
        Ok(tcp) => (Some(tcp), None),
        Err(error) => {
            tracing::error!(
                error,
                "http.listen cannot be opened: no pages, metrics or webhooks"
            );
            (None, Some(error))
        }
    };
    let address = tcp.as_ref().and_then(|tcp| tcp.local_addr().ok());
    let server = Server::start(tcp)
        .inspect_err(|error| tracing::error!(%error, "nobody can ask this process for anything"));
    let beginning = {
        let (config, store, holder) = (config.clone(), store.clone(), lock.holder());
        async move {
            config.meanings().into_iter().next().map_or(Ok(()), Err)?;
            store.succeed(&holder).await?;
            let files = load_organizations(&config.organizations.dir);
            let prepared = prepare(&config, files, &store, &vault).await?;
            Ok::<_, credentials::Error>((vault, prepared))
        }
    };
    let failed = |source| ConfigError::File {
        path: config.file.clone(),
        source,
    };
    let Some(prepared) = apart(&process.runtime(), signals.stop(), beginning)
        .await
        .map_err(failed)?
    else {
        tracing::info!("stopped before it had begun");
        return Ok(());
    };
    let (
        vault,
        Prepared {
            applied,
            wrong,
            surroundings,
            settings,
        },
    ) = prepared?;
    if let Some(error) = wrong
        .into_iter()
        .find(|error| matches!(error, ConfigError::Folder { .. }))
    {
        return Err(error.into());
    }
    let runs = config.sync.max_concurrent_runs;
    let shared = Shared::new(
        store,
        vault,
        transport,
        process.runtime(),
        runs,
        lock.holder(),
        Plan::of(&config),
    );
    let socket = lock.socket();
    let control_socket = crate::http::listen(&socket).inspect_err(|error| {
        tracing::error!(socket = %socket.display(), %error, "no control socket: commands cannot speak to this process");
    });
    let ways_in = control_socket
        .iter()
        .map(|_| OpenFile::new(socket.clone()))
        .chain([lock.name()]);
    shared.set_surroundings(Surroundings {
        not_listening,
        ways_in: ways_in.collect(),
        ..surroundings
    });
    let tree = process.daemon(shared);
    let handle = tree.handle.clone();
    let organizations = applied.len();
    let (deadline, in_force) = (
        config.daemon.shutdown_timeout,
        InForce {
            at_start: config.clone(),
            config,
            organizations: applied.clone(),
        },
    );
    handle.configure(applied);
    let (reloads, mut asked) = mpsc::channel::<ReloadRequest>(8);
    let ready = Arc::new(AtomicBool::new(true));
    let (settings, settings_now) = watch::channel(Arc::new(settings));
    let sources = Arc::new(sources(handle.shared(), settings_now));
    let control = Control {
        orders: Arc::new(handle.clone()),
        sources,
        ready: Arc::clone(&ready),
        reloads,
        address,
    };
    let server = server.map(|server| server.open(control, control_socket.ok()));
    let watching = process
        .runtime()
        .spawn(keep_watching(Arc::clone(handle.shared())));
    let vouch = process
        .runtime()
        .spawn(notify::vouch(Arc::clone(handle.shared())));
    let tell = process
        .runtime()
        .spawn(notify::tell(Arc::clone(handle.shared())));
    tracing::info!(
        organizations,
        http = address.map(tracing::field::display),
        "ready"
    );
    notify::say(NotifyState::Ready);
    let mut reloader = Reloader::new(read_again, handle.clone(), settings, in_force);
    loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::Stop => break,
                Signal::Reload => reloader.ask(None),
            },
            Some(request) = asked.recv() => reloader.ask(Some(request)),
            () = reloader.ended() => {}
        }
    }
    drop(reloader);
    ready.store(false, Ordering::Relaxed);
    notify::say(NotifyState::Stopping);
    tracing::info!("stopping");
    end_at_the_latest(deadline + FALL + LAST_MOMENTS);
    stop(tree, signals, deadline).await;
    vouch.abort();
    tell.abort();
    watching.abort();
    if let Ok(server) = server {
        server.stop();
    }
    // Whatever took its place meanwhile is not ours to remove.
    let _ = crate::files::remove_socket(&socket);
    let shared = handle.shared();
    if let Err(error) = shared.store.leave(&shared.holder).await {
        tracing::warn!(%error, "the leases could not be given back; they end by themselves");
    }
    shared.store.clone().close().await?;
    tracing::info!("stopped");
    drop(lock);
    Ok(())
}

/// What the server reads from.
fn sources(shared: &Shared, settings: watch::Receiver<Arc<Settings>>) -> Sources {
    Sources {
        board: shared.board.clone(),
        health: shared.health.subscribe(),
        registry: shared.registry.clone(),
        run_permits: shared.run_permits.clone(),
        holder: shared.holder.clone(),
        store: shared.store.clone(),
        vault: Arc::clone(&shared.vault),
        runtime: shared.runtime.clone(),
        settings,
    }
}

/// Lets somebody watch; one that panics is followed by another.
async fn keep_watching(shared: Arc<Shared>) {
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
    for (child, _) in handle
        .shared()
        .registry
        .children()
        .into_iter()
        .filter(|(_, child)| child.run.is_some())
    {
        tracing::warn!(child = %child, "a run is ended before its next page");
    }
    let _ = tokio::time::timeout(FALL, stopped).await;
}

/// Ends the process when it has not ended by then, whatever its threads do. Whatever is not
/// committed by then was not promised to anybody, and the next start takes over at once.
fn end_at_the_latest(after: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(after);
        tracing::error!("the process did not end in time, and ends now");
        std::process::exit(1);
    });
}
