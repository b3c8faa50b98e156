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
        let not_listening = facts.not_listening.as_ref().map(|why| {
            format!("http.listen could not be opened ({why}): no pages, metrics or webhooks")
        });
        let lost = facts.lost_ways_in.iter().map(|file| {
            format!(
                "{} was removed or replaced under the daemon: commands find it by the other of its two files at best, and another may be started beside it; restart it",
                file.display()
            )
        });
        let wrong: Vec<String> = not_listening.into_iter().chain(lost).collect();
        let result = match &facts.silent_daemon {
            Some(silence) => CheckResult::failing(silence.clone()),
            None if wrong.is_empty() => CheckResult::well("listens"),
            None => CheckResult::degraded(wrong.join("; ")),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
