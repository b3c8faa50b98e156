//! Whether all actors live. One that died lately is made anew; one that dies again and again needs
//! a person.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{ChildFacts, Facts};

/// Deaths in the last minutes from which on it is no accident.
const MANY: u32 = 5;

pub(super) struct Actors;

impl HealthCheck for Actors {
    fn name(&self) -> &'static str {
        "actors"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        facts
            .children
            .iter()
            .map(|child| Finding {
                classy_id: owner(child),
                ..self.judge(child)
            })
            .collect()
    }
}

impl Actors {
    fn judge(&self, child: &ChildFacts) -> Finding {
        let deaths = child.deaths;
        let result = match (child.is_dead, deaths) {
            (_, MANY..) => CheckResult::failing(format!(
                "the actor {} died {deaths} times in the last minutes; see the log",
                child.name
            )),
            (true, _) => {
                CheckResult::degraded(format!("the actor {} died and is made anew", child.name))
            }
            (false, 0) => CheckResult::well("lives"),
            (false, _) => CheckResult::degraded(format!(
                "the actor {} died and was made anew ({deaths} in the last minutes)",
                child.name
            )),
        };
        Finding::here(self.name(), part(child), result)
    }
}

/// `supporters` of `10001/supporters`; the organization itself has no part.
fn part(child: &ChildFacts) -> &str {
    child.name.split_once('/').map_or("", |(_, part)| part)
}

pub(super) fn owner(child: &ChildFacts) -> Option<i64> {
    child.name.split('/').next()?.parse().ok()
}
