//! The way in for others: status, metrics, pages, control and webhooks, on `http.listen` and on the control socket beside the pid file.
//!
//! It has a thread of its own, so that it answers while every other thread is busy or blocked. What is on the board or in the last verdict
//! is answered from there; what is in the database is asked for on the shared runtime, where its connections live. No handler waits
//! for an actor, but the one who asked for a sync to end.
//!
//! | who asks | may read | may order |
//! |---|---|---|
//! | the control socket (its owner) | everything | everything |
//! | `http.listen` on loopback | everything, under a name of this machine | with the token |
//! | `http.listen` elsewhere | `/livez`; with the token everything | with the token |
//! | a webhook's sender | | a look, when its signature is right |

mod control;
mod events;
mod guard;
mod hooks;
mod lists;
mod metrics;
mod openapi;
mod pages;
mod plugins;
mod probes;
mod routes;
mod server;
mod site;
mod status;

pub use server::{Listeners, Server, listen};
pub use site::{Control, ReloadRequest};
