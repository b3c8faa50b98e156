//! What supporters gave and campaigns raised adds up, whatever became of the load.

use crate::backend::{Kind as Backend, kinds};
use crate::lacking::front;
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::simulator::Kind;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

const GIFTS: &str = "SELECT COUNT(*) AS n FROM transactions";
const DONORS: &str = "SELECT COUNT(*) AS n FROM supporters WHERE lifetime_donation_count > 0";

/// Supporters or campaigns whose number of gifts is not that of the rows that are there.
async fn wrong(site: &Site, table: &str, link: &str, count: &str) -> i64 {
    site.number(&format!(
        "SELECT COUNT(*) AS n FROM {table} AS s WHERE s.{count} <> (SELECT COUNT(*) FROM transactions AS t \
         WHERE t.organization_id = s.organization_id AND t.{link} = s.id AND t.status = 'success' AND t.total_gross_amount > 0)"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_that_fails_amid_the_gifts_leaves_totals_that_add_up() {
    for kind in kinds() {
        let site = Site::new(kind, world(1_500, 96)).await;
        let front = front(&site).await;
        // Only the gifts have so many pages.
        front.limit("page=80", 3_600);
        let output = site.run(&["--output", "json", "sync"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            feed(&report, "transactions")["outcome"],
            "failed",
            "{kind:?}: {report}"
        );
        let there = site.number(GIFTS).await;
        assert!(there > 1_000, "{kind:?}: {there} gifts");
        assert!(site.number(DONORS).await > 100, "{kind:?}");
        for (table, link, count) in [
            ("supporters", "supporter_id", "lifetime_donation_count"),
            ("campaigns", "campaign_id", "transactions_count"),
        ] {
            assert_eq!(
                wrong(&site, table, link, count).await,
                0,
                "{kind:?}: {table}"
            );
        }
        front.answer("page=80", 200);
        site.sync();
        assert!(site.number(GIFTS).await > there, "{kind:?}");
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_without_a_price_is_no_gift_anywhere() {
    for kind in kinds() {
        let site = Site::new(kind, world(40, 97)).await;
        let price = |id: i64, amount: &str| {
            let value = format!("\"{amount}\"");
            let change = [("total_gross_amount", value)];
            let mut world = site.simulator.world();
            world.edit(ORGANIZATION, Kind::Transactions, id, &change, true);
        };
        // Somebody whose gifts are all free, and one whose last one is.
        let rows = "SELECT id AS n FROM transactions WHERE status = 'success' AND supporter_id IS NOT NULL AND campaign_id IS NOT NULL ORDER BY id";
        site.sync();
        let all = site.numbers(rows).await;
        let (free, other) = (all[0], all[all.len() - 1]);
        price(free, "0.00");
        site.sync();
        site.assert_exact().await;
        let gifts = "SELECT CAST(SUM(lifetime_donation_count) AS {}) AS n FROM supporters".replace(
            "{}",
            if kind == Backend::MySql {
                "SIGNED"
            } else {
                "BIGINT"
            },
        );
        let before = site.number(&gifts).await;
        price(free, "5.00");
        site.sync();
        assert_eq!(site.number(&gifts).await, before + 1, "{kind:?}");
        price(other, "0");
        site.sync();
        assert_eq!(site.number(&gifts).await, before, "{kind:?}");
        site.assert_exact().await;
        let views = "SELECT COUNT(*) AS n FROM gifts WHERE supporter_id IS NOT NULL";
        assert_eq!(site.number(views).await, before, "{kind:?}");
        let checked = site.json(&["db", "check"], 0).to_string();
        assert!(!checked.contains("\"violations\":1"), "{kind:?}: {checked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_below_its_tables_is_found() {
    let site = Site::new(Backend::Sqlite, world(20, 98)).await;
    site.sync();
    site.json(&["db", "check"], 0);
    // The end of an index's first page; every table is as it was.
    let root = "SELECT rootpage AS n FROM sqlite_schema WHERE name = 'supporters_updated'";
    let (size, root) = (
        site.number("SELECT page_size AS n FROM pragma_page_size")
            .await as u64,
        site.number(root).await as u64,
    );
    let file = site.path().join("test.db");
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(root * size - 60)).unwrap();
    file.write_all(&[0; 60]).unwrap();
    let checked = site.json(&["db", "check"], 65);
    let damaged = checked.as_array().unwrap().iter();
    let damaged: Vec<_> = damaged.filter(|one| one["violations"] != 0).collect();
    assert_eq!(damaged.len(), 1, "{checked}");
    assert_eq!(damaged[0]["invariant"], "file", "{checked}");
}
