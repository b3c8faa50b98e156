//! Paths at which tokens are refused that are taken elsewhere: known for a while, so that each further
//! question there costs one request and no new token.

use super::retry_policy::RetryProfile;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// So long it is taken for what was found; then it is found out anew.
const HOLDS: Duration = Duration::from_secs(600);

/// The paths, with when each was found.
#[derive(Debug, Default)]
pub(super) struct RefusedPaths(Mutex<HashMap<String, Instant>>);

impl RefusedPaths {
    /// Whether it was found a short while ago that tokens are refused there.
    pub(super) fn contains(&self, url: &Url, profile: RetryProfile) -> bool {
        self.lock().contains_key(route(url, profile))
    }

    /// Tokens are refused there. Being told so again makes it no younger.
    pub(super) fn insert(&self, url: &Url, profile: RetryProfile) {
        self.lock()
            .entry(route(url, profile).to_owned())
            .or_insert_with(Instant::now);
    }

    /// One is taken there.
    pub(super) fn remove(&self, url: &Url, profile: RetryProfile) {
        self.lock().remove(route(url, profile));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|_, at| at.elapsed() < HOLDS);
        found
    }
}

/// A list's path. Single records share the path in front of their ids: there may be thousands.
fn route(url: &Url, profile: RetryProfile) -> &str {
    let path = url.path();
    match (profile, path.rsplit_once('/')) {
        (RetryProfile::Single, Some((records, _id))) => records,
        _ => path,
    }
}
