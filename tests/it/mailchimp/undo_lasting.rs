//! What an undo goes by outlives kills in the push and in the undo itself; it is kept for a while
//! and then removed.

use super::Charity;
use super::undoing::{by_hand, has};
use crate::backend::{Kind, kinds};
use crate::site::world;
use chrono::{TimeDelta, Utc};
use classy_sync::store::Retention;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_mended_in_mailchimp_is_left_as_it_is_by_an_undo_and_after_it() {
    let charity = Charity::new(Kind::Sqlite, world(60, 305)).await;
    charity.configure();
    charity.site.sync();
    let people: Vec<i64> = charity.alone().into_iter().take(2).collect();
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    let before = charity.field(&emails[1], "FNAME");
    let since = Utc::now().to_rfc3339();
    for id in &people {
        charity.edit(*id, "first_name", "\"Wrong\"");
    }
    charity.site.sync();
    assert_eq!(charity.field(&emails[0], "FNAME"), "Wrong");
    charity.act(by_hand(&emails[0], "FNAME", json!("Mine")));
    charity.undo_approved(&since);
    for _ in 0..2 {
        charity.site.sync();
        assert_eq!(charity.field(&emails[0], "FNAME"), "Mine");
        assert_eq!(charity.field(&emails[1], "FNAME"), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_push_and_in_the_undo_it_is_exact_in_the_end() {
    let charity = Charity::new(Kind::Sqlite, world(90, 302)).await;
    charity.configure();
    charity.site.sync();
    let people = charity.givers(24).await;
    let before = charity.snapshot();
    let since = Utc::now().to_rfc3339();
    people.iter().for_each(|id| charity.give(*id, "40000"));
    charity.site.json(&["sync", "--no-plugins"], 0);
    // The push is cut off while its answer is on the way.
    charity.site.simulator.mailchimp().switches.latency_ms = 150;
    let mut child = charity.site.start(&["plugin", "run"]);
    let writes = charity.count_writes();
    while charity.count_writes() == writes {
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be killed"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    charity.site.simulator.mailchimp().switches.latency_ms = 0;
    charity.site.json(&["plugin", "run"], 0);
    assert!(people.iter().all(|id| {
        charity
            .tags(&charity.email(*id))
            .contains(&"Classy-Transformational".to_owned())
    }));

    assert!(has(&charity.undo(&since), "held"));
    charity.site.json(
        &[
            "plugin", "approve", "--org", "10001", "--kind", "undo", "--yes",
        ],
        0,
    );
    charity.site.simulator.mailchimp().switches.latency_ms = 40;
    let mut cuts = 0;
    for step in 1..40 {
        let mut child = charity.site.start(&["plugin", "run"]);
        let (writes, wanted) = (charity.count_writes(), 1 + step % 7);
        let ended = loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if child.try_wait().unwrap().is_some() {
                break true;
            }
            if charity.count_writes() >= writes + wanted {
                break false;
            }
        };
        if ended {
            break;
        }
        cuts += 1;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(cuts > 1, "{cuts}");
    charity.site.simulator.mailchimp().switches.latency_ms = 0;
    charity.site.json(&["plugin", "run"], 0);
    assert_eq!(charity.snapshot(), before);
    charity.assert_harmless();
    let rows = charity.undo(&since);
    assert!(!has(&rows, "taken_back") && !has(&rows, "held"), "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_kept_for_a_while_and_then_removed() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 304)).await;
        charity.configure();
        let since = Utc::now().to_rfc3339();
        charity.site.sync();
        assert_eq!(
            charity
                .site
                .run(&[
                    "plugin",
                    "undo",
                    "--since",
                    "2026-01-01",
                    "--plugin",
                    "webhook"
                ])
                .status
                .code(),
            Some(78)
        );
        let images = charity
            .site
            .number("SELECT COUNT(*) AS n FROM plugin_images")
            .await;
        assert!(images > 0, "{kind:?}");
        let (store, _) = charity.store().await;
        let kept = Retention {
            before_images: Some(TimeDelta::days(30)),
            ..Retention::default()
        };
        assert_eq!(
            store
                .prune(&kept, Utc::now() + TimeDelta::days(29))
                .await
                .unwrap()
                .before_images,
            0
        );
        assert_eq!(
            store
                .prune(&kept, Utc::now() + TimeDelta::days(31))
                .await
                .unwrap()
                .before_images,
            images as u64,
            "{kind:?}"
        );
        store.close().await.unwrap();
        assert_eq!(charity.undo(&since), json!([]));
    }
}
