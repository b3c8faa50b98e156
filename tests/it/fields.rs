//! What Classy has of a record and nobody keeps is listed, so that news there is noticed.

use crate::backend::kinds;
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::{Fault, Kind};

/// Feed, field and when it was first seen.
fn fields(site: &Site) -> Vec<(String, String, String)> {
    let told = site.json(&["db", "fields"], 0);
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    told.as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                text(one, "feed"),
                text(one, "field"),
                text(one, "first_seen_at"),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_nobody_keeps_is_listed_from_the_day_on_which_it_was_first_seen() {
    for kind in kinds() {
        let site = Site::new(kind, world(60, 311)).await;
        site.sync();
        let before = fields(&site);
        let has = |list: &[(String, String, String)], feed: &str, field: &str| {
            list.iter().any(|one| one.0 == feed && one.1 == field)
        };
        assert!(
            has(&before, "transactions", "metadata")
                && has(&before, "campaigns", "hide_from_profile"),
            "{kind:?}: {before:?}"
        );
        for (feed, kept) in [
            ("supporters", "email_address"),
            ("supporters", "id"),
            ("transactions", "utm"),
            ("designations", "goal"),
        ] {
            assert!(!has(&before, feed, kept), "{kind:?}: {feed}.{kept} is kept");
        }
        assert!(!has(&before, "campaigns", "studio_template_id"), "{kind:?}");
        // Nothing new, nothing written.
        site.sync();
        assert_eq!(fields(&site), before, "{kind:?}");
        // Classy serves more from now on.
        site.simulator
            .world()
            .set_faults(vec![Fault::NewKeys, Fault::TypeNoise]);
        site.simulator.world().add(ORGANIZATION, Kind::Campaigns);
        site.sync();
        let after = fields(&site);
        assert!(
            has(&after, "campaigns", "studio_template_id")
                && has(&after, "campaigns", "brand_new_key"),
            "{kind:?}: {after:?}"
        );
        let last = before.iter().map(|one| &one.2).max().unwrap();
        let news = after.iter().filter(|one| !before.contains(one));
        assert!(
            news.clone().count() > 0 && news.clone().all(|one| one.2 > *last),
            "{kind:?}: {news:?}"
        );
        assert!(
            before.iter().all(|one| after.contains(one)),
            "{kind:?}: what was seen stays"
        );
    }
}
