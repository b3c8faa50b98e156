//! classy-sync keeps a nonprofit's Classy (GoFundMe Pro) data in a database of its own: exact, and
//! always current.
//!
//! The house has floors. A module names only modules of lower floors, never a sibling, never a
//! higher one; `tests/architecture.rs` proves it.

// 9
pub mod cli;
// 8
pub mod daemon;
// 7
pub mod http;
// 6
pub mod actors;
// 5
pub mod integrations;
// 4
pub mod credentials;
pub mod health;
pub mod plugin;
pub mod status;
pub mod sync;
// 3
pub mod classy;
pub mod store;
pub mod vault;
// 2
pub mod net;
pub mod schedule;
pub mod supervision;
pub mod telemetry;
// 1
pub mod config;
pub mod entities;
// 0
pub mod clock;
pub mod domain;
pub mod files;
// outside: names nothing of the crate
pub mod simulator;
