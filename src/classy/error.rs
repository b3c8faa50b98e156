//! What can go wrong with Classy, and what to do about it. Never carries a secret, a body or a
//! donor's data.

use crate::domain::{FaultKind, Remedy};
use std::time::Duration;

/// A request that did not give what was asked for, after the retries it deserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings cannot be used; nothing was sent.
    #[error("cannot use these settings: {what}")]
    Settings {
        /// Which one and why.
        what: String,
    },
    /// The token endpoint refused client id and secret.
    #[error("Classy refused the client id and secret (status {status} from the token address)")]
    CredentialsRefused {
        /// 400 as a rule (contract 1).
        status: u16,
    },
    /// What answers at the token address gives no tokens.
    #[error("no tokens at the token address (status {status})")]
    NoTokens {
        /// 404 or 405 as a rule.
        status: u16,
    },
    /// A token that had just been issued was refused.
    #[error("Classy refused a token that it had just issued")]
    TokenRefused,
    /// Tokens that are good for everything else.
    #[error("Classy refuses every token for {path}, and for nothing else")]
    RefusedHere {
        /// Of the request, without its query.
        path: String,
    },
    /// The app has no right to this.
    #[error("no permission for {path}")]
    Forbidden {
        /// Of the request, without its query.
        path: String,
    },
    /// The edge in front of the API turned us away; this says nothing about permissions.
    #[error("the edge in front of Classy blocked the request to {host} (status {status})")]
    EdgeBlocked {
        /// Who did.
        host: String,
        /// 403 as a rule (contract 2).
        status: u16,
    },
    /// A redirect, which is never followed.
    #[error("unexpected redirect to {host}")]
    Redirect {
        /// Where it pointed.
        host: String,
    },
    /// The source did not accept the request.
    #[error("Classy did not accept the request for {path} (status {status})")]
    BadRequest {
        /// Of the request, without its query.
        path: String,
        /// As answered.
        status: u16,
    },
    /// There is no such list at the source.
    #[error("nothing at {path}")]
    NotFound {
        /// Of the request, without its query.
        path: String,
    },
    /// Asked too often.
    #[error("Classy asks to wait for {} s", after.as_secs())]
    RateLimited {
        /// As the source said, or as we guess.
        after: Duration,
    },
    /// The source answered that it cannot.
    #[error("Classy is not available (status {status})")]
    Unavailable {
        /// As answered.
        status: u16,
    },
    /// No answer in time.
    #[error("no complete answer from {host} within {} s", limit.as_secs())]
    Timeout {
        /// Who was asked.
        host: String,
        /// For the whole request.
        limit: Duration,
    },
    /// The answer began, and comes too slowly to be waited for.
    #[error("the answer from {host} is too slow: {bytes} bytes within {} s", window.as_secs())]
    TooSlow {
        /// Who was asked.
        host: String,
        /// What came lately.
        bytes: usize,
        /// In which time.
        window: Duration,
    },
    /// A page with far more records than were asked for.
    #[error("the page {path} holds more than {limit} records, though {asked} were asked for")]
    TooManyRecords {
        /// Of the request, without its query.
        path: String,
        /// Records a page that were asked for.
        asked: u32,
        /// The most that is taken.
        limit: usize,
    },
    /// Nobody answers at that address.
    #[error("cannot reach {host}: {detail}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What the system said.
        detail: String,
    },
    /// The other side cannot prove who it is.
    #[error("no trusted connection to {host}: {detail}")]
    Untrusted {
        /// Who was asked.
        host: String,
        /// What TLS said.
        detail: String,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection to {host} broke: {detail}")]
    Interrupted {
        /// Who was asked.
        host: String,
        /// Whether an answer had begun.
        midway: bool,
        /// What the system said.
        detail: String,
    },
    /// An answer that is not what the API promises; never taken for "no records".
    #[error("cannot understand the answer for {path}: {what}")]
    Protocol {
        /// Of the request, without its query.
        path: String,
        /// What was wrong, without the body.
        what: String,
    },
    /// The body is larger than what is read; a smaller page may fit.
    #[error("the answer for {path} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Of the request, without its query.
        path: String,
        /// Decoded.
        limit_bytes: usize,
    },
    /// Whoever asked was told to end meanwhile.
    #[error("the answer was not waited for")]
    LetGo,
    /// Too many failures in a row: nothing is sent for a while.
    #[error("{cause}; it is left alone for {} s", after.as_secs())]
    BreakerOpen {
        /// What failed.
        cause: String,
        /// Until one request is let through.
        after: Duration,
    },
}

