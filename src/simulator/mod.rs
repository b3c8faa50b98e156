//! A double of both APIs on this machine: a seeded world of plausible nonprofits that changes over
//! time, faults by name, and a ledger of every request. For the demo, the tests and the benches.
//!
//! Written from the API's contract alone; it names nothing of the rest of the crate, so that a
//! misreading there shows here.
//!
//! | what | where |
//! |---|---|
//! | the world: organizations, lists, time, and how it begins | `world`, `seed`, `home` |
//! | one record, told from a seed until it is changed | `record`, `classy::keys` |
//! | an organization's years as people believe them, if wanted | `story` |
//! | life going on | `edit` |
//! | what a list can be asked, and how it is quick | `classy::{query, grammar, list, order}` |
//! | the API's answers | `classy::{api, odd, envelope, relations, overview, organization, token, noise}` |
//! | the server and one request's way through it | `server`, `handle`, `limit`, `reply` |
//! | what goes wrong, and when | `fault`, `strike` |
//! | what was asked | `ledger` |
//! | what is told by itself | `webhook`, `post` |
//! | looking and turning from outside, under `/__sim/` | `control`, `options` |
//! | Mailchimp: the calls | `mailchimp::{route, lists, members, listing, subscribe, tags, segments, fields, batches, webhooks}` |
//! | what they read and write | `mailchimp::{call, upsert, draft, merge, plausible, audience, member, segment, field, status}` |
//! | what they share | `mailchimp::{page, problem, time, batch, archive, webhook}` |
//! | a request's way, and what goes wrong on it | `mailchimp::{serve, strike, deliver}` |
//! | its world, people, doubts and harm | `mailchimp::{state, seed, people, switches, harm, unread, control}` |

mod classy;
mod control;
mod edit;
mod fault;
mod handle;
mod home;
mod ledger;
mod limit;
mod mailchimp;
mod options;
mod post;
mod record;
mod reply;
mod seed;
mod server;
mod story;
mod strike;
mod webhook;
mod world;

pub use classy::List;
pub use fault::Fault;
pub use ledger::{Entry, Ledger};
pub use mailchimp::{
    Account, Act, Audience, Compliance, Full, Harm, Left, Mailchimp, Mark, Member, Request,
    Segment, Status, Switches, Write,
};
pub use options::Options;
pub use record::Record;
pub use server::Simulator;
pub use webhook::Webhook;
pub use world::{Kind, Organization, World};
