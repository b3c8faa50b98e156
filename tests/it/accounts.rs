//! An account at Mailchimp as its operator meets it: previewed before anything is written, its
//! credentials tested, and shared by organizations without sharing an audience.

use crate::audience::{addresses, with_mailchimp, with_mailchimp_of};
use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Options;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_and_a_dry_run_too_and_neither_writes_anywhere() {
    let site = Site::new(Kind::Sqlite, world(100, 85)).await;
    with_mailchimp(&site, "");
    site.json(&["sync", "--no-plugins"], 0);
    let rows = async || {
        let tables = [
            "plugin_deliveries",
            "plugin_members",
            "plugin_states",
            "audit_log",
        ];
        let mut counts = Vec::new();
        for table in tables {
            counts.push(site.count(table).await.unwrap());
        }
        counts
    };
    let before = rows().await;
    assert!(
        site.json(&["plugin", "preview"], 0)[0]
            .get("email")
            .is_none(),
        "addresses are for who asks for them"
    );
    let preview = site.json(&["plugin", "preview", "--show-people"], 0);
    let known = addresses(&site).await;
    let adds: BTreeSet<String> = preview
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["action"] == "add")
        .map(|row| row["email"].as_str().unwrap().to_owned())
        .collect();
    let may: BTreeSet<String> = known
        .iter()
        .filter(|(_, holder)| holder.consents && !holder.refuses)
        .map(|(address, _)| address.clone())
        .collect();
    assert_eq!(adds, may);
    assert!(
        preview
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["action"] == "skip")
            .all(|row| row["reason"].is_string())
    );
    let dry = site.json(&["sync", "--dry-run"], 0);
    assert_eq!(
        dry["plugins"].as_array().unwrap().len(),
        preview.as_array().unwrap().len()
    );
    let csv =
        String::from_utf8(site.run(&["plugin", "preview", "--format", "csv"]).stdout).unwrap();
    assert_eq!(csv.lines().count(), preview.as_array().unwrap().len() + 1);
    assert!(site.simulator.mailchimp().ledger.writes.is_empty());
    assert_eq!(rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_credentials_asks_mailchimp_too() {
    let site = Site::new(Kind::Sqlite, world(5, 87)).await;
    with_mailchimp(&site, "");
    let rows = site.json(&["org", "test"], 0);
    assert_eq!(
        (&rows[1]["name"], &rows[1]["works"]),
        (&"mailchimp".into(), &true.into()),
        "{rows}"
    );
    site.simulator.mailchimp().accounts[0].revoked = true;
    let output = site.run(&["org", "test"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(77), "{error}");
    assert!(
        error.contains("mailchimp") && !error.contains("-us1"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_cannot_share_an_audience() {
    let site = Site::new(Kind::Sqlite, world(5, 86)).await;
    with_mailchimp(&site, "");
    let path = site
        .path()
        .join(format!("organizations/{ORGANIZATION}.toml"));
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace(&ORGANIZATION.to_string(), "10002");
    std::fs::write(site.path().join("organizations/other.toml"), text).unwrap();
    let output = site.run(&["config", "check"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{error}");
    assert!(
        error.contains("plugins.mailchimp") && error.contains("other.toml"),
        "{error}"
    );
    assert_eq!(site.run(&["sync"]).status.code(), Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_of_one_account_share_its_connections() {
    let organizations = vec![ORGANIZATION, 10002];
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: organizations.clone(),
            shared_account: true,
            ..world(1_400, 83)
        },
    )
    .await;
    organizations
        .iter()
        .for_each(|id| with_mailchimp_of(&site, *id, "connections = 2\n"));
    site.simulator.mailchimp().switches.latency_ms = 300;
    let report = site.sync();
    for organization in report["organizations"].as_array().unwrap() {
        // More than one call's worth each, so that either could fill the connections alone.
        assert!(
            organization["plugins"][0]["delivered"].as_u64().unwrap() > 500,
            "{report}"
        );
    }
    let mailchimp = site.simulator.mailchimp();
    assert_eq!(
        mailchimp.ledger.in_flight_max.values().collect::<Vec<_>>(),
        [&2],
        "both were at work at once, within what both may"
    );
    assert_eq!(mailchimp.ledger.found(), Vec::<String>::new());
}
