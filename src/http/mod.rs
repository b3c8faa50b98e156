//! The way in for others: status, metrics, pages, control and webhooks, on `http.listen` and on the
//! control socket beside the pid file.
//!
//! It has a thread of its own, so that it answers while every other thread is busy or blocked. What
//! is on the board or in the last verdict is answered from there; what is in the database is asked
//! for on the shared runtime, where its connections live. No handler waits for an actor, but the
//! one who asked for a sync to end: it gives the order through [`Orders`](crate::status::Orders).
//!
//! | who asks | may read | may order |
//! |---|---|---|
//! | the control socket (its owner) | everything | everything |
//! | this machine, without a proxy, while there is no token (or with `http.open_on_loopback`) | everything, under a name of this machine | with the token |
//! | anybody else | `/livez`; with the token everything | with the token |
//! | a webhook's sender | | a look, when its signature is right |

mod access;
mod answer;
mod cache;
mod control;
mod events;
mod figures;
mod fleet;
mod guard;
mod guesses;
mod hooks;
mod lists;
mod local;
mod metrics;
mod openapi;
mod pages;
mod payload;
mod plugins;
mod probes;
mod routes;
mod server;
mod sessions;
mod settings;
mod shape;
mod site;
mod sources;
mod standing;
mod status;
mod teller;
#[cfg(test)]
mod tests;

pub use server::{OpenServer, Server, listen};
pub use settings::{HookSecrets, Settings};
pub use site::{Control, ReloadRequest, Reloaded};
pub use sources::Sources;
