//! The plugins that are shipped, and what must hold of their configuration.
//!
//! To add one: a module with a type that implements [`Plugin`](crate::plugin::Plugin), a [`Kind`]
//! for it, and a line in [`REGISTRY`].

mod files;
mod keys;
mod kind;
pub mod mailchimp;
mod registry;
mod table;
pub mod webhook;

pub use files::{load_organizations, read_organizations, secret_faults};
pub use kind::{Kind, MakeHooks, Settings};
pub use registry::{REGISTRY, destination, hooks, kind, make, secret_keys};
pub use table::{fingerprint, read};
