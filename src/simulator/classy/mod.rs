//! The Classy half: lists, single records, tokens, in the shapes of the contract.

mod api;
mod envelope;
mod grammar;
mod list;
mod template;
mod token;

pub(super) use api::answer;
pub use list::List;
pub(super) use list::clock_text;
pub(super) use template::Template;
pub(super) use token::{Tokens, token_answer};
