//! What can be said to Mailchimp, and what its answers mean. Nothing here knows of supporters.
//!
//! | what | where |
//! |---|---|
//! | how many requests are under way at once | `gate` |
//! | one request: key, address, time, size; what an answer's status means | `client` |
//! | the calls that are made | `calls` |
//! | bodies, both ways | `requests`, `answers` |
//! | what Mailchimp's texts about one address mean | `texts` |

pub(super) mod answers;
pub(super) mod calls;
pub(super) mod client;
mod gate;
pub(super) mod requests;
pub(super) mod texts;
