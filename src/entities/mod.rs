//! What a row is: one file a table, named after one row of it. `migration/` makes the tables; a
//! test holds both against each other on each database.
//!
//! Of a record that comes from Classy the file is the whole truth: its fields, how each is read
//! from Classy's JSON, which columns are audited, which other records it links to, and what is
//! known of its list (see `record`). The list of kinds is in `list`, from which `entity` makes the
//! words and `dispatch` the way from a word to its type. The tables of the program itself are
//! models of sea-orm.

#![allow(
    missing_docs,
    reason = "a table's columns are told where their name does not; sea-orm's macros make more items"
)]

pub mod absence_suspect;
pub mod alert;
pub mod audit_entry;
pub mod campaign;
pub mod checkpoint;
pub mod chore;
pub mod consent;
pub mod daemon;
pub mod designation;
pub mod dictionary;
mod dispatch;
mod ended_run;
mod entity;
pub mod fundraising_page;
pub mod health_sample;
pub mod lease;
mod list;
mod moment;
pub mod organization;
mod own_tables;
pub mod plugin_adoption;
pub mod plugin_delivery;
pub mod plugin_grant;
pub mod plugin_guard;
pub mod plugin_harm;
pub mod plugin_hold;
pub mod plugin_hook;
pub mod plugin_image;
pub mod plugin_member;
pub mod plugin_state;
pub mod plugin_suppression;
pub mod plugin_undo;
pub(crate) mod read;
pub mod record;
pub mod recurring_plan;
pub mod reject;
pub(crate) mod scalar;
pub mod supporter;
pub mod sync_run;
pub mod transaction;
pub mod unread_field;
pub mod views;
pub mod zone_clock;
pub mod zone_year;

pub use campaign::Campaign;
pub use dispatch::ForRecord;
pub use ended_run::EndedRun;
pub use entity::Entity;
pub use record::Record;
pub use recurring_plan::RecurringPlan;
pub use supporter::Supporter;
pub use transaction::Transaction;
