//! Whether the daemon, its pages, metrics and webhooks can be reached.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

pub(super) struct Listening;

impl HealthCheck for Listening {
    fn name(&self) -> &'static str {
        "http"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let result = match (&facts.silent_daemon, &facts.not_listening) {
            (Some(silence), _) => CheckResult::failing(silence.clone()),
            (None, Some(why)) => CheckResult::degraded(format!(
                "http.listen could not be opened ({why}): no pages, metrics or webhooks"
            )),
            (None, None) => CheckResult::well("listens"),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
