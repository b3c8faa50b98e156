//! The world as the engine reads it: pages looked up at one moment and handed over at another, and
//! everything that goes wrong between.

use crate::lists::{Feed, moment};
use crate::options::Class;
use crate::records::{self, Kind};
use crate::sim::{Shared, Sim};
use classy_sync::classy::Error;
use classy_sync::domain::{Answer, Clocks, Doubt, Item, Page, Query, Reject, RejectReason};
use classy_sync::sync::Source;
use std::task::Poll;
use std::time::Duration;

/// One run's way to one feed.
#[derive(Clone)]
pub struct Served {
    pub sim: Shared,
    pub feed: Feed,
    pub run: u64,
}

/// Lets others go on so many times.
pub async fn pause(times: u64) {
    for _ in 0..times {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// How one request goes.
struct Fate {
    before: u64,
    after: u64,
    failure: Option<Failure>,
    empty: bool,
    short_total: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Before,
    NotFound,
    After,
}

fn decide(sim: &mut Sim, run: u64) -> Fate {
    let dice = &mut sim.dice;
    let mut wait = || {
        if sim.options.has(Class::Slow) && dice.chance(100) {
            dice.below(60)
        } else {
            dice.below(3)
        }
    };
    let (before, after) = (wait(), wait());
    let fate = Fate {
        before,
        after,
        failure: if sim.options.has(Class::Errors) && dice.chance(25) {
            dice.pick(&[
                Failure::Before,
                Failure::Before,
                Failure::After,
                Failure::After,
                Failure::NotFound,
            ])
        } else {
            None
        },
        empty: sim.options.has(Class::Slips) && dice.chance(30),
        short_total: sim.options.has(Class::ShortTotals) && dice.chance(50),
    };
    let tally = sim.tally(run);
    // Twice in one run, and it would be what the source says.
    let empty = fate.empty && tally.slips == 0;
    let short_total = fate.short_total && tally.short_totals == 0;
    tally.slips += u32::from(empty);
    tally.short_totals += u32::from(short_total);
    Fate {
        empty,
        short_total,
        ..fate
    }
}

/// A page; nothing when a record on it cannot be served.
fn look<R: Kind>(
    sim: &mut Sim,
    feed: Feed,
    query: Query,
    number: u32,
    asked: u32,
    fate: &Fate,
) -> Option<Page<R>> {
    let now_ms = sim.world.now_ms;
    let clocks = sim.world.clocks(&sim.options);
    let cursed = sim.options.has(Class::BadPages);
    let clamped = sim.options.has(Class::Clamp) && asked > sim.options.clamp;
    let per_page = if clamped { sim.options.clamp } else { asked };
    if clamped {
        sim.seen.saw("a page cut smaller than asked");
    }
    let (unstable, dice) = (sim.options.has(Class::Unstable), &mut sim.dice);
    let list = sim.world.lists.entry(feed).or_default();
    let mut found: Vec<(i64, i64, i64)> = list
        .iter()
        .filter_map(|(id, entry)| entry.shown(now_ms).map(|version| (*id, version)))
        .filter(|(_, version)| match query {
            Query::All => true,
            Query::Since(from) | Query::LatestSince(from) => {
                version.updated_at.is_some_and(|at| moment(at) >= from)
            }
            Query::PurchasedSince(from) => moment(version.made_at) >= from,
        })
        .map(|(id, version)| {
            let tie = if unstable { dice.roll() as i64 } else { id };
            match query {
                Query::Since(_) => (version.updated_at.unwrap_or(0), tie, id),
                Query::LatestSince(_) => (-version.updated_at.unwrap_or(0), tie, id),
                Query::All | Query::PurchasedSince(_) => (id, 0, id),
            }
        })
        .collect();
    found.sort_unstable();
    let mut total = found.len() as u64;
    // Of a page that is silently cut nothing but the count says that others follow.
    if fate.short_total && total > 0 && (!clamped || sim.options.clamp_is_told) {
        sim.seen.saw("a total that is too small");
        total -= 1 + dice.below(total);
    }
    let chosen: Vec<i64> = found
        .into_iter()
        .map(|(_, _, id)| id)
        .skip(((number - 1) * per_page) as usize)
        .take(per_page as usize)
        .collect();
    if cursed && chosen.iter().any(|id| list[id].is_cursed) {
        sim.seen.saw("a page that cannot be served");
        return None;
    }
    let mut items = Vec::new();
    for id in chosen {
        items.extend(
            list.get_mut(&id)
                .and_then(|entry| entry.serve(now_ms))
                .map(|version| records::item(id, &version)),
        );
    }
    if matches!(query, Query::Since(_) | Query::LatestSince(_))
        && sim.options.has(Class::Leaks)
        && sim.dice.chance(50)
    {
        leak(sim, feed, &mut items);
    }
    // What lacks is counted: a source that counts as it shows is believed.
    if sim.options.has(Class::Lacking)
        && !fate.short_total
        && items.len() > 1
        && sim.dice.chance(60)
    {
        sim.seen.saw("a page that lacks a row");
        let place = sim.dice.below(items.len() as u64) as usize;
        items.remove(place);
    }
    if fate.empty && !items.is_empty() {
        sim.seen.saw("a slip: an empty page");
        (items, total) = (Vec::new(), 0);
    }
    let told = if clamped && !sim.options.clamp_is_told {
        asked
    } else {
        per_page
    };
    Some(Page {
        items,
        total,
        per_page: Some(told),
        bytes: 1,
        ..Page::empty(clocks)
    })
}

/// Puts a record that another organization has stored before the others, if one lies between them
/// in time; it names its owner.
fn leak<R: Kind>(sim: &mut Sim, feed: Feed, items: &mut Vec<Item<R>>) {
    let times = || items.iter().filter_map(Item::updated_at);
    let between =
        |record: &&R| record.updated_at() >= times().min() && record.updated_at() <= times().max();
    let others = (0..sim.memory.0.len()).filter(|organization| *organization != feed.organization);
    let stored = others.flat_map(|organization| {
        sim.memory
            .table::<R>(Feed {
                organization,
                ..feed
            })
            .present()
            .map(|(_, record)| record)
    });
    let found: Vec<R> = stored.filter(between).cloned().collect();
    if let Some(record) = found.into_iter().next_back() {
        let detail = "organization_id: names another organization".to_owned();
        let (source_id, updated_at) = (Some(record.id()), record.updated_at());
        items.insert(
            0,
            Item::Bad(Reject {
                source_id,
                updated_at,
                reason: RejectReason::ForeignOrganization,
                detail,
                opt_out: None,
            }),
        );
    }
}

fn failed(sim: &mut Sim, run: u64, failure: Failure) -> Error {
    sim.tally(run).is_down = true;
    match failure {
        Failure::Before => {
            sim.seen.saw("a page that failed before the source looked");
            Error::Unavailable { status: 503 }
        }
        Failure::NotFound => {
            sim.seen.saw("the list was not found");
            Error::NotFound {
                path: "/".to_owned(),
            }
        }
        Failure::After => {
            sim.seen.saw("a page that failed after the source looked");
            Error::Timeout {
                host: "host".to_owned(),
                limit: Duration::from_secs(1),
            }
        }
    }
}

/// Whether a record is another one than it was when the page was looked up.
fn moved<R: Kind>(sim: &Sim, feed: Feed, items: &[Item<R>]) -> bool {
    items.iter().any(|item| {
        let Some(entry) = item.id().and_then(|id| sim.world.lists[&feed].get(&id)) else {
            return false;
        };
        entry
            .shown(sim.world.now_ms)
            .and_then(|version| version.updated_at.map(moment))
            != item.updated_at()
    })
}

impl<R: Kind> Source<R> for Served {
    async fn page(&self, query: Query, number: u32, per_page: u32) -> Result<Page<R>, Error> {
        let fate = decide(&mut self.sim.lock(), self.run);
        pause(fate.before).await;
        if let Some(failure @ (Failure::Before | Failure::NotFound)) = fate.failure {
            return Err(failed(&mut self.sim.lock(), self.run, failure));
        }
        let page = look::<R>(
            &mut self.sim.lock(),
            self.feed,
            query,
            number,
            per_page,
            &fate,
        );
        pause(fate.after).await;
        let sim = &mut *self.sim.lock();
        if let Some(failure) = fate.failure {
            return Err(failed(sim, self.run, failure));
        }
        let Some(page) = page else {
            sim.note(
                "no page",
                Some(self.feed),
                (self.run, format!("{query:?}"), number, per_page),
            );
            return Err(Error::Unavailable { status: 500 });
        };
        if moved(sim, self.feed, &page.items) {
            sim.seen
                .saw("a record that moved while its page was under way");
        }
        if number > 1 && matches!(query, Query::Since(_)) {
            sim.seen.saw("a second that fills more than a page");
        }
        let shown: Vec<_> = page
            .items
            .iter()
            .map(|item| {
                (
                    item.id(),
                    item.updated_at().map(|at| at.timestamp() - 1_700_000_000),
                )
            })
            .collect();
        sim.note(
            "page",
            Some(self.feed),
            (
                self.run,
                format!("{query:?}"),
                number,
                shown,
                page.total,
                page.clocks.theirs,
            ),
        );
        let tally = sim.tally(self.run);
        tally.served += page.items.len() as u64;
        tally.pages += 1;
        Ok(page)
    }

    async fn part(&self, query: Query, number: u32, per_page: u32) -> Result<Page<R>, Error> {
        self.page(query, number, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Answer<R>, Error> {
        let fate = decide(&mut self.sim.lock(), self.run);
        pause(fate.before).await;
        let (answer, now_ms) = {
            let sim = &mut *self.sim.lock();
            let now_ms = sim.world.now_ms;
            let cursed = sim.options.has(Class::BadPages);
            let doubt = sim.options.has(Class::Doubts) && sim.dice.chance(300);
            let entry = sim
                .world
                .lists
                .get_mut(&self.feed)
                .and_then(|list| list.get_mut(&id));
            let answer = match entry {
                Some(entry) if doubt || cursed && entry.is_cursed => {
                    Answer::Undecided(Doubt::Status(403))
                }
                entry => entry
                    .and_then(|entry| entry.serve(now_ms))
                    .map_or(Answer::Gone, |version| {
                        Answer::Stored(records::item(id, &version))
                    }),
            };
            (answer, now_ms)
        };
        pause(fate.after).await;
        let sim = &mut *self.sim.lock();
        if let Some(failure) = fate.failure.filter(|failure| *failure != Failure::NotFound) {
            return Err(failed(sim, self.run, failure));
        }
        if matches!(answer, Answer::Undecided(_)) {
            sim.seen.saw("a suspect that stays undecided");
        }
        let stored = matches!(answer, Answer::Stored(_));
        sim.note("one", Some(self.feed), (self.run, id, stored, now_ms));
        sim.tally(self.run).served += u64::from(stored);
        Ok(answer)
    }

    async fn answers(&self) -> Result<Clocks, Error> {
        pause(1).await;
        let sim = &mut *self.sim.lock();
        if std::mem::take(&mut sim.tally(self.run).is_down) {
            return Err(Error::Unavailable { status: 503 });
        }
        Ok(sim.world.clocks(&sim.options))
    }

    fn concurrency(&self) -> usize {
        self.sim.lock().options.width
    }
}
