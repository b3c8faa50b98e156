//! The store as the engine writes it, with a look at everything that must hold after every
//! transaction.

use crate::lists::Feed;
use crate::options::Class;
use crate::records::Kind;
use crate::sim::{Shared, Sim};
use crate::source::pause;
use classy_sync::domain::{FeedState, Item, Time};
use classy_sync::store::{Batch, Committed, Error, Fingerprint};
use classy_sync::sync::Sink;

/// One run's way to one feed's tables, with the fencing number that it got.
#[derive(Clone)]
pub struct Checked {
    pub sim: Shared,
    pub feed: Feed,
    pub run: u64,
    pub epoch: i64,
}

fn refused() -> Error {
    Error::Unreachable {
        cause: "as it was to happen".to_owned(),
    }
}

impl Checked {
    /// Asks the model, and the real database for the same when there is one.
    async fn ask<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &'static str,
        ask: impl FnOnce(&mut Sim) -> (T, Option<T>) + Send,
    ) -> Result<T, Error> {
        let times = self.sim.lock().dice.below(2);
        pause(times).await;
        let sim = &mut *self.sim.lock();
        let (model, real) = ask(sim);
        if let Some(real) = real.filter(|real| *real != model) {
            let text = format!("{:?}: {what} is {real:?} instead of {model:?}", self.feed);
            sim.check(Err(crate::invariants::Violation::new("I4", text)));
        }
        Ok(model)
    }
}

impl<R: Kind> Sink<R> for Checked {
    async fn load(&self) -> Result<FeedState, Error> {
        let feed = self.feed;
        self.ask("the checkpoint", move |sim| {
            (
                sim.memory.table::<R>(feed).state.clone(),
                sim.real
                    .as_ref()
                    .map(|real| real.ask(feed, Sink::<R>::load)),
            )
        })
        .await
    }

    fn fingerprints(&self, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        self.sim
            .lock()
            .real
            .as_ref()
            .map_or_else(Vec::new, |real| real.fingerprints(self.feed, items))
    }

    async fn commit(&self, batch: Batch<R>) -> Result<Committed, Error> {
        let (before, after, fails_before, fails_after) = {
            let sim = &mut *self.sim.lock();
            let fails = sim.options.has(Class::Database);
            (
                sim.dice.below(3),
                sim.dice.below(2),
                fails && sim.dice.chance(8),
                fails && sim.dice.chance(8),
            )
        };
        pause(before).await;
        if fails_before {
            self.sim
                .lock()
                .seen
                .saw("the database failed before it did anything");
            return Err(refused());
        }
        let result = self
            .sim
            .lock()
            .commit(self.feed, self.run, self.epoch, &batch);
        let Some(result) = result else {
            return std::future::pending().await;
        };
        pause(after).await;
        if fails_after && result.is_ok() {
            self.sim
                .lock()
                .seen
                .saw("the database failed after it did its work");
            return Err(refused());
        }
        result
    }

    async fn refresh_totals(&self, after: i64) -> Result<Option<i64>, Error> {
        let sim = &mut *self.sim.lock();
        sim.real.as_ref().map_or(Ok(None), |real| {
            real.refresh_totals::<R>(self.feed, self.epoch, after)
        })
    }

    async fn ids_between(&self, after: i64, upto: i64, limit: u64) -> Result<Vec<i64>, Error> {
        let feed = self.feed;
        self.ask("ids_between", move |sim| {
            let ids = sim
                .memory
                .table::<R>(feed)
                .present()
                .map(|(id, _)| id)
                .filter(|id| *id > after && *id <= upto);
            let real = sim.real.as_ref().map(|real| {
                real.ask(feed, async |sink| {
                    Sink::<R>::ids_between(sink, after, upto, limit).await
                })
            });
            (ids.take(limit as usize).collect(), real)
        })
        .await
    }

    async fn max_id(&self) -> Result<i64, Error> {
        let feed = self.feed;
        self.ask("max_id", move |sim| {
            let max = sim
                .memory
                .table::<R>(feed)
                .present()
                .map(|(id, _)| id)
                .max()
                .unwrap_or(0);
            (
                max,
                sim.real
                    .as_ref()
                    .map(|real| real.ask(feed, Sink::<R>::max_id)),
            )
        })
        .await
    }

    async fn count(&self) -> Result<u64, Error> {
        let feed = self.feed;
        self.ask("count", move |sim| {
            let count = sim.memory.table::<R>(feed).present().count() as u64;
            (
                count,
                sim.real
                    .as_ref()
                    .map(|real| real.ask(feed, Sink::<R>::count)),
            )
        })
        .await
    }

    async fn count_since(&self, from: Time) -> Result<u64, Error> {
        let feed = self.feed;
        self.ask("count_since", move |sim| {
            let count = sim.memory.table::<R>(feed).count_since(from);
            (
                count,
                sim.real.as_ref().map(|real| {
                    real.ask(feed, async |sink| Sink::<R>::count_since(sink, from).await)
                }),
            )
        })
        .await
    }

    async fn suspects(&self) -> Result<Vec<i64>, Error> {
        let feed = self.feed;
        self.ask("suspects", move |sim| {
            let suspects = sim
                .memory
                .table::<R>(feed)
                .suspects
                .keys()
                .copied()
                .collect();
            (
                suspects,
                sim.real
                    .as_ref()
                    .map(|real| real.ask(feed, Sink::<R>::suspects)),
            )
        })
        .await
    }
}
