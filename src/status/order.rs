//! What may be ordered, and of whom: those who read the status order by the same words.

use super::report::OrganizationReport;
use crate::domain::{Fault, Task};
use crate::entities::Entity;
use std::fmt::Debug;
use std::pin::Pin;

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

/// What comes of an order.
pub type Answer<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Whoever carries orders out.
pub trait Orders: Debug + Send + Sync {
    /// Syncs one organization (Classy's id) and answers when it is done.
    ///
    /// # Errors
    /// Why nothing was done.
    fn sync(&self, classy_id: i64, order: Order) -> Answer<'_, OrganizationReport, Fault>;

    /// Something may have changed at an organization: these feeds look soon; without any, the
    /// plugins do. Waits for nobody.
    fn nudge(&self, classy_id: i64, entities: Vec<Entity>);

    /// A person changed something in the database: answered when it is in force, of one
    /// organization or of all.
    ///
    /// # Errors
    /// Why that is not known.
    fn settle(&self, classy_id: Option<i64>) -> Answer<'_, (), Fault>;

    /// Sends an alert the whole way, and answers whether it arrived.
    ///
    /// # Errors
    /// Why it did not.
    fn try_alerts(&self) -> Answer<'_, (), String>;

    /// Whether anybody is there to carry them out.
    fn is_alive(&self) -> bool;
}
