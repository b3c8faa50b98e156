//! Histories in which a first pass lost a record or did not end, told by hand: once a campaign had
//! found them, they were easy to tell.

use crate::dice::Dice;
use crate::lists::{Feed, Version};
use crate::memory::Defects;
use crate::options::Options;
use crate::sim::Shared;
use crate::sink::Checked;
use crate::source::{Served, pause};
use chrono::TimeDelta;
use classy_sync::classy::Error;
use classy_sync::domain::{Answer, Clocks, Item, Page, Query, RunEnd, Task};
use classy_sync::entities::{Entity, Supporter};
use classy_sync::sync::{Quiet, Run, Settings, Source};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

const FEED: Feed = Feed {
    organization: 0,
    entity: Entity::Supporters,
};

/// What happens while the pages are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Story {
    /// A record appears on page three after this page was looked up, and before page three is.
    Appears { after: u32 },
    /// The first page says that it is all there is; the first record vanishes before page two is
    /// looked up.
    SaysOne,
    /// Every page is the first.
    IgnoresPage,
    /// Even pages come from somebody who has the list the other way round.
    TwoOrders,
    /// Behind the end there are records that nobody made, and ever more of them.
    Garbage,
}

struct Told {
    inner: Served,
    story: Story,
    happened: AtomicBool,
}

fn put(shared: &Shared, id: i64, gone: bool) {
    let sim = &mut *shared.lock();
    let (now_ms, now_s) = (sim.world.now_ms, sim.world.now_s());
    let at = now_s - 100_000;
    let version = Version {
        updated_at: Some(at),
        made_at: at,
        content: id as u64,
        links: [None; 3],
        shown_ms: now_ms,
        gone,
        bad: false,
        fresh: !gone,
        owed: !gone,
        served: false,
        back: false,
    };
    sim.world
        .lists
        .entry(FEED)
        .or_default()
        .entry(id)
        .or_default()
        .versions
        .push(version);
}

impl Source<Supporter> for Told {
    async fn page(
        &self,
        query: Query,
        number: u32,
        per_page: u32,
    ) -> Result<Page<Supporter>, Error> {
        let happened = || self.happened.load(Ordering::Relaxed);
        while matches!(self.story, Story::Appears { .. }) && number == 3 && !happened() {
            pause(1).await;
        }
        let first = !happened();
        let asked = if self.story == Story::IgnoresPage {
            1
        } else {
            number
        };
        let mut page: Page<Supporter> = self.inner.page(query, asked, per_page).await?;
        match self.story {
            Story::IgnoresPage | Story::Garbage => self.happened.store(true, Ordering::Relaxed),
            _ => {}
        }
        match self.story {
            Story::TwoOrders if query == Query::All && number.is_multiple_of(2) => {
                self.happened.store(true, Ordering::Relaxed);
                let mut all: Page<Supporter> = self.inner.page(query, 1, 100).await?;
                all.items.reverse();
                page.items = all
                    .items
                    .into_iter()
                    .skip(((number - 1) * per_page) as usize)
                    .take(per_page as usize)
                    .collect();
            }
            Story::Garbage if query == Query::All && page.items.is_empty() => {
                let nobody = |place: u32| {
                    Item::Good(Supporter {
                        id: 1_000_000 + i64::from(number * per_page + place),
                        ..Supporter::default()
                    })
                };
                page.items = (0..per_page).map(nobody).collect();
            }
            // The first three looks plan the walk.
            Story::Appears { after }
                if first && number == after && self.inner.sim.lock().tally(0).pages > 3 =>
            {
                self.happened.store(true, Ordering::Relaxed);
                put(&self.inner.sim, 45, false);
            }
            Story::SaysOne if first && number == 1 && query == Query::All => {
                self.happened.store(true, Ordering::Relaxed);
                put(&self.inner.sim, 10, true);
                page.total = 1;
            }
            _ => {}
        }
        Ok(page)
    }

