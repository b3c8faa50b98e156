//! The database: SQLite, PostgreSQL or MySQL/MariaDB, reached only from here.
//!
//! | what | where |
//! |---|---|
//! | connection, schema | `connect`, `migrate` |
//! | one page, one transaction | `page`, and in its order `lease`, `decide`, `parents`, `audit`, `rejects`, `totals`, `campaign_totals`, `checkpoint` |
//! | how a record lies in its table | `row`, `columns`, `value`, and the statements made from them in `statement` |
//! | what one organization owns | `tenant` |
//! | who is synced, what ran, what is next | `organization`, `run`, `times` |
//! | which process serves whom | `lease`, `fleet` |
//! | how well it goes | `alerts`, `vitals`, `samples` |
//! | for charts | `report`, `giving` |
//! | people for plugins, and what became of them there | `plugin` |

mod alerts;
mod audit;
mod batch;
mod campaign_totals;
mod check;
mod checkpoint;
mod columns;
mod connect;
mod decide;
mod error;
mod fleet;
mod giving;
mod lease;
mod migrate;
mod organization;
mod page;
mod parents;
mod plugin;
mod rejects;
mod report;
mod row;
mod run;
mod samples;
mod seq;
mod statement;
mod tenant;
mod times;
mod totals;
mod value;
mod vitals;

pub use alerts::AlertRow;
pub use audit::AuditRow;
pub use batch::{Batch, Committed};
pub use check::Violations;
pub use connect::{Settings, Store};
pub use error::Error;
pub use giving::Month;
pub use lease::Fence;
pub use organization::{Organization, Status};
pub use plugin::{Delivered, DeliveryCount, DeliveryRow, HarmEntry, HarmTotals, Left, PluginKey, PluginState, Sending};
pub use rejects::RejectRow;
pub use report::{Cell, Report};
pub use row::{Gift, Row, RowText, Table};
pub use run::RunRow;
pub use samples::{Resolution, Sample};
pub use tenant::TenantStore;
pub use times::{FeedSummary, FeedTimes};
pub use vitals::{PluginLag, RejectCount, StateCount};
