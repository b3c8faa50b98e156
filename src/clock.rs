//! The one place that reads the machine's clock.

use chrono::{DateTime, SubsecRound, Utc};

/// Now, in UTC, to the microsecond that every database keeps. For stamps such as `last_sync_at`;
/// how far a feed has been read is judged by the source's clock, never by this.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
