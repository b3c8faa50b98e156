//! The Classy (GoFundMe Pro) API, read only: one [`Client`] per organization over one [`Transport`]
//! for all of them.
//!
//! The way of a request: `client` builds it and reads what came, `pipeline` gives it leave (pace,
//! gate, breaker, token) and repeats it as `policy` decides, `classify` names what a reply means,
//! `transport` carries bytes. `take` reads pages and records while they arrive, and `wire` turns
//! lenient JSON into the strict records of the domain.

mod address;
mod classify;
mod client;
mod contact;
mod error;
mod headers;
mod pipeline;
mod refused_paths;
mod retry_policy;
mod settings;
mod singles;
mod take;
#[cfg(test)]
mod tests;
mod token;
mod transport;
mod wire;

pub use client::{Client, Probe, Pulse, Stats};
pub use contact::Heard;
pub use error::Error;
pub use settings::{Retries, Settings};
pub use transport::Transport;
pub use wire::OrganizationInfo;
