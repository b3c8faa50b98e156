//! How this program speaks to its neighbours and lives with one that fails: one way to make HTTP
//! clients, bodies read within limits, how long to wait, how often to try, and when to leave
//! somebody alone. Time is tokio's, so that it can be paused.

mod backoff;
mod body;
mod breaker;
mod budget;
mod client;
mod limiter;
mod permits;
mod retry;
mod retry_after;

pub use backoff::Backoff;
pub use body::{Cut, Limits, collect, read};
pub use breaker::{Admission, Breaker, Open};
pub use budget::RetryBudget;
pub use client::{NoClient, client};
pub use limiter::{Limiter, Pace};
pub use permits::Permits;
pub use retry::{RetryPolicy, UpTo, retry};
pub use retry_after::{LONGEST_WAIT, reset_at, retry_after, upwards};
