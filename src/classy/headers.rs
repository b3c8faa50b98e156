//! The headers of every request: ours, and those that the configuration adds.

use super::error::Error;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};

/// Headers that belong to the transport or carry the token; the configuration may not set them.
const OURS: [&str; 8] = [
    "authorization",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept",
    "accept-encoding",
];

/// The headers of every request, the token's too.
pub(super) fn headers(extra: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in extra {
        let refuse = |why: &str| Error::Settings {
            what: format!("header {}: {why}", name.escape_debug()),
        };
        let parsed: HeaderName = name.parse().map_err(|_| refuse("not a header name"))?;
        if OURS.contains(&parsed.as_str()) {
            return Err(refuse("is set by this program"));
        }
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| refuse("its value does not fit into a header"))?;
        value.set_sensitive(true);
        headers.insert(parsed, value);
    }
    Ok(headers)
}
