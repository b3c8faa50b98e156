//! An audience in which something changes all the time.

use super::Charity;
use crate::backend::Kind;
use crate::site::world;
use classy_sync::simulator::{Act, Status};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Contacts that were there before us.
const CROWD: u64 = 6_000;

fn somebody(number: u64) -> String {
    format!("crowd{number}@town.org")
}

impl Charity {
    /// Contacts by status as the mirror has them, and as they are.
    async fn mirror(&self) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
        let (store, tenant) = self.store().await;
        let mirror = tenant
            .member_counts(&self.ledger_key(), None)
            .await
            .unwrap();
        store.close().await.unwrap();
        let mut there: BTreeMap<String, i64> = BTreeMap::new();
        for member in self.site.simulator.mailchimp().audiences[&self.audience].members() {
            *there.entry(member.status.as_str().to_owned()).or_default() += 1;
        }
        (
            mirror
                .into_iter()
                .map(|(word, count)| (word, count as i64))
                .collect(),
            there,
        )
    }

    /// Where the pages of the first reading of the list began; later looks ask for what changed
    /// since.
    fn first_reading(&self) -> Vec<u64> {
        let harm = self.harm();
        let pages = harm
            .requests
            .iter()
            .filter(|request| request.endpoint == "GET /lists/{list_id}/members");
        let asked = pages.map(|request| {
            request
                .query
                .iter()
                .cloned()
                .collect::<BTreeMap<String, String>>()
        });
        let first = asked.filter(|query| {
            !query.contains_key("status") && !query.contains_key("since_last_changed")
        });
        first
            .filter_map(|query| query.get("offset")?.parse().ok())
            .collect()
    }

    fn pages(&self) -> u64 {
        self.harm().calls_of("GET /lists/{list_id}/members")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_that_never_stands_still_is_read_and_a_reading_that_was_cut_off_goes_on() {
    let charity = Arc::new(Charity::new(Kind::Sqlite, world(60, 95)).await);
    let opted_out = charity.alone().into_iter().next().unwrap();
    for number in 0..CROWD {
        charity.act(Act::SignUp(somebody(number)));
    }
    // One who refuses signs nothing up, but was put there by us before.
    charity.site.simulator.mailchimp().switches.latency_ms = 100;
    let (ends, changes) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let crowd = tokio::spawn({
        let (charity, ends, changes) = (
            Arc::clone(&charity),
            Arc::clone(&ends),
            Arc::clone(&changes),
        );
        async move {
            while !ends.load(Ordering::SeqCst) {
                let number = changes.fetch_add(1, Ordering::SeqCst);
                // Those whom the reading has behind it, and those before it.
                let email = somebody(number * 613 % CROWD);
                charity.act(match number % 5 {
                    0 => Act::Unsubscribe(email),
                    1 => Act::Archive(email),
                    2 => Act::SignUp(format!("new{number}@town.org")),
                    _ => Act::SignUp(email),
                });
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    });
    // A process that dies amid the reading.
    charity.site.simulator.mailchimp().ledger.clear();
    let first = tokio::spawn({
        let charity = Arc::clone(&charity);
        async move { charity.deliver().await.map(drop) }
    });
    while charity.pages() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    charity.end_lease().await;
    charity.site.simulator.mailchimp().ledger.clear();
    let done = charity.deliver().await.unwrap();
    assert_eq!(
        done.delivered as usize,
        charity.consented().len(),
        "{done:?}"
    );
    let begun = charity.first_reading();
    assert!(
        begun.iter().all(|offset| *offset > 2_000) && !begun.is_empty(),
        "{begun:?}: what was read before is not read again"
    );
    assert!(changes.load(Ordering::SeqCst) > 10, "it never stood still");
    // An opt-out does not wait either.
    charity.opt(opted_out, false);
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(
        charity.status(&charity.email(opted_out)),
        Status::Unsubscribed.as_str()
    );
    ends.store(true, Ordering::SeqCst);
    crowd.await.unwrap();
    charity.deliver().await.unwrap();
    let (mirror, there) = charity.mirror().await;
    assert_eq!(mirror, there);
    charity.assert_harmless();
}
