//! Whether runs move: one without a step for long waits for somebody, or hangs.

use super::actors::owner;
use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;
use crate::health::span::span;

/// So many times the limit, and it is no slow answer any more.
const HANGS: u32 = 5;

pub(super) struct Runs;

impl HealthCheck for Runs {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let with_part = facts
            .children
            .iter()
            .filter_map(|child| Some((child, child.name.split_once('/')?.1)));
        with_part
            .map(|(child, part)| {
                let result = match child.idle {
                    Some(idle) if idle > HANGS * facts.limits.step => {
                        CheckResult::failing(format!(
                            "the run has made no step for {}; it is ended when that goes on",
                            span(idle)
                        ))
                    }
                    Some(idle) if idle > facts.limits.step => CheckResult::degraded(format!(
                        "the run has made no step for {}",
                        span(idle)
                    )),
                    Some(_) => CheckResult::well("moves"),
                    None => CheckResult::well("no run"),
                };
                Finding {
                    classy_id: owner(child),
                    ..Finding::here(self.name(), part, result)
                }
            })
            .collect()
    }
}
