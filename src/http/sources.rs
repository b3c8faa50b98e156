//! What the server reads from: memory that others write, and the database.

use super::settings::Settings;
use crate::health::HealthReport;
use crate::schedule::FairSemaphore;
use crate::status::Board;
use crate::store::Store;
use crate::supervision::ActorRegistry;
use crate::vault::Vault;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Clones of what others hold; nothing here is asked of an actor.
#[derive(Debug)]
pub struct Sources {
    /// What is going on.
    pub board: Board,
    /// How well it is, as of the last look.
    pub health: watch::Receiver<Arc<HealthReport>>,
    /// Which actors live.
    pub registry: ActorRegistry,
    /// Who may run, and who waits for that.
    pub run_permits: FairSemaphore,
    /// The name under which this process holds leases.
    pub holder: String,
    /// The database.
    pub store: Store,
    /// The keys.
    pub vault: Arc<Vault>,
    /// Where the database's connections live.
    pub runtime: Handle,
    /// What the server goes by.
    pub settings: watch::Receiver<Arc<Settings>>,
}

impl Sources {
    pub(super) fn health(&self) -> Arc<HealthReport> {
        Arc::clone(&self.health.borrow())
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow())
    }
}
