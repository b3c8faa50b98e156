//! The process: the runtime, the lock that keeps two of them apart, signals, the service manager, and the order of start and stop.
//!
//! Start: lock, schema, keys, files, tree, control socket, ready. Stop: not ready any more, runs to their next page, actors leaves
//! first, leases back, pool closed, lock released.

mod notify;
mod pid_file;
mod process;
mod serve;
mod signals;
mod surroundings;

pub use pid_file::{PidFile, PidFileError};
pub use process::{Process, Tree};
pub use serve::{Reload, Service, reload, serve};
pub use signals::{Signal, Signals, signal_process};
