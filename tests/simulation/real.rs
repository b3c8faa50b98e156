//! The production store over a SQLite file of its own. Each call is carried out at once on a
//! runtime of its own, so a history goes the same way however long the database takes.

use crate::invariants::Violation;
use crate::lists::Feed;
use crate::memory::{Kept, Memory, Table};
use crate::records::Kind;
use classy_sync::domain::{Item, MonthlyRate, Time};
use classy_sync::entities::Entity;
use classy_sync::store::{Batch, Committed, Error, Fingerprint, Settings, Store};
use classy_sync::sync::{FencedStore, Sink};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const HOLDER: &str = "a host:a pid file";
const LONG: Duration = Duration::from_secs(3600);

pub struct Real {
    runtime: Runtime,
    _folder: TempDir,
    store: Store,
    look: DatabaseConnection,
    /// By organization, one for each fencing number from 1.
    sinks: Vec<Vec<FencedStore>>,
    difference: String,
}

async fn open(file: &Path) -> Store {
    Store::connect(&Settings {
        url: format!("sqlite://{}", file.display()).into(),
        max_connections: 2,
    })
    .await
    .unwrap()
}

fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// An empty database with the schema, made once.
fn template(runtime: &Runtime) -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = folder();
        let file = folder.path().join("template.db");
        runtime.block_on(async {
            let store = open(&file).await;
            store.migrate().await.unwrap();
            store.optimize().await.unwrap();
            store.close().await.unwrap();
        });
        std::fs::read(&file).unwrap()
    })
}

