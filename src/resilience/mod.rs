//! Living with a neighbour that fails: how long to wait, how often to try, when to leave it alone.
//!
//! Knows nothing of HTTP beyond the text of a `Retry-After`; time is tokio's, so that it can be paused.

mod backoff;
mod breaker;
mod budget;
mod limiter;
mod retry_after;

pub use backoff::Backoff;
pub use breaker::{Admission, Breaker, Open};
pub use budget::RetryBudget;
pub use limiter::Limiter;
pub use retry_after::{LONGEST_WAIT, reset_at, retry_after, upwards};
