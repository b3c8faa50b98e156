//! What is kept for plugins: who is due, what became of whom, the mirror of the other side, what
//! pushes changed, and how much harm was done or allowed.
//!
//! Every write is one transaction under the lease, as a page's is.

mod adoptions;
mod due;
mod former;
mod grants;
mod guard;
mod guarded_changes;
mod harm;
mod holds;
mod hooks;
mod images;
mod ledger;
mod members;
mod moments;
mod place;
mod profiles;
mod pushes;
mod reasons;
mod sending;
mod state;
mod suppressions;
mod undos;
mod unheard;

pub use former::FormerAddress;
pub use grants::{Approval, Taken};
pub use guard::{GuardState, Suspension};
pub use harm::{HarmEntry, HarmTotals};
pub use holds::HoldCount;
pub use hooks::{HookRow, SilentHook};
pub use images::UndoneRow;
pub use ledger::{DeliveryCount, DeliveryRow};
pub use members::Left;
pub use pushes::Push;
pub use reasons::{ReasonCount, RoomCount};
pub use sending::{Delivered, Sending};
pub use state::{PluginKey, PluginState};
pub use suppressions::{Leaving, Suppressed};
pub use undos::UndoOrder;

use super::row::write_text;
use super::statement::document;
use sea_orm::Value;

/// Words as a document of objects that a statement unpacks, each under the name `word`.
fn words_document<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    let object = |word: &str| {
        let mut bytes = b"{\"word\":".to_vec();
        write_text(word, &mut bytes);
        bytes.push(b'}');
        bytes
    };
    let objects: Vec<Vec<u8>> = words.map(object).collect();
    document(objects.iter().map(Vec::as_slice))
}
