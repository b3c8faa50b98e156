//! The Classy (GoFundMe Pro) API v2.0, read only: pages and single records as strict domain values.
//!
//! | what | where |
//! |---|---|
//! | one connection pool for all organizations | `transport` |
//! | one organization's token | `token` |
//! | a request: limit, breaker, token, send, classify, retry | `client` |
//! | what an answer's status means | `answer` |
//! | JSON to domain values, record by record | `wire`, `field`, `envelope` |

mod answer;
mod client;
mod envelope;
mod error;
mod field;
mod settings;
mod token;
mod transport;
mod wire;

pub use client::{Client, OrganizationInfo, Stats};
pub use error::Error;
pub use settings::Settings;
pub use transport::Transport;
pub use wire::Wire;
