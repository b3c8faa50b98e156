//! Plugins: what each of them is, and the one way in which people are handed to them.
//!
//! A plugin is given [`Profile`](crate::domain::Profile)s and answers with a [`Verdict`](crate::domain::Verdict) for each. It never
//! sees the database: what it wants to remember of the other side it does through its [`PluginContext`].
//!
//! | what | where |
//! |---|---|
//! | what a plugin must be able to do | `contract`, `error` |
//! | what it is given to work with | `context`, `budget` |
//! | one delivery: who is due, what may be done, what became of it | `delivery`, `pending`, `guard` |
//! | what would be done | `preview` |

mod budget;
mod context;
mod contract;
mod delivery;
mod error;
mod guard;
mod pending;
mod preview;

pub use budget::Budget;
pub use context::{PluginContext, Pulse};
pub use contract::{Finding, Plugin};
pub use delivery::{Delivered, Delivery, deliver};
pub use error::PluginError;
pub use guard::GuardSettings;
pub use preview::{Preview, audit, check, preview};

pub use crate::store::{DeliveryRow, Left, Sending};
