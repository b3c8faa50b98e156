//! What all actors of a process share, and what one may order of them.

use super::{Board, Drills, Journal, Plan, Surroundings};
use crate::classy::Transport;
use crate::domain::Entity;
use crate::health::HealthReport;
use crate::kernel::{Kill, Roster};
use crate::schedule::Dealer;
use crate::store::Store;
use crate::sync::Task;
use crate::vault::Vault;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// Shared by all actors; made once a process.
#[derive(Debug)]
pub struct Shared {
    /// The database.
    pub store: Store,
    /// The keys.
    pub vault: Vault,
    /// The connections to Classy.
    pub transport: Transport,
    /// Where runs run.
    pub runtime: Handle,
    /// Who may run.
    pub dealer: Dealer,
    /// Who lives.
    pub roster: Roster,
    /// What is going on.
    pub board: Board,
    /// Ends everything.
    pub kill: Kill,
    /// The name under which this process holds leases.
    pub holder: String,
    /// Runs that ended and were not measured yet.
    pub journal: Journal,
    /// How well it is, as of the last look.
    pub health: watch::Sender<Arc<HealthReport>>,
    /// Orders to try the alerts.
    pub drills: Drills,
    plan: RwLock<Arc<Plan>>,
    surroundings: RwLock<Arc<Surroundings>>,
}

impl Shared {
    /// Puts the parts together. `runs` is how many may run at once.
    pub fn new(store: Store, vault: Vault, transport: Transport, runtime: Handle, runs: usize, holder: String, plan: Plan) -> Shared {
        let health = HealthReport::unknown(crate::clock::now(), plan.look);
        Shared {
            store,
            vault,
            transport,
            runtime,
            dealer: Dealer::new(runs),
            roster: Roster::default(),
            board: Board::default(),
            kill: Kill::root(),
            holder,
            journal: Journal::default(),
            health: watch::Sender::new(Arc::new(health)),
            drills: Drills::default(),
            plan: RwLock::new(Arc::new(plan)),
            surroundings: RwLock::default(),
        }
    }

    /// The plan in force.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the daemon knows besides.
    pub fn surroundings(&self) -> Arc<Surroundings> {
        Arc::clone(&self.surroundings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces what the daemon knows besides.
    pub fn set_surroundings(&self, surroundings: Surroundings) {
        *self.surroundings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(surroundings);
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

/// Which plugins an order is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginChoice {
    /// None.
    None,
    /// All that the organization has.
    All,
    /// This one.
    One(String),
}

impl PluginChoice {
    /// Whether a plugin is meant.
    pub fn means(&self, plugin: &str) -> bool {
        match self {
            PluginChoice::None => false,
            PluginChoice::All => true,
            PluginChoice::One(name) => name == plugin,
        }
    }
}

/// What is to be synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which feeds, one after the other.
    pub entities: Vec<Entity>,
    /// What is to be done with each.
    pub task: Task,
    /// Which plugins deliver afterwards.
    pub plugins: PluginChoice,
    /// Who asks: `cli`, `http`, ...
    pub reason: &'static str,
}