/// Before asking an edge that blocks us or sends us elsewhere, or a host without a valid certificate,
/// again: none of these passes by itself quickly.
const SLOWLY: Duration = Duration::from_secs(600);

impl Error {
    /// What the caller should do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Error::Settings { .. }
            | Error::CredentialsRefused { .. }
            | Error::NoTokens { .. }
            | Error::TokenRefused => Remedy::Suspend,
            Error::Forbidden { .. }
            | Error::RefusedHere { .. }
            | Error::BadRequest { .. }
            | Error::NotFound { .. }
            | Error::TooLarge { .. }
            | Error::TooManyRecords { .. } => Remedy::Skip,
            Error::EdgeBlocked { .. } | Error::Untrusted { .. } | Error::Redirect { .. } => {
                Remedy::Retry {
                    after: Some(SLOWLY),
                }
            }
            Error::RateLimited { after } | Error::BreakerOpen { after, .. } => Remedy::Retry {
                after: Some(*after),
            },
            Error::Unavailable { .. }
            | Error::Timeout { .. }
            | Error::TooSlow { .. }
            | Error::Unreachable { .. }
            | Error::Interrupted { .. }
            | Error::LetGo
            | Error::Protocol { .. } => Remedy::Retry { after: None },
        }
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> FaultKind {
        match self {
            Error::CredentialsRefused { .. } | Error::TokenRefused => FaultKind::Credentials,
            Error::Settings { .. } => FaultKind::Configuration,
            // It is reached and does not refuse; it talks nonsense.
            Error::Protocol { .. }
            | Error::TooLarge { .. }
            | Error::TooManyRecords { .. }
            | Error::TooSlow { .. }
            | Error::Interrupted { midway: true, .. } => FaultKind::Partial,
            _ => FaultKind::Remote,
        }
    }

    /// Whether the organization's other feeds would fail for the same reason.
    pub fn concerns_all_feeds(&self) -> bool {
        self.remedy() == Remedy::Suspend
            || matches!(
                self,
                Error::Unreachable { .. } | Error::EdgeBlocked { .. } | Error::Untrusted { .. }
            )
    }

    /// Whether it may be the fault of what was asked for alone, a page or a record: then other
    /// questions are answered. Refused credentials, rate limits, an edge that blocks, an open
    /// breaker and an address where nobody is concern every request.
    pub const fn may_be_of_one_request(&self) -> bool {
        matches!(
            self,
            Error::Forbidden { .. }
                | Error::RefusedHere { .. }
                | Error::BadRequest { .. }
                | Error::Redirect { .. }
                | Error::Unavailable { .. }
                | Error::Timeout { .. }
                | Error::Interrupted { .. }
                | Error::Protocol { .. }
                | Error::TooLarge { .. }
                | Error::TooSlow { .. }
        )
    }

    /// What a person can do, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Error::CredentialsRefused { .. } | Error::TokenRefused => {
                "check client_id and client_secret against Classy: Admin, Apps & Integrations, API"
            }
            Error::Forbidden { .. } | Error::RefusedHere { .. } => {
                "check that classy_id is the organization that the app belongs to"
            }
            Error::NotFound { .. } => "check classy_id and base_url",
            Error::EdgeBlocked { .. } => {
                "this is not a permission error: ask Classy's support for an x-integration-id and set it under [classy] headers, or change User-Agent there"
            }
            Error::NoTokens { .. } => "check token_url",
            Error::Redirect { .. } => {
                "check base_url and token_url: the API itself does not redirect"
            }
            Error::Unreachable { .. } => {
                "check base_url, token_url, the network, and the proxy where HTTPS_PROXY names one; https://status.classy.org tells of outages"
            }
            Error::Untrusted { .. } => {
                "check base_url and token_url, this machine's clock and its root certificates"
            }
            Error::RateLimited { .. } => "lower requests_per_minute if this happens often",
            Error::TooManyRecords { .. } => {
                "the address answers as no Classy does (it ignores per_page): check base_url"
            }
            Error::Unavailable { .. }
            | Error::Timeout { .. }
            | Error::TooSlow { .. }
            | Error::BreakerOpen { .. } => "https://status.classy.org tells of outages",
            _ => return None,
        })
    }
}
