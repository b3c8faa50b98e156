//! Histories in which a first pass lost a record, told by hand: once a campaign had found them, they were easy to tell.

use crate::dice::Dice;
use crate::memory::Defects;
use crate::options::Options;
use crate::sim::Shared;
use crate::sink::Checked;
use crate::source::{Served, pause};
use crate::world::{Feed, Version};
use chrono::TimeDelta;
use classy_sync::classy::Error;
use classy_sync::domain::{Entity, Item, Page, Query, RunEnd, Supporter};
use classy_sync::sync::{Quiet, Run, Settings, Source, Task};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

const FEED: Feed = Feed { organization: 0, entity: Entity::Supporters };

/// What happens while the pages are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Story {
    /// A record appears on page three after this page was looked up, and before page three is.
    Appears { after: u32 },
    /// The first page says that it is all there is; the first record vanishes before page two is looked up.
    SaysOne,
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
    };
    sim.world.lists.entry(FEED).or_default().entry(id).or_default().versions.push(version);
}

impl Source<Supporter> for Told {
    async fn page(&self, query: Query, number: u32, per_page: u32) -> Result<Page<Supporter>, Error> {
        let happened = || self.happened.load(Ordering::Relaxed);
        while matches!(self.story, Story::Appears { .. }) && number == 3 && !happened() {
            pause(1).await;
        }
        let first = !happened();
        let mut page: Page<Supporter> = self.inner.page(query, number, per_page).await?;
        match self.story {
            // The first two looks plan the walk.
            Story::Appears { after } if first && number == after && self.inner.sim.lock().tally(0).pages > 2 => {
                self.happened.store(true, Ordering::Relaxed);
                put(&self.inner.sim, 45, false);
            }
            Story::SaysOne if first && number == 1 => {
                self.happened.store(true, Ordering::Relaxed);
                put(&self.inner.sim, 10, true);
                page.total = 1;
            }
            _ => {}
        }
        Ok(page)
    }

    async fn one(&self, id: i64) -> Result<Option<Item<Supporter>>, Error> {
        self.inner.one(id).await
    }

    fn concurrency(&self) -> usize {
        4
    }
}

/// A first pass over nine records, two a page. Answers which of them are stored.
fn stored_after(story: Story) -> Vec<i64> {
    let mut options = Options::new(&mut Dice::new(1));
    options.calm();
    options.organizations = 1;
    let sim = Shared::new(Dice::new(1), options, Defects::default(), false, false);
    sim.lock().world.lists.values_mut().for_each(std::collections::BTreeMap::clear);
    (1..=9).for_each(|place| put(&sim, place * 10, false));
    let source = Told { inner: Served { sim: sim.clone(), feed: FEED, run: 0 }, story, happened: AtomicBool::new(false) };
    let sink = Checked { sim: sim.clone(), feed: FEED, run: 0, epoch: 1 };
    let (per_page, commit_pages, commit_after) = (2, 2, Duration::from_secs(100_000));
    let settings = Settings { per_page, commit_pages, commit_after, overlap: TimeDelta::seconds(30), absent_share: 1.0 };
    let stop = tokio_util::sync::CancellationToken::new();
    let mut run = Box::pin(Run::<Supporter, _, _>::new(&source, &sink, &settings, &stop, &Quiet).execute(Task::Full));
    for _ in 0..100_000 {
        if let Poll::Ready(outcome) = run.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())) {
            assert!(matches!(outcome.result, Ok(RunEnd::Complete)), "{:?}", outcome.result);
            assert!(source.happened.load(Ordering::Relaxed), "the story was not told");
            return sim.lock().memory.table::<Supporter>(FEED).rows.keys().copied().collect();
        }
    }
    panic!("the pass does not end");
}

#[test]
fn a_record_that_another_one_pushes_over_a_border_is_met() {
    for after in [4, 5] {
        assert_eq!(stored_after(Story::Appears { after }), [10, 20, 30, 40, 45, 50, 60, 70, 80, 90], "looked up before: page {after}");
    }
}

#[test]
fn a_full_page_that_says_it_is_all_is_not_believed() {
    let stored = stored_after(Story::SaysOne);
    assert!([20, 30, 40, 50, 60, 70, 80, 90].iter().all(|id| stored.contains(id)), "{stored:?}");
}
