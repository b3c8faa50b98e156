//! Who should be there: consent, the mirror and the ledger in, decisions out. Pure functions, since
//! donors' consent hangs on them: nothing here asks Mailchimp or the database.
//!
//! | what | where |
//! |---|---|
//! | what is known of people who were handed over together, one case a person | `context`, `case` |
//! | who of them left and is not written down yet | `leavings` |
//! | what Mailchimp should have of one person | `desired`, `tags` |
//! | whose an address is, and which members are to be unsubscribed for whom | `claims` |
//! | the decision, by the rules of consent | `plan`, `decision` |
//! | whose a contact is now; who left by one that is unsubscribed | `inherited`, `withdrawals` |
//! | what takes a contact back to what it was | `reversal` |

pub(super) mod case;
pub(super) mod claims;
pub(super) mod context;
pub(super) mod decision;
pub(super) mod desired;
pub(super) mod inherited;
mod leavings;
pub(super) mod plan;
pub(super) mod reversal;
pub(super) mod tags;
pub(super) mod withdrawals;
