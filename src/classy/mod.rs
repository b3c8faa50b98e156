//! The Classy (GoFundMe Pro) API, read only: one [`Client`] per organization over one [`Transport`] for all of them.
//!
//! The way of a request: `client` builds it and reads what came, `lane` gives it leave (pace, gate, breaker, token) and
//! repeats it as `ladder` decides, `classify` names what a reply means, `transport` carries bytes. `wire` turns lenient JSON into the strict
//! records of the domain.

mod address;
mod classify;
mod client;
mod error;
mod ladder;
mod lane;
mod settings;
#[cfg(test)]
mod tests;
mod token;
mod transport;
mod wire;

pub use client::{Client, Probe, Pulse, Stats};
pub use error::Error;
pub use settings::{Retries, Settings};
pub use transport::Transport;
pub use wire::{OrganizationInfo, Wire};
