//! When runs begin: each at its time, spread over the organizations, and never more at once than
//! the process can carry, in work and in memory.

mod bytes;
mod fair_semaphore;
mod queue;
mod spread;
mod turn;

pub use bytes::{ByteBudget, Hold};
pub use fair_semaphore::{FairSemaphore, Permit};
pub use spread::{jittered, spread};
pub use turn::{Turn, Working};
