//! How fast runs are, against their own past: a run far slower than the median of the last ones is
//! worth a warning.

use super::span::span;
use crate::domain::{Mode, Time};
use crate::entities::EndedRun;
use crate::entities::Entity;
use crate::store::Sample;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// So many runs are the past.
const KEPT: usize = 21;
/// Fewer are none.
const LEAST: usize = 5;
/// So many times slower is far slower.
const TIMES: f64 = 3.0;
/// Less than this above the usual is noise.
const NOISE: Duration = Duration::from_secs(1);
/// Rates over fewer records say nothing.
const FEW_RECORDS: u64 = 100;

impl EndedRun {
    /// Milliseconds a request.
    fn pace(&self) -> f64 {
        self.took.as_secs_f64() * 1_000.0 / self.requests.max(1) as f64
    }
}

/// A run that was far slower than usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// For people.
    pub text: String,
}

/// The last runs of each feed, and what was measured since the last minute was written down.
#[derive(Debug, Default)]
pub struct Baseline {
    past: HashMap<(i64, Entity, Mode), VecDeque<f64>>,
    slow: HashMap<(i64, Entity), Slow>,
    minute: BTreeMap<(Option<i64>, String), (f64, u32)>,
}

impl Baseline {
    /// Whether nothing is known of a feed's past yet.
    pub fn is_new(&self, run: &EndedRun) -> bool {
        !self
            .past
            .contains_key(&(run.classy_id, run.entity, run.mode))
    }

    /// Takes over a feed's past from before the process began, the earliest first: what each run
    /// took, and its requests.
    pub fn remember(&mut self, run: &EndedRun, past: impl IntoIterator<Item = (Duration, u64)>) {
        let pace = |(took, requests): (Duration, u64)| {
            took.as_secs_f64() * 1_000.0 / requests.max(1) as f64
        };
        let kept = self
            .past
            .entry((run.classy_id, run.entity, run.mode))
            .or_default();
        kept.extend(past.into_iter().map(pace));
    }

    /// A run ended: measures it, and answers when it was far slower than the median of those
    /// before.
    pub fn ended(&mut self, run: &EndedRun) -> Option<&Slow> {
        self.measure(
            Some(run.classy_id),
            format!("{}.duration", run.entity),
            run.took.as_secs_f64(),
        );
        self.measure(
            Some(run.classy_id),
            format!("{}.latency", run.entity),
            run.pace(),
        );
        if run.seen >= FEW_RECORDS {
            let rate = run.seen as f64 / run.took.as_secs_f64().max(0.001);
            self.measure(Some(run.classy_id), format!("{}.rate", run.entity), rate);
        }
        let past = self
            .past
            .entry((run.classy_id, run.entity, run.mode))
            .or_default();
        let usual = usual(past.iter().rev().copied());
        past.push_back(run.pace());
        while past.len() > KEPT {
            past.pop_front();
        }
        let key = (run.classy_id, run.entity);
        let usual = usual.filter(|usual| {
            let above = (run.pace() - usual) * run.requests.max(1) as f64;
            run.pace() >= TIMES * usual && above > NOISE.as_secs_f64() * 1_000.0
        });
        match usual {
            Some(usual) => {
                let text = format!(
                    "the last {} run took {} for {} requests: {:.0} ms each, {:.1} times the usual {usual:.0} ms",
                    run.mode,
                    span(run.took),
                    run.requests,
                    run.pace(),
                    run.pace() / usual.max(0.001)
                );
                self.slow.insert(key, Slow { text });
                self.slow.get(&key)
            }
            None => {
                self.slow.remove(&key);
                None
            }
        }
    }

    /// Why a feed's last run counts as slow.
    pub fn slow(&self, classy_id: i64, entity: Entity) -> Option<&Slow> {
        self.slow.get(&(classy_id, entity))
    }

    /// Measures anything, averaged over the minute.
    pub fn measure(&mut self, classy_id: Option<i64>, metric: impl Into<String>, value: f64) {
        let (sum, count) = self.minute.entry((classy_id, metric.into())).or_default();
        *sum += value;
        *count += 1;
    }

    /// What was measured since the last call.
    pub fn minute(&mut self, at: Time) -> Vec<Sample> {
        let minute = std::mem::take(&mut self.minute).into_iter();
        minute
            .map(|((classy_id, metric), (sum, count))| Sample {
                at,
                classy_id,
                metric,
                value: sum / f64::from(count.max(1)),
            })
            .collect()
    }
}

/// What is usual: the median of the last runs' milliseconds a request, the latest first; none when
/// there are too few.
pub fn usual(past: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = past.into_iter().take(KEPT).collect();
    if sorted.len() < LEAST {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ms: u64, requests: u64) -> EndedRun {
        let at = Time::from_timestamp(1_700_000_000, 0).unwrap();
        EndedRun {
            classy_id: 1,
            entity: Entity::Supporters,
            mode: Mode::Incremental,
            took: Duration::from_millis(ms),
            requests,
            seen: 500,
            at,
        }
    }

    #[test]
    fn a_run_three_times_slower_than_its_own_past_is_told_and_forgiven_when_the_next_is_as_usual() {
        let mut baseline = Baseline::default();
        for ms in [400, 500, 420, 480, 450] {
            assert!(
                baseline.ended(&run(ms, 10)).is_none(),
                "there is no past yet"
            );
        }
        assert!(baseline.ended(&run(1_000, 10)).is_none(), "twice as slow");
        assert!(
            baseline.ended(&run(4_000, 100)).is_none(),
            "longer, since there was more to do"
        );
        let slow = baseline.ended(&run(6_000, 10)).unwrap().text.clone();
        assert!(
            slow.contains("600 ms") && slow.contains("10 requests"),
            "{slow}"
        );
        assert!(baseline.slow(1, Entity::Supporters).is_some());
        assert!(
            baseline.ended(&run(450, 10)).is_none()
                && baseline.slow(1, Entity::Supporters).is_none()
        );
    }

    #[test]
    fn milliseconds_are_noise() {
        let mut baseline = Baseline::default();
        for _ in 0..10 {
            baseline.ended(&run(5, 1));
        }
        assert!(baseline.ended(&run(80, 1)).is_none());
    }

    #[test]
    fn a_minute_is_an_average_and_is_told_once() {
        let mut baseline = Baseline::default();
        baseline.measure(None, "memory", 10.0);
        baseline.measure(None, "memory", 20.0);
        let at = run(1, 1).at;
        assert_eq!(
            baseline.minute(at),
            [Sample {
                at,
                classy_id: None,
                metric: "memory".to_owned(),
                value: 15.0
            }]
        );
        assert!(baseline.minute(at).is_empty());
    }
}
