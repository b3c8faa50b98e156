//! What all actors of a process share, and what one may order of them.

use super::{Board, Plan};
use crate::classy::Transport;
use crate::domain::Entity;
use crate::kernel::{Kill, Roster};
use crate::schedule::Dealer;
use crate::store::Store;
use crate::sync::Task;
use crate::vault::Vault;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::runtime::Handle;

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
    plan: RwLock<Arc<Plan>>,
}

impl Shared {
    /// Puts the parts together. `runs` is how many may run at once.
    pub fn new(store: Store, vault: Vault, transport: Transport, runtime: Handle, runs: usize, holder: String, plan: Plan) -> Shared {
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
            plan: RwLock::new(Arc::new(plan)),
        }
    }

    /// The plan in force.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
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
