//! What makes a history go: step by step a run goes on, something changes, or somebody interferes;
//! and in the end all is calm, and the stored set has to become the source's.

use crate::dice::Dice;
use crate::invariants::{self, Violation};
use crate::lists::{Feed, moment};
use crate::options::{Class, Options};
use crate::records::Kind;
use crate::runner::{Runner, ended, for_kind, start};
use crate::sim::{Shared, Sim};
use crate::sometimes::Sometimes;
use crate::wrong::Wrong;
use classy_sync::domain::Task;
use classy_sync::entities::Entity;
use std::task::{Context, Poll};

/// How a history is to be played.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub without: Vec<Class>,
    pub wrong: Option<Wrong>,
    /// On a real database, too.
    pub real: bool,
    /// Aloud.
    pub tell: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct History {
    pub trace: u64,
    pub failed: Option<Violation>,
    pub seen: Sometimes,
    pub classes: Vec<Class>,
    pub pages: u64,
}

struct Machine {
    sim: Shared,
    wrong: Option<Wrong>,
    runners: Vec<Runner>,
    runs: u64,
}

/// Plays the history of a seed to its end, or to the first thing that does not hold.
pub fn play(seed: u64, plan: &Plan) -> History {
    let mut dice = Dice::new(seed);
    let mut options = Options::new(&mut dice);
    plan.without
        .iter()
        .for_each(|class| options.without(*class));
    let classes = options.classes();
    let steps = options.steps;
    let sim = Shared::new(
        dice,
        options,
        Wrong::defects(plan.wrong),
        plan.real,
        plan.tell,
    );
    let mut machine = Machine {
        sim: sim.clone(),
        wrong: plan.wrong,
        runners: Vec::new(),
        runs: 0,
    };
    let _ = (0..steps).try_for_each(|_| machine.step());
    machine.runners.clear();
    let calm = if sim.lock().failed.is_none() {
        machine.calm()
    } else {
        Ok(())
    };
    let sim = &mut *sim.lock();
    sim.check(calm);
    let pages = sim.tallies.values().map(|tally| tally.pages).sum();
    History {
        trace: sim.hash(),
        failed: sim.failed.clone(),
        seen: sim.seen.clone(),
        classes,
        pages,
    }
}

impl Machine {
    fn step(&mut self) -> Result<(), ()> {
        let (choice, sim) = (self.sim.lock().dice.below(1000), self.sim.clone());
        {
            let sim = &mut *sim.lock();
            sim.world.now_ms += sim.dice.between(0, sim.options.pace_ms);
            // Mostly where somebody reads.
            let read: Vec<Feed> = self.runners.iter().map(|runner| runner.feed).collect();
            let all: Vec<Feed> = sim.world.lists.keys().copied().collect();
            let feeds = if !read.is_empty() && sim.dice.chance(600) {
                read
            } else {
                all
            };
            if sim.dice.chance(sim.options.changes)
                && let Some(feed) = sim.dice.pick(&feeds)
            {
                let mut seen = Sometimes::default();
                sim.world
                    .change(feed, &mut sim.dice, &sim.options, &mut seen);
                if seen.has("a deletion") && sim.memory.state(feed).pass.is_some() {
                    seen.saw("a deletion during a pass");
                }
                sim.seen.add(&seen);
            }
        }
        let has = |class| self.sim.lock().options.has(class);
        match choice {
            0..8 if has(Class::Kills) => self.kill(),
            8..12 if has(Class::Stops) => {
                let place = self.sim.lock().dice.below(self.runners.len() as u64) as usize;
                self.runners
                    .iter()
                    .skip(place)
                    .take(1)
                    .for_each(|runner| runner.stop.cancel());
            }
            12..16 if has(Class::Takeovers) => self.take_over(),
            16..20 if has(Class::Jumps) => {
                let sim = &mut *self.sim.lock();
                sim.seen.saw("hours passed");
                sim.world.now_ms += sim.dice.between(60_000, 3 * 3_600_000);
            }
            20..120 => self.begin(),
            _ => self.go_on(),
        }
        if self.sim.lock().failed.is_some() {
            Err(())
        } else {
            Ok(())
        }
    }

    fn begin(&mut self) {
        let sim = self.sim.clone();
        let sim = &mut *sim.lock();
        let feeds: Vec<Feed> = sim.world.lists.keys().copied().collect();
        let Some(feed) = sim.dice.pick(&feeds) else {
            return;
        };
        let epoch = sim.memory.0[feed.organization].epoch;
        if self
            .runners
            .iter()
            .any(|runner| runner.feed == feed && runner.epoch == epoch)
        {
            return;
        }
        let since = moment(sim.world.now_s() - sim.dice.between(0, 100_000));
        let task = match sim.dice.below(10) {
            0 | 1 if sim.options.has(Class::Fulls) => Task::Full,
            2 if sim.options.has(Class::Repairs) => Task::Since(since),
            3 if sim.options.has(Class::Repairs) && feed.entity == Entity::Transactions => {
                Task::Recent(since)
            }
            4..7 => Task::Changes,
            _ => Task::CatchUp,
        };
        if matches!(task, Task::Since(_) | Task::Recent(_)) {
            sim.seen.saw("a repair");
        }
        self.start(sim, feed, task);
    }

