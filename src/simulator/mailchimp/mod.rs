//! The Mailchimp half: accounts, audiences, members, tags, batches and webhooks in the shapes of
//! the contract; switches where it knows two ways, people who act by themselves, and a ledger of
//! the harm that a program did.

mod archive;
mod audience;
mod batch;
mod batches;
mod call;
mod control;
mod deliver;
mod draft;
mod field;
mod fields;
mod harm;
mod listing;
mod lists;
mod member;
mod members;
mod merge;
mod page;
mod people;
mod plausible;
mod problem;
mod route;
mod seed;
mod segment;
mod segments;
mod serve;
mod state;
mod status;
mod strike;
mod subscribe;
mod switches;
mod tags;
mod time;
mod unread;
mod upsert;
mod webhook;
mod webhooks;

pub use audience::Audience;
pub(super) use batches::RESULTS;
pub(super) use control::answer as control_answer;
pub(super) use deliver::deliver;
pub use harm::{Harm, Mark, Request, Write};
pub use member::Member;
pub use people::Act;
pub(super) use seed::{api_key, audience_id, mailchimp};
pub use segment::Segment;
pub(super) use serve::{Incoming, serve};
pub use state::{Account, Mailchimp};
pub use status::{Left, Status};
pub use switches::{Compliance, Full, Switches};
