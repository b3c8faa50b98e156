//! Many histories side by side, and what is said about one that fails: the line that replays it,
//! and the trouble that it needs.

use crate::machine::{History, Plan, play};
use crate::options::Class;
use crate::sometimes::Sometimes;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Plays all seeds; each with the plan that it is given. Answers in the order of the seeds.
pub fn play_all(seeds: &[u64], plan: impl Fn(u64) -> Plan + Sync) -> Vec<(u64, History)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let history = play(*seed, &plan(*seed));
                    done.lock().unwrap().push((*seed, history));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(seed, _)| seeds.iter().position(|other| other == seed));
    done
}

/// What happened in all of them.
pub fn seen(histories: &[(u64, History)]) -> Sometimes {
    let mut seen = Sometimes::default();
    histories
        .iter()
        .for_each(|(_, history)| seen.add(&history.seen));
    seen
}

/// Fails with one line for each history that failed.
pub fn assert_all_hold(histories: &[(u64, History)]) {
    let failed: Vec<&(u64, History)> = histories
        .iter()
        .filter(|(_, history)| history.failed.is_some())
        .collect();
    let lines: Vec<String> = failed
        .iter()
        .take(20)
        .filter_map(|(seed, history)| Some(line(*seed, history.failed.as_ref()?)))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} histories failed\n{}",
        failed.len(),
        histories.len(),
        lines.join("\n")
    );
}

fn line(seed: u64, violation: &crate::invariants::Violation) -> String {
    let needed = needed(seed, violation.invariant);
    format!(
        "CLASSY_SYNC_SEED={seed} cargo test --test simulation one_seed -- --nocapture\n    {} (needs {needed:?}): {}",
        violation.invariant, violation.text
    )
}

/// The classes of trouble without which the history does not fail the same way: taken off one at a
/// time.
fn needed(seed: u64, invariant: &str) -> Vec<Class> {
    let mut without = Vec::new();
    for class in Class::ALL {
        without.push(class);
        let history = play(
            seed,
            &Plan {
                without: without.clone(),
                ..Plan::default()
            },
        );
        if history
            .failed
            .is_none_or(|violation| violation.invariant != invariant)
        {
            without.pop();
        }
    }
    let classes = play(seed, &Plan::default()).classes;
    classes
        .into_iter()
        .filter(|class| !without.contains(class))
        .collect()
}
