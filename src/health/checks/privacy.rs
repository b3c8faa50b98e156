//! Whether others on this machine may read what is private: donors' data, keys, logs,
//! configuration.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;

/// So many are named; the rest is counted.
const NAMED: usize = 5;

pub(super) struct Privacy;

impl HealthCheck for Privacy {
    fn name(&self) -> &'static str {
        "privacy"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let wide = &facts.wide_files;
        let named = wide
            .iter()
            .take(NAMED)
            .map(|file| format!("{} (mode {:04o})", file.path.display(), file.mode));
        let mut text = named.collect::<Vec<_>>().join(", ");
        if wide.len() > NAMED {
            text.push_str(&format!(" and {} more", wide.len() - NAMED));
        }
        let text = format!("others on this machine may open {text}: chmod 600");
        let result = match wide.as_slice() {
            [] => CheckResult::well("nobody else may read the files"),
            // Who writes a configuration decides who may read it; secrets can be kept out of it.
            wide if wide.iter().all(|file| file.is_configuration) => {
                CheckResult::well(format!("warning: {text}"))
            }
            _ => CheckResult::degraded(text),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}
