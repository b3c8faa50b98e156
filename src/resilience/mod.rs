//! How to treat a neighbour that is busy, slow or broken: backoff, breaker, rate limit, `Retry-After`.

mod backoff;
mod breaker;
mod limiter;
mod retry_after;

pub use backoff::Backoff;
pub use breaker::{Breaker, Open};
pub use limiter::Limiter;
pub use retry_after::{parse_date, retry_after};
