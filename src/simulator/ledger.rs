//! Every request that was made, and what should never have been: for tests to assert on.

use serde::Serialize;

/// One request.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// `GET`, ...
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query, decoded once.
    pub query: Vec<(String, String)>,
    /// Which token came with it; never the token.
    pub token: Option<u64>,
    /// The answer's status.
    pub status: u16,
    /// The fault that struck it.
    pub fault: Option<String>,
}

/// All requests since the start.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ledger {
    /// In order.
    pub requests: Vec<Entry>,
    /// Requests for a token.
    pub token_requests: u64,
    /// Requests for data.
    pub data_requests: u64,
    /// Requests that would have changed something.
    pub writes: u64,
    /// Requests with a secret in the query.
    pub secrets_in_query: u64,
    /// Requests that reached the host that redirects and foreign page addresses name.
    pub strangers: u64,
    /// Of those, with an `Authorization` header or a form.
    pub leaks: u64,
}

impl Ledger {
    pub(super) fn write_down(&mut self, entry: Entry, token_path: &str) {
        self.secrets_in_query += u64::from(
            entry
                .query
                .iter()
                .any(|(name, _)| name.contains("secret") || name == "access_token"),
        );
        if entry.path == token_path {
            self.token_requests += 1;
        } else {
            self.data_requests += 1;
            self.writes += u64::from(entry.method != "GET");
        }
        self.requests.push(entry);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Ledger::default();
    }
}
