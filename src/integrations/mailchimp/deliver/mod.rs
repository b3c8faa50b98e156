//! Make it so: what was decided is carried out, and the mirror and the ledger learn what became of
//! it.
//!
//! Consent is asked once more right before each send, in one place: `consent`.
//!
//! | what | where |
//! |---|---|
//! | how a delivery begins | `refresh`, `load`, `read_back` |
//! | one batch, in the order in which it is safe | `process`, `sort` |
//! | before each send: consent, and what fields hold | `consent`, `load_values` |
//! | people who are added and changed | `update`, `batches`, `push`, `reconcile`, `record` |
//! | tags beside that, permissions | `quiet`, `tag_removals`, `untag`, `permissions` |
//! | contacts with another address in Mailchimp | `follow` |
//! | single members: opt-outs, other addresses | `change`, `unsubscribe`, `change_email` |
//! | addresses that Mailchimp keeps out | `suppress` |
//! | who was brought back by a write | `undo_resubscription` |
//! | taking back what pushes changed | `undo` |
//! | who is there, against the consent known here; who looks like ours | `audit`, `adopt` |
//! | webhooks of the audience | `hooks` |

pub(super) mod adopt;
pub(super) mod audit;
pub(super) mod batches;
mod change;
mod change_email;
mod consent;
mod follow;
pub(super) mod hooks;
pub(super) mod load;
mod load_values;
mod permissions;
pub(super) mod process;
mod push;
mod quiet;
pub(super) mod read_back;
mod reconcile;
mod record;
pub(super) mod refresh;
mod sort;
pub(super) mod suppress;
mod tag_removals;
pub(super) mod undo;
mod undo_resubscription;
mod unsubscribe;
mod untag;
pub(super) mod update;
