//! Plugins: what each of them is, and the one way in which people are handed to them.
//!
//! A plugin is given [`Profile`](crate::domain::Profile)s and answers with a
//! [`Verdict`](crate::domain::Verdict) for each. It never sees the database: what it wants to
//! remember of the other side it does through its [`PluginContext`].
//!
//! | what | where |
//! |---|---|
//! | what a plugin must be able to do | `contract`, `error`, `hooks` |
//! | what it is given to work with | `context`, `overlay`, `budget` |
//! | one delivery: who is due, what may be done, what became of it | `delivery`, `delivery_order`, `pending`, `survey`, `guard` |
//! | opt-outs that wait for no delivery | `opt_outs` |
//! | what would be done, and what a person says to it | `preview`, `seen`, `approve` |
//! | what was done is taken back | `undo` |
//! | what a plugin tells of the other side as a whole | `told` |

mod approve;
mod budget;
mod context;
mod contract;
mod delivery;
mod delivery_order;
mod error;
mod guard;
mod hooks;
mod opt_outs;
mod overlay;
mod pending;
mod preview;
mod seen;
mod survey;
mod told;
mod undo;

pub use approve::{Allowed, Disallowed, Word, approve, asks_first};
pub use budget::{Budget, Said};
pub use context::{PluginContext, Pulse};
pub use contract::{Finding, Plugin, REFUSED};
pub use delivery::{Delivered, deliver};
pub use delivery_order::Delivery;
pub use error::PluginError;
pub use guard::{FirstPush, GuardSettings};
pub use hooks::{Hook, Hooks, NewHook};
pub use preview::{Preview, adoptable, audit, check, preview};
pub use seen::Seen;
pub use told::Told;
pub use undo::{UndoPreview, preview_undo};

pub use crate::store::{DeliveryRow, FormerAddress, Leaving, Left, Sending, Suppressed};
