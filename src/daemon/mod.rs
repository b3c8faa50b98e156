//! The process: the runtime, the lock that keeps two of them apart, signals, the service manager,
//! and the order of start and stop.
//!
//! Start: lock, schema, keys, files, tree, control socket, ready. Stop: not ready any more, runs to
//! their next page, actors leaves first, leases back, pool closed, lock released.

mod apart;
mod holder;
mod notify;
mod pid_file;
mod process;
mod reload;
mod serve;
mod signals;
mod surroundings;

pub use apart::apart;
pub use holder::{HeldBy, Holder, socket_of};
pub use pid_file::{PidFile, PidFileError};
pub use process::{Process, Tree};
pub use reload::Reload;
pub use serve::{Service, serve};
pub use signals::{
    Signal, Signals, hold_file_size_signal, hold_signals, let_signals, signal_process,
};
