//! Whether there is room where this process writes.

use crate::domain::CheckResult;
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::{Facts, Space};

const MIB: u64 = 1 << 20;
/// Below both of these it is time to look.
const LOW: (f64, u64) = (0.05, 2_048 * MIB);
/// Below both of these the next commit may fail.
const EMPTY: (f64, u64) = (0.01, 256 * MIB);

pub(super) struct Disk;

impl HealthCheck for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        facts
            .spaces
            .iter()
            .map(|space| Finding::here(self.name(), space.what, judge(space)))
            .collect()
    }
}

fn judge(space: &Space) -> CheckResult {
    let share = space.free as f64 / space.total.max(1) as f64;
    let below = |(least_share, least): (f64, u64)| share < least_share && space.free < least;
    let text = format!(
        "{} MiB free ({:.0} %) where the {} is",
        space.free / MIB,
        share * 100.0,
        space.what
    );
    if below(EMPTY) {
        CheckResult::failing(text)
    } else if below(LOW) {
        CheckResult::degraded(text)
    } else {
        CheckResult::well(text)
    }
}
