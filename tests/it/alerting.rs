//! What tests of alerts share: feeds that look all the time, what is open and what was told, and
//! organizations behind one front.

use crate::backend::Kind;
use crate::peers::{Front, Listener};
use crate::site::{Site, world};
use crate::web::Daemon;
use classy_sync::simulator::Options;
use std::time::Duration;

pub const LONG: Duration = Duration::from_secs(60);

/// Two looks, and what the database may take to be given up on.
pub const SOON: Duration = Duration::from_secs(2 * 5 + 4);

/// Feeds that look for changes all the time.
pub const EAGER: &str = "[sync]\nsupporters = \"2s\"\ncampaigns = \"2s\"\ndesignations = \"2s\"\nfundraising_pages = \"2s\"\n\
     transactions = \"2s\"\nrecurring_plans = \"2s\"\n";

pub async fn verdict(daemon: &Daemon) -> String {
    daemon.get("/api/v1/health").await.json()["verdict"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Notices about one cause.
pub fn told(listener: &Listener, word: &str, cause: &str) -> usize {
    listener
        .heard()
        .iter()
        .filter(|text| text.contains(word) && text.contains(cause))
        .count()
}

/// Open alerts: whose, about what, in which words.
pub async fn open(daemon: &Daemon) -> Vec<(Option<i64>, String, String)> {
    let alerts = daemon.get("/api/v1/alerts").await.json();
    let word = |alert: &serde_json::Value, key: &str| alert[key].as_str().unwrap().to_owned();
    alerts
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| {
            (
                alert["classy_id"].as_i64(),
                word(alert, "key"),
                word(alert, "message"),
            )
        })
        .collect()
}

/// Organizations with somebody in front of their Classy, and somebody who hears of alerts.
pub async fn fronted(organizations: Vec<i64>, seed: u64) -> (Site, Front, Listener) {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: organizations.clone(),
            ..world(30, seed)
        },
    )
    .await;
    let front = Front::at("127.0.0.1:0", &origin(&site)).await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n{EAGER}", listener.url));
    for id in organizations {
        behind(&site, &front, id);
    }
    (site, front, listener)
}

pub fn origin(site: &Site) -> String {
    url::Url::parse(&site.simulator.base_url())
        .unwrap()
        .origin()
        .ascii_serialization()
}

pub fn behind(site: &Site, front: &Front, id: i64) {
    let (base, token) = (
        front.url(&site.simulator.base_url()),
        front.url(&site.simulator.token_url()),
    );
    site.write_organization(
        id,
        &format!("client-{id}"),
        &format!("secret-of-{id}"),
        &base,
        &token,
    );
}
