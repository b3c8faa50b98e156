//! The Classy half: lists, single records, tokens, in the shapes of the contract.

mod api;
mod envelope;
mod grammar;
pub(super) mod keys;
mod list;
mod noise;
mod odd;
mod order;
mod organization;
mod overview;
mod query;
mod relations;
mod token;
mod value;

pub(super) use api::{Request, answer, no_route};
pub(super) use keys::{Key, keys, position};
pub use list::List;
pub(super) use noise::noise;
pub(super) use odd::NO_TEXT;
pub(super) use token::{Given, Tokens, token_answer};
pub(super) use value::{Value, clock_text, moment};
