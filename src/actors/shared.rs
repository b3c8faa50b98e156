//! What all actors of a process share, and what one may order of them.

use super::{Plan, Surroundings, TestAlerts};
use crate::classy::Transport;
use crate::domain::Time;
use crate::health::{HealthReport, Unwritten};
use crate::schedule::{ByteBudget, FairSemaphore};
use crate::status::{Board, Journal};
use crate::store::Store;
use crate::supervision::{ActorRegistry, KillSwitch};
use crate::vault::Vault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Bytes that all runs together may have read and not committed yet.
const READ_AHEAD: usize = 16 * 1024 * 1024;

/// Shared by all actors; made once a process.
#[derive(Debug)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The keys.
    pub vault: Arc<Vault>,
    /// The connections to Classy.
    pub transport: Transport,
    /// Where runs run.
    pub runtime: Handle,
    /// Who may run.
    pub run_permits: FairSemaphore,
    /// How much runs may have read ahead of the database, all together.
    pub bytes: ByteBudget,
    /// Who lives.
    pub registry: ActorRegistry,
    /// What is going on.
    pub board: Board,
    /// Ends everything.
    pub kill: KillSwitch,
    /// The name under which this process holds leases.
    pub holder: String,
    /// Runs that ended and were not measured yet.
    pub journal: Journal,
    /// How well it is, as of the last look.
    pub health: watch::Sender<Arc<HealthReport>>,
    /// Orders to try the alerts.
    pub test_alerts: TestAlerts,
    plan: RwLock<Arc<Plan>>,
    surroundings: RwLock<Arc<Surroundings>>,
    unwritten: Mutex<Option<Unwritten>>,
}

impl Shared {
    /// Puts the parts together. `runs` is how many may run at once.
    pub fn new(
        store: Store,
        vault: Vault,
        transport: Transport,
        runtime: Handle,
        runs: usize,
        holder: String,
        plan: Plan,
    ) -> Shared {
        let health = HealthReport::unknown(crate::clock::now(), plan.look);
        Shared {
            store,
            vault: Arc::new(vault),
            transport,
            runtime,
            run_permits: FairSemaphore::new(runs),
            bytes: ByteBudget::new(READ_AHEAD),
            registry: ActorRegistry::default(),
            board: Board::default(),
            kill: KillSwitch::root(),
            holder,
            journal: Journal::default(),
            health: watch::Sender::new(Arc::new(health)),
            test_alerts: TestAlerts::default(),
            plan: RwLock::new(Arc::new(plan)),
            surroundings: RwLock::default(),
            unwritten: Mutex::default(),
        }
    }

    /// A look at the leases that began then could not write.
    pub(super) fn note_unwritten(&self, begun: Time, why: String) {
        let mut unwritten = self.lock_unwritten();
        let since = unwritten.take().map_or(begun, |before| before.since);
        *unwritten = Some(Unwritten { since, why });
    }

    /// A look at the leases wrote.
    pub(super) fn note_written(&self) {
        *self.lock_unwritten() = None;
    }

    /// Since when no look at the leases could write.
    pub(super) fn unwritten(&self) -> Option<Unwritten> {
        self.lock_unwritten().clone()
    }

    fn lock_unwritten(&self) -> MutexGuard<'_, Option<Unwritten>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The plan in force.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the daemon knows besides.
    pub fn surroundings(&self) -> Arc<Surroundings> {
        Arc::clone(
            &self
                .surroundings
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Replaces what the daemon knows besides.
    pub fn set_surroundings(&self, surroundings: Surroundings) {
        *self
            .surroundings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(surroundings);
    }

    /// How well it is, as of the last look.
    pub fn health(&self) -> Arc<HealthReport> {
        Arc::clone(&self.health.borrow())
    }

    /// Puts another plan in force; runs in progress keep theirs.
    pub fn set_plan(&self, plan: Plan) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }
}
