//! When runs begin: each at its time, spread over the organizations, and never more at once than the process can carry.

mod dealer;
mod spread;

pub use dealer::{Dealer, Permit};
pub use spread::{jittered, spread};
