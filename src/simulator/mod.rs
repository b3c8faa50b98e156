//! A double of the APIs on this machine: a seeded world of plausible nonprofits that changes over time, faults by name, and a
//! ledger of every request. For the demo, the tests and the benches.
//!
//! Written from the API's contract alone; it names nothing of the rest of the crate, so that a misreading there shows here.
//!
//! | what | where |
//! |---|---|
//! | the world: organizations, lists, records, time | `world`, `seed`, `edit` |
//! | what a list can be asked | `classy::grammar`, `classy::list` |
//! | how a record looks | `classy::template`, `classy/templates` |
//! | the API itself | `classy::server`, `classy::token`, `classy::envelope` |
//! | looking and editing from outside, under `/__sim/` | `control` |
//! | what goes wrong, and what was asked | `fault`, `ledger` |

mod classy;
mod control;
mod edit;
mod fault;
mod ledger;
mod seed;
mod server;
mod world;

pub use classy::List;
pub use fault::Fault;
pub use ledger::{Entry, Ledger};
pub use server::{Options, Simulator};
pub use world::{Kind, Organization, Record, World};
