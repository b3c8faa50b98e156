//! What can go wrong at the API: the contract's error table (section 7) as types. No body, no secret, no donor's data.

use crate::domain::Remedy;
use std::time::Duration;

/// Errors of the API.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be set up: {cause}")]
    Setup {
        /// Why.
        cause: String,
    },
    /// The token endpoint refused the credentials (contract 1: HTTP 400, never 401).
    #[error("the credentials were refused (status {status} at the token endpoint)")]
    CredentialsRefused {
        /// HTTP status.
        status: u16,
    },
    /// A fresh token was refused as well.
    #[error("a fresh token was refused (status 401): the credentials have no access")]
    TokenRefused,
    /// The token is valid, the right is missing.
    #[error("access to {what} is forbidden (status 403)")]
    Forbidden {
        /// The list or record.
        what: String,
    },
    /// Cloudflare in front of the API blocked the request; this says nothing about permissions.
    #[error("the edge in front of the API blocked the request (status 403 with a web page)")]
    EdgeBlocked,
    /// The list or the route does not exist.
    #[error("{what} was not found (status 404)")]
    NotFound {
        /// The list or record.
        what: String,
    },
    /// The API did not understand the request.
    #[error("the API refused the request for {what} (status {status})")]
    Refused {
        /// The list or record.
        what: String,
        /// HTTP status.
        status: u16,
    },
    /// The API wants us to go elsewhere. We do not: a redirect would take the token to another host.
    #[error("the API answered with a redirect to {host}, which is not followed")]
    Redirect {
        /// Host only.
        host: String,
    },
    /// Too many requests.
    #[error("the API's rate limit was reached (status {status})")]
    RateLimited {
        /// HTTP status.
        status: u16,
        /// How long it asked us to wait.
        after: Option<Duration>,
    },
    /// The API is not well.
    #[error("the API answered with status {status}")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// How long it asked us to wait.
        after: Option<Duration>,
    },
    /// No connection.
    #[error("{host} cannot be reached: {cause}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the network said.
        cause: String,
    },
    /// The connection broke, or the answer took too long.
    #[error("the answer was cut off: {cause}")]
    Interrupted {
        /// What happened.
        cause: String,
    },
    /// The answer is larger than any page should be.
    #[error("the answer is larger than {limit_mib} MiB")]
    TooLarge {
        /// The limit.
        limit_mib: u64,
    },
    /// An answer with status 200 that is not what the contract says. Never taken for "no records".
    #[error("the answer is not what the API promises: {cause}")]
    Protocol {
        /// What is wrong; no content.
        cause: String,
    },
    /// Calls are stopped for a while after failures in a row.
    #[error("calls to the API rest for {} s after failures in a row", rest.as_secs())]
    BreakerOpen {
        /// How long.
        rest: Duration,
    },
}

impl Error {
    /// What is to be done.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Error::CredentialsRefused { .. } | Error::TokenRefused => Remedy::Suspend,
            Error::Forbidden { .. } | Error::NotFound { .. } | Error::Refused { .. } | Error::Redirect { .. } => Remedy::Skip,
            Error::RateLimited { after, .. } | Error::Unavailable { after, .. } => Remedy::Retry { after: *after },
            Error::BreakerOpen { rest } => Remedy::Retry { after: Some(*rest) },
            Error::EdgeBlocked
            | Error::Unreachable { .. }
            | Error::Interrupted { .. }
            | Error::TooLarge { .. }
            | Error::Protocol { .. } => Remedy::Retry { after: None },
            Error::Setup { .. } => Remedy::Stop,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::CredentialsRefused { .. } => {
                "check client id and secret (Admin, Apps & Integrations, API), then `classy-sync org set-credentials`"
            }
            Error::TokenRefused | Error::Forbidden { .. } => {
                "the application may not belong to this organization: check classy_id and the credentials"
            }
            Error::EdgeBlocked => "ask support for an x-integration-id and put it under [classy] headers; this is not a permission error",
            Error::NotFound { .. } => "check classy_id and base_url",
            Error::Redirect { .. } => "check base_url and token_url: they must be the final addresses",
            Error::Unreachable { .. } => "check base_url, token_url and the network; https://status.classy.org tells of outages",
            Error::RateLimited { .. } => "lower requests_per_minute in the organization's file",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the same request may be sent again at once or later.
    pub(super) const fn is_transient(&self) -> bool {
        matches!(
            self,
            Error::RateLimited { .. }
                | Error::Unavailable { .. }
                | Error::Unreachable { .. }
                | Error::Interrupted { .. }
                | Error::Protocol { .. }
                | Error::EdgeBlocked
        )
    }

    /// Whether the API itself seems unwell: only that opens the breaker.
    pub(super) const fn is_illness(&self) -> bool {
        matches!(self, Error::Unavailable { .. } | Error::Unreachable { .. } | Error::Interrupted { .. } | Error::Protocol { .. })
    }

    /// How long the API asked us to wait.
    pub(super) const fn after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { after, .. } | Error::Unavailable { after, .. } => *after,
            _ => None,
        }
    }
}
