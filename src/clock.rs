//! The one place that reads the machine's clock.

use chrono::{DateTime, Utc};

/// Now, in UTC. For stamps such as `last_sync_at`; what has been read is judged by the source's clock, never by this.
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
