//! What is going on, in memory: written by the actors and their runs, read by whoever serves or
//! prints it, without asking anybody. And the words in which those may order something.
//!
//! | what | where |
//! |---|---|
//! | each organization, feed and plugin, as of now | [`Board`] |
//! | what is shown of each of them | [`OrganizationStatus`], [`FeedStatus`], [`PluginStatus`] |
//! | how far first imports are | [`imports`] |
//! | how runs ended, as documented JSON | [`FeedReport`], [`PluginReport`], [`OrganizationReport`] |
//! | runs that ended and were not measured yet | [`Journal`] |
//! | what may be ordered | [`Order`], [`Orders`] |

mod board;
mod import;
mod journal;
mod order;
mod report;
mod serving;

pub use board::Board;
pub use import::{imports, show_progress};
pub use journal::Journal;
pub use order::{Answer, Order, Orders, PluginChoice};
pub use report::{FeedReport, ForecastReport, OrganizationReport, PluginReport, Reconcile};
pub use serving::{
    Activity, Condition, FeedStatus, ImportStatus, OrganizationStatus, PluginStatus, RunStatus,
    Totals,
};
