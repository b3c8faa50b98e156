//! The sync engine over a source of one's own: here a list in memory that changes between two runs.
//!
//! `cargo run --example own_source` reads it twice into a SQLite file and shows what was stored. A
//! source answers four questions (`Source`); that nothing is lost however it pages, fails or
//! changes meanwhile is the engine's work, and what `tests/simulation` proves.

use classy_sync::domain::{Answer, Clocks, Item, Page, Query, Task, Time};
use classy_sync::entities::Entity;
use classy_sync::entities::designation::Designation;
use classy_sync::store::{self, Store};
use classy_sync::sync::{FencedStore, Quiet, Run, Settings};
use classy_sync::{classy, clock, sync};
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A list that is in memory.
struct Ledger {
    designations: Vec<Designation>,
}

impl Ledger {
    /// When it answers. A source that tells no time of its own is judged by this machine's.
    fn clocks() -> Clocks {
        Clocks {
            theirs: None,
            ours: clock::now(),
        }
    }
}

impl sync::Source<Designation> for Ledger {
    async fn page(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> Result<Page<Designation>, classy::Error> {
        let changed_since = |from: Time| {
            move |one: &&Designation| one.source_updated_at.is_some_and(|at| at >= from)
        };
        let mut all: Vec<&Designation> = match query {
            Query::All | Query::PurchasedSince(_) => self.designations.iter().collect(),
            Query::Since(from) | Query::LatestSince(from) => self
                .designations
                .iter()
                .filter(changed_since(from))
                .collect(),
        };
        match query {
            Query::All | Query::PurchasedSince(_) => all.sort_by_key(|one| one.id),
            Query::Since(_) => all.sort_by_key(|one| (one.source_updated_at, one.id)),
            Query::LatestSince(_) => {
                all.sort_by_key(|one| std::cmp::Reverse((one.source_updated_at, one.id)));
            }
        }
        let skipped = (page.saturating_sub(1) * per_page) as usize;
        let items = all.iter().skip(skipped).take(per_page as usize);
        Ok(Page {
            items: items.map(|one| Item::Good((*one).clone())).collect(),
            total: all.len() as u64,
            ..Page::empty(Ledger::clocks())
        })
    }

    async fn part(
        &self,
        query: Query,
        page: u32,
        per_page: u32,
    ) -> Result<Page<Designation>, classy::Error> {
        self.page(query, page, per_page).await
    }

    async fn one(&self, id: i64) -> Result<Answer<Designation>, classy::Error> {
        let found = self.designations.iter().find(|one| one.id == id);
        Ok(found.map_or(Answer::Gone, |one| Answer::Stored(Item::Good(one.clone()))))
    }

    async fn answers(&self) -> Result<Clocks, classy::Error> {
        Ok(Ledger::clocks())
    }

    fn concurrency(&self) -> usize {
        1
    }
}

fn designation(id: i64, name: &str, updated_at: Time) -> Designation {
    Designation {
        id,
        name: Some(name.to_owned()),
        source_updated_at: Some(updated_at),
        ..Designation::default()
    }
}

/// Reads the source twice, with a change and a deletion in between, and answers how many records
/// were new, changed and gone in each run.
async fn read_twice(store: &Store) -> Result<[(u64, u64, u64); 2], Box<dyn Error>> {
    store.migrate().await?;
    let organization = store.put_organization(10_001, "A charity").await?;
    let tenant = store.tenant(&organization);
    // Whoever writes holds the organization's lease; each commit is refused once it is lost.
    let fence = tenant
        .acquire("an example", Duration::from_secs(60))
        .await?;
    let sink = FencedStore::new(tenant, fence);
    let (settings, stop) = (Settings::default(), CancellationToken::new());
    let before = clock::now() - chrono::TimeDelta::hours(1);
    let mut source = Ledger {
        designations: (1..=250)
            .map(|id| designation(id, &format!("Fund {id}"), before))
            .collect(),
    };
    let first = Run::new(&source, &sink, &settings, &stop, &Quiet)
        .execute(Task::CatchUp)
        .await;
    first.result?;
    source.designations[0] = designation(1, "Renamed", clock::now());
    source.designations.pop();
    let second = Run::new(&source, &sink, &settings, &stop, &Quiet)
        .execute(Task::Full)
        .await;
    second.result?;
    Ok(
        [first.counts, second.counts]
            .map(|counts| (counts.inserted, counts.updated, counts.absent)),
    )
}

async fn open(folder: &Path) -> Result<Store, store::Error> {
    let file = folder.join("own_source.db");
    Store::connect(&store::Settings {
        url: format!("sqlite://{}", file.display()).into(),
        max_connections: 2,
    })
    .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = open(folder.path()).await?;
    for (new, changed, gone) in read_twice(&store).await? {
        println!("{new} new, {changed} changed, {gone} gone");
    }
    store.close().await?;
    println!("what was read of {} is stored", Entity::Designations);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_changed_and_what_vanished_is_found_by_the_second_run() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await.unwrap();
        let runs = read_twice(&store).await.unwrap();
        assert_eq!(runs, [(250, 0, 0), (0, 1, 1)]);
        store.close().await.unwrap();
    }
}