    fn start(&mut self, sim: &mut Sim, feed: Feed, task: Task) {
        self.runs += 1;
        self.runners
            .push(start(&self.sim, sim, self.wrong, self.runs, feed, task));
    }

    /// Polls one run.
    fn go_on(&mut self) {
        if self.runners.is_empty() {
            return;
        }
        let place = self.sim.lock().dice.below(self.runners.len() as u64) as usize;
        let runner = &mut self.runners[place];
        let polled = runner
            .future
            .as_mut()
            .poll(&mut Context::from_waker(std::task::Waker::noop()));
        let sim = self.sim.clone();
        let sim = &mut *sim.lock();
        let pages = sim.tally(runner.run).pages;
        runner.pages = pages;
        if sim.doomed.take().is_some() {
            sim.note("dies inside", Some(runner.feed), runner.run);
            self.runners.remove(place);
        } else if let Poll::Ready(outcome) = polled {
            let runner = self.runners.remove(place);
            ended(sim, &runner, &outcome);
        }
    }

    fn kill(&mut self) {
        let sim = &mut *self.sim.lock();
        if self.runners.is_empty() {
            return;
        }
        let runner = self
            .runners
            .remove(sim.dice.below(self.runners.len() as u64) as usize);
        sim.seen.saw(if runner.pages > 0 {
            "a kill between pages"
        } else {
            "a kill during a request"
        });
        sim.note("is killed", Some(runner.feed), runner.run);
    }

    /// Another process takes an organization over; what the old one was at goes on, or is killed.
    fn take_over(&mut self) {
        let sim = &mut *self.sim.lock();
        let organization = sim.dice.below(sim.options.organizations) as usize;
        sim.memory.0[organization].epoch += 1;
        if let Some(real) = &mut sim.real {
            real.take_over(organization);
        }
        sim.note("taken over", None, organization);
        if sim.dice.chance(300) {
            self.runners
                .retain(|runner| runner.feed.organization != organization);
        }
    }

    /// Nothing changes and nothing fails any more.
    fn calm(&mut self) -> Result<(), Violation> {
        let sim = self.sim.clone();
        let feeds: Vec<Feed> = {
            let sim = &mut *sim.lock();
            sim.options.calm();
            sim.note("calm", None, ());
            sim.world.lists.keys().copied().collect()
        };
        for round in 1..=3 {
            {
                let sim = &mut *sim.lock();
                sim.world.now_ms += (sim.options.overlap_s + 5) * 1000;
            }
            feeds
                .iter()
                .try_for_each(|feed| self.undisturbed(*feed, Task::CatchUp))?;
            feeds
                .iter()
                .try_for_each(|feed| for_kind!(feed, caught_up(&sim.lock(), *feed)))?;
            feeds
                .iter()
                .try_for_each(|feed| self.undisturbed(*feed, Task::Full))?;
            match feeds
                .iter()
                .try_for_each(|feed| for_kind!(feed, converged(&sim.lock(), *feed)))
            {
                Ok(()) => break,
                wrong if round == 3 => return wrong,
                Err(_) => sim.lock().seen.saw("a second calm round was needed"),
            }
        }
        let sim = sim.lock();
        sim.real
            .as_ref()
            .map_or(Ok(()), |real| real.exact(&sim.memory))
    }

    /// One run to its end.
    fn undisturbed(&mut self, feed: Feed, task: Task) -> Result<(), Violation> {
        let sim = self.sim.clone();
        {
            let sim = &mut *sim.lock();
            self.start(sim, feed, task);
        }
        for _ in 0..100_000 {
            self.go_on();
            let sim = &mut *sim.lock();
            sim.world.now_ms += 1;
            if let Some(failed) = &sim.failed {
                return Err(failed.clone());
            }
            if self.runners.is_empty() {
                return Ok(());
            }
        }
        Err(Violation::new(
            "I17",
            format!("{feed:?}: {task:?} does not end"),
        ))
    }
}

fn caught_up<R: Kind>(sim: &Sim, feed: Feed) -> Result<(), Violation> {
    invariants::caught_up::<R>(sim, feed)
}

fn converged<R: Kind>(sim: &Sim, feed: Feed) -> Result<(), Violation> {
    invariants::converged::<R>(sim, feed)
}
