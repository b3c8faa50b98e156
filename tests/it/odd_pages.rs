//! A page that shows something else than records, or sends us elsewhere, costs what is on it and
//! nothing else.

use crate::alerting::{behind, origin};
use crate::backend::Kind;
use crate::peers::Front;
use crate::site::{Site, feed, world};

/// Of the second page of supporters, however large it is; not of parts of it.
const SECOND: &str = "/supporters?page=2&per_page=100&";

async fn fronted(seed: u64) -> (Site, Front) {
    let site = Site::new(Kind::Sqlite, world(250, seed)).await;
    let front = Front::at("127.0.0.1:0", &origin(&site)).await;
    behind(&site, &front, 10001);
    (site, front)
}

/// A page of rows that name no record.
fn page_of(row: &str, rows: usize) -> &'static str {
    let rows = vec![row; rows].join(",");
    format!(
        "{{\"total\":250,\"per_page\":100,\"current_page\":2,\"last_page\":3,\"data\":[{rows}]}}"
    )
    .leak()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_name_no_record_are_asked_for_in_another_way() {
    let (site, front) = fronted(651).await;
    front.say(SECOND, page_of("\"x\"", 100));
    // It is told that rows could not be read, though all records were found in smaller pages.
    let report = site.json(&["sync"], 3);
    assert_eq!(feed(&report, "supporters")["inserted"], 250, "{report}");
    site.assert_exact().await;
    let open = "SELECT COUNT(*) AS n FROM rejects WHERE resolved_at IS NULL";
    assert_eq!(site.number(open).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_never_name_a_record_are_lacking_until_they_do() {
    let (site, front) = fronted(653).await;
    front.say("/supporters?page=3&", page_of("null", 50));
    let report = site.json(&["sync"], 3);
    assert_eq!(
        feed(&report, "supporters")["outcome"],
        "incomplete",
        "{report}"
    );
    let health = site.json(&["health"], 0);
    assert_eq!(health["verdict"], "degraded", "{health}");
    let told = health.to_string();
    assert!(told.contains("cannot be read"), "{told}");
    // Soon, and not with the next full reading of the calendar.
    front.answer("/supporters?page=3&", 200);
    site.json(&["sync"], 0);
    site.assert_exact().await;
    let open = "SELECT COUNT(*) AS n FROM rejects WHERE resolved_at IS NULL";
    assert_eq!(site.number(open).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_sends_us_elsewhere_is_read_in_parts_and_other_lists_are_read() {
    let (site, front) = fronted(652).await;
    front.answer(SECOND, 302);
    site.json(&["sync"], 0);
    site.assert_exact().await;
    // All of the list.
    front.answer("/supporters?", 302);
    let edited = {
        let mut world = site.simulator.world();
        let gifts = classy_sync::simulator::Kind::Transactions;
        let id = world.list(10001, gifts).unwrap().iter().next().unwrap().id;
        let comment = [("comment", "\"Thank you\"".to_owned())];
        world.edit(10001, gifts, id, &comment, true);
        format!("SELECT COUNT(*) AS n FROM transactions WHERE id = {id} AND comment = 'Thank you'")
    };
    let output = site.run(&["sync"]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(site.number(&edited).await, 1);
}
