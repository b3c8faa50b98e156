//! The configuration read again while the daemon serves: on a thread of its own, one reading at a
//! time, and whoever asks during one is answered by the next.

use super::apart::apart;
use super::notify;
use super::surroundings::{Prepared, prepare};
use crate::actors::{Handle, Plan, Surroundings};
use crate::config::{Config, ConfigError};
use crate::credentials::Applied;
use crate::http::{ReloadRequest, Reloaded, Settings};
use crate::integrations::{load_organizations, secret_faults};
use crate::vault::KeyRing;
use sd_notify::NotifyState;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// Reads the main configuration again, or says everything that is wrong with it.
pub type Reload = fn(&Config) -> Result<Config, Vec<ConfigError>>;

/// What is in force.
#[derive(Debug)]
pub(super) struct InForce {
    /// As it was when the process started.
    pub(super) at_start: Config,
    pub(super) config: Config,
    pub(super) organizations: Vec<Applied>,
}

/// What came of a reading.
type Outcome = Result<Reloaded, String>;

/// Reads again when it is asked to.
pub(super) struct Reloader {
    read_again: Reload,
    handle: Handle,
    settings: watch::Sender<Arc<Settings>>,
    in_force: Arc<Mutex<InForce>>,
    /// The reading in hand, and whoever waits for it.
    current: Option<(JoinHandle<Outcome>, Vec<ReloadRequest>)>,
    /// Another one is wanted after it, by these.
    next: Option<Vec<ReloadRequest>>,
}

impl Reloader {
    pub(super) fn new(
        read_again: Reload,
        handle: Handle,
        settings: watch::Sender<Arc<Settings>>,
        in_force: InForce,
    ) -> Reloader {
        Reloader {
            read_again,
            handle,
            settings,
            in_force: Arc::new(Mutex::new(in_force)),
            current: None,
            next: None,
        }
    }

    /// Reads again; `request` is answered when it was read.
    pub(super) fn ask(&mut self, request: Option<ReloadRequest>) {
        self.next.get_or_insert_default().extend(request);
        self.begin();
    }

    fn begin(&mut self) {
        if self.current.is_some() {
            return;
        }
        let Some(requests) = self.next.take() else {
            return;
        };
        notify::reloading();
        let (read_again, handle, in_force) = (
            self.read_again,
            self.handle.clone(),
            Arc::clone(&self.in_force),
        );
        let settings = self.settings.clone();
        let runtime = handle.shared().runtime.clone();
        let work = {
            let runtime = runtime.clone();
            async move {
                let read = async move {
                    reload(read_again, &mut *in_force.lock().await, &handle, &settings).await
                };
                // It ends when this task is let go.
                match apart(&runtime, pending(), read).await {
                    Ok(Some(result)) => result,
                    Ok(None) => Err("the process is stopping".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            }
        };
        self.current = Some((runtime.spawn(work), requests));
    }

    /// Waits for the end of a reading, and answers those who wait for it. May be let go at any
    /// point.
    pub(super) async fn ended(&mut self) {
        let Some((task, _)) = &mut self.current else {
            return pending().await;
        };
        let result = task.await.unwrap_or_else(|error| Err(error.to_string()));
        let Some((_, requests)) = self.current.take() else {
            return;
        };
        match &result {
            Ok(found) => tracing::info!(
                organizations = found.organizations,
                "the configuration was read again"
            ),
            Err(error) => tracing::error!(
                error,
                "the configuration could not be read again; the old one stays in force"
            ),
        }
        notify::say(NotifyState::Ready);
        for request in requests {
            // Whoever hung up does not want to know.
            let _ = request.send(result.clone());
        }
        self.begin();
    }
}

impl Drop for Reloader {
    fn drop(&mut self) {
        if let Some((task, _)) = &self.current {
            task.abort();
        }
    }
}

/// Reads everything again. A wrong main file changes nothing; a wrong organization's file leaves
/// that organization as it was.
async fn reload(
    read_again: Reload,
    in_force: &mut InForce,
    handle: &Handle,
    settings: &watch::Sender<Arc<Settings>>,
) -> Result<Reloaded, String> {
    let new = read_again(&in_force.config).map_err(|faults| told_together(&faults))?;
    let shared = handle.shared();
    let before = Arc::clone(&settings.borrow());
    // A secret that the next start would miss is a fault of its file now, though what is sealed
    // would do for the moment.
    let mut told: Vec<String> = Vec::new();
    let files = load_organizations(&new.organizations.dir)
        .into_iter()
        .map(|file| {
            let file = file?;
            let faults = secret_faults(&file);
            told.extend(faults.iter().skip(1).map(ToString::to_string));
            let is_known = in_force
                .organizations
                .iter()
                .any(|old| old.file.path == file.path);
            match faults.into_iter().next() {
                Some(fault) if is_known => Err(fault),
                Some(fault) => {
                    told.push(fault.to_string());
                    Ok(file)
                }
                None => Ok(file),
            }
        });
    let files = files.collect();
    // Elsewhere than at the start it is in force only after a restart.
    let vault = &in_force.at_start.vault;
    let keys = KeyRing::load(&vault.keys, &vault.key_file).and_then(|keys| shared.vault.take(keys));
    told.extend(keys.err().map(|error| error.to_string()));
    let prepared = prepare(&new, files, &shared.store, &shared.vault).await;
    let Prepared {
        mut applied,
        wrong,
        surroundings,
        settings: mut found,
    } = prepared.map_err(|error| error.to_string())?;
    let spoiled = |one: &Applied| wrong.iter().any(|error| error.is_about(&one.file.path));
    let old: Vec<Applied> = in_force
        .organizations
        .iter()
        .filter(|old| spoiled(old))
        .cloned()
        .collect();
    told.extend(wrong.iter().map(ToString::to_string));
    for one in &applied {
        let path = one.file.path.display().to_string();
        // What its own file's secrets lack is told already.
        let problem = one
            .problem
            .as_ref()
            .filter(|_| !told.iter().any(|told| told.contains(&path)));
        told.extend(problem.map(|fault| format!("{path}: {}", fault.text)));
    }
    for one in old {
        let id = one.organization.classy_id;
        found.organizations.insert(id, one.clone());
        found
            .hooks
            .insert(id, before.hooks.get(&id).cloned().unwrap_or_default());
        applied.push(one);
    }
    let before = shared.surroundings();
    shared.set_surroundings(Surroundings {
        not_listening: before.not_listening.clone(),
        ways_in: before.ways_in.clone(),
        ..surroundings
    });
    settings.send_replace(Arc::new(found));
    shared.set_plan(Plan::of(&new));
    let restart = in_force.at_start.needs_restart(&new);
    if !restart.is_empty() {
        tracing::warn!(
            keys = restart.join(", "),
            "these are in force only after a restart"
        );
    }
    in_force.config = new;
    in_force.organizations.clone_from(&applied);
    let organizations = applied.len();
    handle.configure(applied);
    Ok(Reloaded {
        organizations,
        wrong: told,
        restart: restart.into_iter().map(str::to_owned).collect(),
    })
}

/// Several faults as one text, a line each.
fn told_together(faults: &[ConfigError]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
