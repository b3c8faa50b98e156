//! One run of the production engine, ready to be polled: what it is given, and what is asked when
//! it ends.

use crate::invariants;
use crate::lists::{Feed, moment};
use crate::options::Class;
use crate::records::Kind;
use crate::sim::{Shared, Sim};
use crate::sink::Checked;
use crate::source::Served;
use crate::wrong::{self, Wrong, WrongSink, WrongSource};
use chrono::TimeDelta;
use classy_sync::domain::{PassStage, RunCounts, RunEnd, Task};
use classy_sync::sync::{Outcome, Quiet, Run, Settings};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A run under way.
pub struct Runner {
    pub feed: Feed,
    pub run: u64,
    pub epoch: i64,
    pub task: Task,
    pub stop: CancellationToken,
    pub pages: u64,
    pub future: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

/// Calls a generic function for the kind of record that a feed has.
macro_rules! for_kind {
    ($feed:expr, $call:ident($($argument:expr),*)) => {
        match $feed.entity {
            classy_sync::entities::Entity::Supporters => $call::<classy_sync::entities::Supporter>($($argument),*),
            classy_sync::entities::Entity::Campaigns => $call::<classy_sync::entities::Campaign>($($argument),*),
            classy_sync::entities::Entity::RecurringPlans => $call::<classy_sync::entities::RecurringPlan>($($argument),*),
            classy_sync::entities::Entity::Transactions => $call::<classy_sync::entities::Transaction>($($argument),*),
            other => unreachable!("{other} is not played"),
        }
    };
}
pub(crate) use for_kind;

/// Makes a run ready.
pub fn start(
    shared: &Shared,
    sim: &mut Sim,
    wrong: Option<Wrong>,
    run: u64,
    feed: Feed,
    task: Task,
) -> Runner {
    let epoch = sim.memory.0[feed.organization].epoch;
    let state = sim.memory.state(feed);
    let now_ms = sim.world.now_ms;
    if state.pass.is_none() {
        sim.watches.entry(feed).or_default().began_ms = now_ms;
    }
    let state = sim.memory.state(feed);
    let resumes = matches!(task, Task::Full | Task::CatchUp);
    if resumes
        && state
            .pass
            .as_ref()
            .is_some_and(|pass| pass.page > 1 && pass.stage == PassStage::Walk)
    {
        sim.seen.saw("a pass resumed at its page");
    }
    let by_number = wrong == Some(Wrong::PageNumbers)
        && matches!(task, Task::Changes | Task::CatchUp)
        && state.first_pass_at.is_some()
        && state.pass.is_none();
    sim.note("begins", Some(feed), (run, epoch, format!("{task:?}")));
    let served = Served {
        sim: shared.clone(),
        feed,
        run,
    };
    let checked = Checked {
        sim: shared.clone(),
        feed,
        run,
        epoch,
    };
    let source = WrongSource {
        inner: served,
        wrong,
    };
    let began = moment(sim.world.now_s());
    let sink = WrongSink {
        inner: checked,
        wrong,
        began,
        seen: Mutex::new(None),
    };
    let stop = CancellationToken::new();
    let overlap = if wrong == Some(Wrong::NoOverlap) {
        0
    } else {
        sim.options.overlap_s
    };
    let settings = Settings {
        per_page: sim.options.per_page,
        commit_pages: sim.options.commit_pages,
        // The number of pages alone decides: how long something takes here is nobody's business.
        commit_after: Duration::from_secs(100_000),
        overlap: TimeDelta::seconds(overlap),
        absent_share: if sim.options.has(Class::Guard) {
            0.0
        } else {
            1.0
        },
    };
    let future = for_kind!(
        feed,
        future(source, sink, settings, stop.clone(), task, by_number)
    );
    Runner {
        feed,
        run,
        epoch,
        task,
        stop,
        pages: 0,
        future,
    }
}

/// Asks what a run that ended by itself has to answer.
pub fn ended(sim: &mut Sim, runner: &Runner, outcome: &Outcome) {
    sim.note(
        "ends",
        Some(runner.feed),
        (
            runner.run,
            format!("{:?}", outcome.result.as_ref().map_err(ToString::to_string)),
        ),
    );
    match &outcome.result {
        Ok(RunEnd::Stopped) => sim.seen.saw("a run stopped at a page"),
        Err(classy_sync::sync::Error::MassAbsence { .. }) => sim.seen.saw("mass absence refused"),
        _ => {}
    }
    let changes = matches!(
        runner.task,
        Task::Changes | Task::Since(_) | Task::Recent(_)
    );
    let tally = *sim.tally(runner.run);
    let counted = outcome.counts != RunCounts::default();
    let told = if counted {
        invariants::told(runner.feed, outcome, tally, changes)
    } else {
        Ok(())
    };
    sim.check(told);
    let expected = invariants::expected(sim, runner.feed, outcome);
    sim.check(expected);
}

fn future<R: Kind>(
    source: WrongSource,
    sink: WrongSink,
    settings: Settings,
    stop: CancellationToken,
    task: Task,
    by_number: bool,
) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        if by_number {
            let result =
                wrong::page_numbers::<R>(&source, &sink, settings.overlap, settings.per_page).await;
            return Outcome {
                counts: RunCounts::default(),
                result,
                notes: Vec::new(),
                unread_keys: Default::default(),
            };
        }
        Run::<R, _, _>::new(&source, &sink, &settings, &stop, &Quiet)
            .execute(task)
            .await
    })
}
