//! Who is there: what is known here of the audience and its members, and how it is kept up to date.
//! Nothing here writes to a member in Mailchimp.
//!
//! | what | where |
//! |---|---|
//! | the audience: how it is set up, its fields, its permissions | `audience`, `permissions` |
//! | our merge fields and the names of our tags | `merge_fields`, `managed_tags` |
//! | a member: its id, who is in or out, its name | `member`, `status`, `name` |
//! | what is remembered, and what a delivery shares | `memory`, `session` |
//! | reading lists that move, and doubting them | `listing`, `doubt` |
//! | what a page shows: who left or came back | `changes`, `departures`, `intake` |
//! | who has another address, there or at Classy | `renamed`, `former` |
//! | bringing it up to date, and who is in no list | `reader`, `freshness`, `missing` |
//! | audiences of before | `earlier`, `earlier_erased` |
//! | additions of which nobody heard | `unheard` |

pub(super) mod audience;
pub(super) mod changes;
pub(super) mod departures;
mod doubt;
pub(super) mod earlier;
mod earlier_erased;
pub(super) mod former;
pub(super) mod freshness;
pub(super) mod intake;
pub(super) mod listing;
pub(super) mod managed_tags;
pub(super) mod member;
pub(super) mod memory;
pub(super) mod merge_fields;
pub(super) mod missing;
pub(super) mod name;
pub(super) mod permissions;
mod reader;
mod renamed;
pub(super) mod session;
pub(super) mod status;
pub(super) mod unheard;
