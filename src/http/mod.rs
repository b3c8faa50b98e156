//! The way in for others: for now the control socket beside the pid file, for this machine's own user. Handlers read the board and
//! pass orders on; none of them waits for an actor but the one who asked for a sync to end.

mod control;

pub use control::{Control, ReloadRequest, listen, serve};
