//! Several daemons on one database: they share the organizations, one takes over what a dead one
//! left, and one that lost its lease writes nothing.

use crate::backend::{Kind as Backend, kinds};
use crate::daemons::{EAGER, TAKE_OVER, end, signal, until};
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Options;
use std::time::Duration;

/// Who serves how many organizations.
async fn shares(site: &Site) -> Vec<i64> {
    site.numbers("SELECT COUNT(*) AS n FROM leases WHERE holder <> '' GROUP BY holder ORDER BY 1")
        .await
}

async fn two_share(kind: Backend) {
    let organizations: Vec<i64> = (20_001..=20_012).collect();
    let site = Site::new(
        kind,
        Options {
            organizations: organizations.clone(),
            ..world(20, 75)
        },
    )
    .await;
    site.configure(EAGER);
    let twin = site.twin();
    let mut first = site.start(&["run"]);
    until("one serves all", Duration::from_secs(60), async || {
        site.started().await && shares(&site).await == [12]
    })
    .await;
    let second = twin.start(&["run"]);
    until(
        "they share",
        TAKE_OVER,
        async || matches!(shares(&site).await.as_slice(), [a, b] if a + b == 12 && *a >= 1),
    )
    .await;
    // In the middle of it, one dies.
    site.simulator.world().live(20_001, 30);
    first.kill().unwrap();
    first.wait().unwrap();
    until("the other takes over", TAKE_OVER, async || {
        shares(&site).await == [12]
    })
    .await;
    for id in &organizations {
        site.simulator.world().live(*id, 5);
    }
    assert!(twin.run(&["sync"]).status.success());
    for id in &organizations {
        crate::truth::assert_exact(&site.simulator, &site.database, *id).await;
    }
    // Runs of one feed never overlap. One that was cut off by the kill has no end; the next began
    // after the lease had ended.
    let overlaps = "SELECT COUNT(*) AS n FROM sync_runs AS a JOIN sync_runs AS b ON a.organization_id = b.organization_id \
                    AND a.entity = b.entity AND a.id < b.id WHERE b.started_at < a.finished_at";
    assert_eq!(site.number(overlaps).await, 0, "{kind:?}");
    assert_eq!(end(second), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_share_the_organizations_and_one_takes_over_what_a_dead_one_left() {
    futures_util::future::join_all(kinds().into_iter().map(two_share)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_frozen_writes_nothing_after_it_lost_its_lease() {
    for kind in kinds().into_iter().take(2) {
        let site = Site::new(kind, world(60, 76)).await;
        site.configure(EAGER);
        let twin = site.twin();
        let frozen = site.start(&["run"]);
        until("it serves", Duration::from_secs(60), async || {
            site.started().await && site.runs(ORGANIZATION).await >= 8
        })
        .await;
        signal(&frozen, "-STOP");
        let other = twin.start(&["run"]);
        let by_other = format!(
            "SELECT COUNT(*) AS n FROM leases WHERE holder LIKE '%{}%'",
            twin.path().file_name().unwrap().to_str().unwrap()
        );
        until("the other takes over", TAKE_OVER, async || {
            site.reached(&by_other, 1).await
        })
        .await;
        let epoch = site.number("SELECT epoch AS n FROM leases").await;
        signal(&frozen, "-CONT");
        let runs = site.number("SELECT COUNT(*) AS n FROM sync_runs").await;
        until("the other goes on", Duration::from_secs(60), async || {
            site.number("SELECT COUNT(*) AS n FROM sync_runs").await >= runs + 12
        })
        .await;
        // With both there again it may be handed over, by the rule of shares. Nobody takes it back.
        let number = site.number("SELECT epoch AS n FROM leases").await;
        assert!(number >= epoch, "{kind:?}: {number} after {epoch}");
        // A run of the frozen one that wrote its end would overlap with those of the other.
        let overlaps = "SELECT COUNT(*) AS n FROM sync_runs AS a JOIN sync_runs AS b ON a.entity = b.entity AND a.id < b.id \
                        WHERE b.started_at < a.finished_at";
        assert_eq!(site.number(overlaps).await, 0, "{kind:?}");
        site.simulator.world().live(ORGANIZATION, 20);
        assert!(twin.run(&["sync"]).status.success());
        site.assert_exact().await;
        assert_eq!((end(frozen), end(other)), (Some(0), Some(0)));
    }
}
