//! Whether our clock and Classy's agree. Nothing that is read depends on ours; signatures of
//! webhooks and ends of tokens do.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;
use crate::health::span::span;
use std::time::Duration;

/// Answers are stamped in whole seconds, and take some to arrive.
const NEAR: Duration = Duration::from_secs(30);
/// Signed messages are refused from here on.
const FAR: Duration = Duration::from_secs(300);

pub(super) struct Clock;

impl HealthCheck for Clock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let judge = |ahead_ms: i64| {
            let apart = Duration::from_millis(ahead_ms.unsigned_abs());
            let side = if ahead_ms < 0 { "ahead of" } else { "behind" };
            let text = format!("this machine's clock is {} {side} Classy's", span(apart));
            match apart {
                apart if apart > FAR => CheckResult::failing(text),
                apart if apart > NEAR => CheckResult::degraded(text),
                _ => CheckResult::well("agree"),
            }
        };
        let all = facts.served();
        all.filter_map(|organization| {
            let finding = |result| Finding::of(self.name(), organization.classy_id, "", result);
            Some(match organization.access.as_ref()?.ahead_ms {
                Some(ahead) => finding(judge(ahead)),
                None => finding(CheckResult::well("not compared yet")).unproven(),
            })
        })
        .collect()
    }
}
