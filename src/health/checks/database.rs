//! Whether the database answers, and how fast, and takes what is written.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{self, Facts};
use crate::health::span::span;
use std::time::Duration;

/// An answer that takes longer than this is slow.
const SLOW: Duration = Duration::from_millis(1_000);

/// When nothing could be written for so long, it is told. One look that fails is no matter: the
/// next one comes soon.
const UNWRITTEN: Duration = Duration::from_secs(8);
/// For so long: half the time of a lease is over.
const LONG_UNWRITTEN: Duration = Duration::from_secs(30);

pub(super) struct Database;

impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let result = match &facts.database {
            facts::Database::Silent(why) => {
                CheckResult::failing(format!("the database does not answer: {why}"))
            }
            facts::Database::Answers(took) => unwritten(facts).unwrap_or_else(|| answered(*took)),
        };
        vec![Finding::here(self.name(), "", result)]
    }
}

fn answered(took: Duration) -> CheckResult {
    if took > SLOW {
        CheckResult::degraded(format!("the database took {} to answer", span(took)))
    } else {
        CheckResult::well(format!("answers in {}", span(took)))
    }
}

fn unwritten(facts: &Facts) -> Option<CheckResult> {
    let unwritten = facts.unwritten.as_ref()?;
    let lasts = (facts.at - unwritten.since).to_std().unwrap_or_default();
    let text = format!(
        "it answers, and nothing could be written for {}: {}",
        span(lasts),
        unwritten.why
    );
    if lasts >= LONG_UNWRITTEN {
        Some(CheckResult::failing(text))
    } else {
        (lasts >= UNWRITTEN).then(|| CheckResult::degraded(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::facts::Unwritten;

    #[test]
    fn a_database_that_answers_and_takes_nothing_is_not_well() {
        let now = crate::clock::now();
        let of = |seconds: i64| {
            let mut facts = Facts::at_rest(now, Vec::new());
            facts.unwritten = Some(Unwritten {
                since: now - chrono::TimeDelta::seconds(seconds),
                why: "the database is locked".to_owned(),
            });
            let found = Database.evaluate(&facts);
            found.into_iter().next().unwrap().result
        };
        let (soon, later) = (of(10), of(40));
        assert_eq!(of(2), CheckResult::well("answers in 1 ms".to_owned()));
        assert!(soon.reason.contains("for 10 s: the database is locked"));
        assert_eq!(soon, CheckResult::degraded(soon.reason.clone()));
        assert_eq!(later, CheckResult::failing(later.reason.clone()));
    }
}
