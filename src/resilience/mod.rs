//! Retry, circuit breaker, rate limit.
