//! A duration as a person writes it.

use serde::Deserialize;
use std::time::Duration;

/// What a person writes for "never". Moments this far away are still moments of every database.
const LONGEST_DURATION: Duration = Duration::from_secs(3_650 * 86_400);

pub(super) fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration = humantime::parse_duration(&text);
    let duration = duration.map_err(|_| {
        serde::de::Error::custom("expected a duration such as \"15m\", \"90s\" or \"1d\"")
    })?;
    if duration > LONGEST_DURATION {
        return Err(serde::de::Error::custom("expected at most 3650d"));
    }
    Ok(duration)
}
