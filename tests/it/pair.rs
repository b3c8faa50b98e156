//! Two organizations, each with its audience, for tests of what is ordered for one of them.

use crate::backend::Kind;
use crate::daemons::EAGER;
use crate::site::{Site, world};
use classy_sync::simulator::Options;
use std::time::Duration;

pub const SOON: Duration = Duration::from_secs(30);

pub const OTHER: i64 = 10002;

/// A site of two organizations, each with Mailchimp, whose lists take long to read.
pub async fn site(seed: u64) -> Site {
    let latency = Duration::from_millis(30);
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, OTHER],
            latency,
            ..world(4_000, seed)
        },
    )
    .await;
    site.configure(EAGER);
    for id in [10001, OTHER] {
        add_mailchimp(&site, id);
    }
    site
}

pub fn add_mailchimp(site: &Site, id: i64) {
    let (key, audience) = {
        let world = site.simulator.world();
        let one = &world.organizations[&id];
        (one.mailchimp_key.clone(), one.mailchimp_audience.clone())
    };
    let file = site.path().join(format!("organizations/{id}.toml"));
    let url = site.simulator.mailchimp_url();
    let table = format!(
        "[plugins.mailchimp]\nbase_url = {url:?}\napi_key = {key:?}\naudience_id = {audience:?}\n"
    );
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + &table).unwrap();
}