    async fn part(
        &self,
        query: Query,
        number: u32,
        per_page: u32,
    ) -> Result<Page<Supporter>, Error> {
        self.inner.part(query, number, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Answer<Supporter>, Error> {
        self.inner.one(id).await
    }

    async fn answers(&self) -> Result<Clocks, Error> {
        Source::<Supporter>::answers(&self.inner).await
    }

    fn concurrency(&self) -> usize {
        4
    }
}

/// A first pass over nine records, two a page. Answers how it ended, and which records are stored.
fn told(story: Story) -> (Result<RunEnd, classy_sync::sync::Error>, Vec<i64>) {
    let mut options = Options::new(&mut Dice::new(1));
    options.calm();
    options.organizations = 1;
    let sim = Shared::new(Dice::new(1), options, Defects::default(), false, false);
    sim.lock()
        .world
        .lists
        .values_mut()
        .for_each(std::collections::BTreeMap::clear);
    // What nobody made lies behind a last page that is full.
    let records = if story == Story::Garbage { 10 } else { 9 };
    (1..=records).for_each(|place| put(&sim, place * 10, false));
    let source = Told {
        inner: Served {
            sim: sim.clone(),
            feed: FEED,
            run: 0,
        },
        story,
        happened: AtomicBool::new(false),
    };
    let sink = Checked {
        sim: sim.clone(),
        feed: FEED,
        run: 0,
        epoch: 1,
    };
    let (per_page, commit_pages, commit_after) = (2, 2, Duration::from_secs(100_000));
    let settings = Settings {
        per_page,
        commit_pages,
        commit_after,
        overlap: TimeDelta::seconds(30),
        absent_share: 1.0,
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let mut run = Box::pin(
        Run::<Supporter, _, _>::new(&source, &sink, &settings, &stop, &Quiet).execute(Task::Full),
    );
    for _ in 0..100_000 {
        if let Poll::Ready(outcome) = run
            .as_mut()
            .poll(&mut Context::from_waker(std::task::Waker::noop()))
        {
            assert!(
                source.happened.load(Ordering::Relaxed),
                "the story was not told"
            );
            return (
                outcome.result,
                sim.lock()
                    .memory
                    .table::<Supporter>(FEED)
                    .rows
                    .keys()
                    .copied()
                    .collect(),
            );
        }
    }
    panic!("the pass does not end");
}

fn stored_after(story: Story) -> Vec<i64> {
    let (result, stored) = told(story);
    assert!(matches!(result, Ok(RunEnd::Complete)), "{result:?}");
    stored
}

#[test]
fn a_list_that_does_not_end_is_left_with_a_fault() {
    for story in [Story::IgnoresPage, Story::Garbage] {
        let (result, stored) = told(story);
        assert!(
            matches!(result, Err(classy_sync::sync::Error::Endless { .. })),
            "{result:?}"
        );
        assert!(stored.contains(&10), "what was read is kept: {stored:?}");
    }
}

#[test]
fn a_record_that_another_one_pushes_over_a_border_is_met() {
    for after in [4, 5] {
        assert_eq!(
            stored_after(Story::Appears { after }),
            [10, 20, 30, 40, 45, 50, 60, 70, 80, 90],
            "looked up before: page {after}"
        );
    }
}

#[test]
fn a_full_page_that_says_it_is_all_is_not_believed() {
    let stored = stored_after(Story::SaysOne);
    assert!(
        [20, 30, 40, 50, 60, 70, 80, 90]
            .iter()
            .all(|id| stored.contains(id)),
        "{stored:?}"
    );
}

#[test]
fn what_is_shown_twice_does_not_stand_in_for_what_is_not_shown() {
    let (result, stored) = told(Story::TwoOrders);
    assert!(
        matches!(result, Ok(RunEnd::Incomplete)) || stored.len() == 9,
        "{result:?} with {stored:?}"
    );
}
