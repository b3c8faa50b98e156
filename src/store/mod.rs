//! The database: SQLite, PostgreSQL or MySQL/MariaDB, reached only from here.
//!
//! | what | where |
//! |---|---|
//! | connection, schema | `connect`, `pool`, `pooler`, `migrate`, `migration_lock`, `comments` |
//! | what can go wrong, and what a driver's error means | `error`, `driver_error` |
//! | one page, one transaction | `page`: what it is given and reports in `batch`, who may write in `fenced` |
//! | how a record lies in its table | `row`, `column_value`, `value`; how many are written at once in `bulk_insert`, other statements over many rows in `statement` |
//! | what SQLite, PostgreSQL and MySQL say differently | `dialect` |
//! | what one organization owns | `tenant` |
//! | rows of bookkeeping with their organization | `of_organization` |
//! | who is synced, what ran, what is next | `organization`, `run`, `times` |
//! | which process serves whom | `lease`, `holder`, `fleet` |
//! | how well it goes | `alerts`, `vitals`, `samples` |
//! | what the database knows of its tables | `statistics`, `written` |
//! | read back: checkpoints, rejects, the audit trail | `checkpoint`, `rejects`, `audit` |
//! | what is removed in time | `retention` |
//! | for charts and people | `report`, `export`, `giving`, what a value is in `cell` |
//! | one supporter, as a person asks for them | `person` |
//! | people for plugins, and what became of them there | `plugin` |
//!
//! Everything here that reads or writes fails with [`Error`] when the database does; "Errors" names
//! only what else may be the reason.

mod alerts;
mod amount;
mod audit;
mod batch;
mod bulk_insert;
mod cell;
mod check;
mod checkpoint;
mod clocks;
mod column_value;
mod comments;
mod connect;
mod dialect;
mod driver_error;
mod encoding;
mod error;
mod export;
mod fenced;
mod fleet;
mod giving;
mod holder;
mod lease;
mod migrate;
mod migration_lock;
mod of_organization;
mod organization;
mod page;
mod person;
mod plugin;
mod pool;
mod pooler;
mod progress;
mod reading;
mod rejects;
mod report;
mod retention;
mod row;
mod run;
mod run_failures;
mod samples;
mod slice;
mod statement;
mod statistics;
mod tenant;
mod times;
mod tuple;
mod unread_fields;
mod value;
mod vitals;
mod written;

pub use alerts::AlertRow;
pub use audit::AuditRow;
pub use batch::{Batch, Committed, Reading};
pub use cell::Cell;
pub use check::Violations;
pub use connect::{Settings, Store};
pub use error::Error;
pub use export::Export;
pub use fleet::Unserved;
pub use giving::{Band, Month, Pattern, People, Plan, SIZES, Span, Sum};
pub use holder::{place_of, readable};
pub use lease::Fence;
pub use organization::{Organization, Status};
pub use person::{Given, Person, Refusal, Sent};
pub use plugin::{
    Approval, Delivered, DeliveryCount, DeliveryRow, FormerAddress, GuardState, HarmEntry,
    HarmTotals, HoldCount, HookRow, Leaving, Left, PluginKey, PluginState, Push, ReasonCount,
    RoomCount, Sending, SilentHook, Suppressed, Suspension, Taken, UndoOrder, UndoneRow,
};
pub use progress::FeedProgress;
pub use rejects::RejectRow;
pub use report::Report;
pub use retention::{Pruned, Retention};
pub use row::Fingerprint;
pub use run::RunRow;
pub use run_failures::FailedFeed;
pub use samples::{Resolution, Sample};
pub use slice::Slice;
pub use tenant::TenantStore;
pub use times::{FeedSummary, FeedTimes};
pub use vitals::{PluginLag, RejectCount, StateCount};