impl Real {
    pub fn new(organizations: u64) -> Real {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = folder();
        let file = folder.path().join("one.db");
        std::fs::write(&file, template(&runtime)).unwrap();
        let (store, look, sinks) = runtime.block_on(async {
            let store = open(&file).await;
            let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}", file.display()));
            options.max_connections(1).sqlx_logging(false);
            let look = Database::connect(options).await.unwrap();
            let mut sinks = Vec::new();
            for place in 0..organizations {
                let tenant = store.tenant(
                    &store
                        .put_organization(1000 + place as i64, "One")
                        .await
                        .unwrap(),
                );
                let fence = tenant.acquire(HOLDER, LONG).await.unwrap();
                sinks.push(vec![FencedStore::new(tenant, fence)]);
            }
            (store, look, sinks)
        });
        Real {
            runtime,
            _folder: folder,
            store,
            look,
            sinks,
            difference: String::new(),
        }
    }

    /// Another runner takes the organization over.
    pub fn take_over(&mut self, organization: usize) {
        let tenant = self.sinks[organization][0].store().clone();
        let fence = self.runtime.block_on(tenant.acquire(HOLDER, LONG)).unwrap();
        self.sinks[organization].push(FencedStore::new(tenant, fence));
    }

    fn sink(&self, feed: Feed, epoch: i64) -> &FencedStore {
        &self.sinks[feed.organization][epoch as usize - 1]
    }

    pub fn ask<T>(&self, feed: Feed, ask: impl AsyncFnOnce(&FencedStore) -> Result<T, Error>) -> T {
        let sink = self.sinks[feed.organization].last().unwrap();
        self.runtime.block_on(ask(sink)).unwrap()
    }

    pub fn fingerprints<R: Kind>(&self, feed: Feed, items: &[Item<R>]) -> Vec<Option<Fingerprint>> {
        self.sink(feed, 1).fingerprints(items)
    }

    pub fn commit<R: Kind>(
        &self,
        feed: Feed,
        epoch: i64,
        batch: &Batch<R>,
    ) -> Result<Committed, Error> {
        self.runtime
            .block_on(self.sink(feed, epoch).commit(batch.clone()))
    }

    pub fn refresh_totals<R: Kind>(
        &self,
        feed: Feed,
        epoch: i64,
        after: i64,
    ) -> Result<Option<i64>, Error> {
        self.runtime.block_on(async {
            let sink = self.sink(feed, epoch);
            Sink::<R>::refresh_totals(sink, after).await
        })
    }

    /// Begins a transaction and drops it after so many steps.
    pub fn abandon<R: Kind>(&self, feed: Feed, epoch: i64, batch: &Batch<R>, polls: usize) {
        self.runtime.block_on(async {
            let mut commit = std::pin::pin!(self.sink(feed, epoch).commit(batch.clone()));
            let mut left = polls;
            std::future::poll_fn(|context| {
                left -= 1;
                if left == 0 || commit.as_mut().poll(context).is_ready() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
        });
    }

    /// Whether a feed's rows, checkpoint, suspects and rejects are exactly these.
    pub fn is_as<R: Kind>(&mut self, feed: Feed, table: &Table<R>) -> bool {
        let (rows, rejects) = (self.rows::<R>(feed), self.rejects(feed));
        let (state, suspects) = (
            self.ask(feed, Sink::<R>::load),
            self.ask(feed, Sink::<R>::suspects),
        );
        if let Some((id, kept)) = table
            .rows
            .iter()
            .find(|(id, kept)| rows.get(id) != Some(*kept))
        {
            self.difference = format!("{id} is {:?} instead of {kept:?}", rows.get(id));
        } else if rows.len() != table.rows.len() {
            self.difference = format!("{} rows instead of {}", rows.len(), table.rows.len());
        } else if state != table.state {
            self.difference = format!("the checkpoint is {state:?} instead of {:?}", table.state);
        } else if !suspects.iter().eq(table.suspects.keys()) {
            self.difference = format!(
                "the suspects are {suspects:?} instead of {:?}",
                table.suspects
            );
        } else if !rejects.iter().eq(&table.rejects) {
            self.difference = format!("the rejects are {rejects:?} instead of {:?}", table.rejects);
        } else {
            return true;
        }
        false
    }

    /// The last difference that was found.
    pub fn difference(&self) -> &str {
        &self.difference
    }

    fn query(&self, text: String) -> Vec<sea_orm::QueryResult> {
        self.runtime
            .block_on(
                self.look
                    .query_all_raw(Statement::from_string(DbBackend::Sqlite, text)),
            )
            .unwrap()
    }

    fn rows<R: Kind>(&self, feed: Feed) -> BTreeMap<i64, Kept<R>> {
        let column = |(name, money): &(&str, bool)| {
            let amount = format!(
                "CASE WHEN \"{name}\" IS NULL THEN NULL ELSE printf('%.4f', \"{name}\") END AS \"{name}\""
            );
            if *money {
                amount
            } else {
                format!("\"{name}\"")
            }
        };
        let columns: Vec<String> = R::STORED.iter().map(column).collect();
        let stub = if feed.entity == Entity::Transactions {
            "0 AS is_stub"
        } else {
            "is_stub"
        };
        let (entity, place) = (feed.entity, 1000 + feed.organization);
        let text = format!(
            "SELECT id, absent_since IS NOT NULL AS absent, {stub}, {} FROM {entity} \
             WHERE organization_id = (SELECT o.id FROM organizations AS o WHERE o.classy_id = {place})",
            columns.join(", ")
        );
        let read = |row: &sea_orm::QueryResult| {
            let stub: bool = row.try_get("", "is_stub").unwrap();
            let record = (!stub).then(|| R::read_back(row).unwrap());
            (
                row.try_get("", "id").unwrap(),
                Kept {
                    record,
                    absent: row.try_get("", "absent").unwrap(),
                },
            )
        };
        self.query(text).iter().map(read).collect()
    }

    fn rejects(&self, feed: Feed) -> Vec<i64> {
        let (entity, place) = (feed.entity, 1000 + feed.organization);
        let text = format!(
            "SELECT DISTINCT r.source_id FROM rejects AS r JOIN organizations AS o ON o.id = r.organization_id \
             WHERE o.classy_id = {place} AND r.entity = '{entity}' AND r.resolved_at IS NULL ORDER BY r.source_id"
        );
        self.query(text)
            .iter()
            .map(|row| row.try_get("", "source_id").unwrap())
            .collect()
    }

    /// I6: what people gave and give a month is exactly what their gifts and plans say, and the
    /// program's own check finds nothing.
    pub fn exact(&self, memory: &Memory) -> Result<(), Violation> {
        let wrong = |text: String| Err(Violation::new("I6", text));
        for violations in self.runtime.block_on(self.store.check()).unwrap() {
            if violations.count > 0 {
                return wrong(format!("{}: {} times", violations.holds, violations.count));
            }
        }
        for (place, tables) in memory.0.iter().enumerate() {
            let text = format!(
                "SELECT s.id, printf('%.4f', lifetime_donation_amount) AS amount, lifetime_donation_count AS gifts, \
                 printf('%.4f', monthly_recurring_amount) AS monthly, last_donation_at AS last_gift \
                 FROM supporters AS s JOIN organizations AS o ON o.id = s.organization_id WHERE o.classy_id = {}",
                1000 + place
            );
            for row in self.query(text) {
                let id: i64 = row.try_get("", "id").unwrap();
                let number = |name: &str| {
                    row.try_get::<String>("", name)
                        .unwrap()
                        .parse::<Decimal>()
                        .unwrap()
                        .normalize()
                };
                let told = (
                    number("amount"),
                    row.try_get::<i64>("", "gifts").unwrap(),
                    row.try_get::<Option<Time>>("", "last_gift").unwrap(),
                    number("monthly"),
                );
                let is_gift = |gift: &&classy_sync::entities::Transaction| {
                    gift.supporter_id == Some(id)
                        && gift.status == "success"
                        && gift.total_gross_amount > Some(classy_sync::domain::Money::ZERO)
                };
                let gifts: Vec<_> = tables
                    .transactions
                    .present()
                    .map(|(_, gift)| gift)
                    .filter(is_gift)
                    .collect();
                let sum: Decimal = gifts
                    .iter()
                    .filter_map(|gift| gift.total_gross_amount)
                    .map(|amount| amount.decimal())
                    .sum();
                let last = gifts.iter().filter_map(|gift| gift.purchased_at).max();
                let plans = tables.plans.present().map(|(_, plan)| plan);
                let active = plans.filter(|plan| {
                    plan.supporter_id == Some(id) && plan.status == "active" && !plan.is_paused
                });
                let monthly =
                    MonthlyRate::monthly(active.filter_map(|plan| {
                        Some((plan.frequency.as_deref()?, plan.amount?.decimal()))
                    }));
                let fresh = (sum.normalize(), gifts.len() as i64, last, monthly);
                if told != fresh {
                    return wrong(format!(
                        "supporter {id} of {place}: stored are {told:?}, in truth {fresh:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}
