//! A no counts, also in a record of which nothing else can be stored.

use crate::backend::{Kind as Backend, kinds};
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Kind;

/// Supporters of whom it is stored that they may be mailed, must not be, and the consent entries of the audit trail.
async fn consents(site: &Site, id: i64) -> (i64, i64, i64) {
    let is = |flag: &str| if site.database.kind == Backend::Postgres { flag.to_owned() } else { format!("{flag} = 1") };
    let not = |flag: &str| if site.database.kind == Backend::Postgres { format!("NOT {flag}") } else { format!("{flag} = 0") };
    let count =
        async |condition: String| site.number(&format!("SELECT COUNT(*) AS n FROM supporters WHERE id = {id} AND {condition}")).await;
    let noted = format!("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'supporter.consent_changed' AND subject = 'supporter:{id}'");
    (count(is("email_opt_in")).await, count(not("email_opt_in")).await, site.number(&noted).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_in_a_record_that_cannot_be_stored_is_heard() {
    let name = format!("\"{}\"", "x".repeat(4_001));
    let long = format!("\"{}\"", "x".repeat(200_000));
    for kind in kinds() {
        for (field, value) in
            [("first_name", name.as_str()), ("phone", "{\"number\":1}"), ("created_at", "\"garbage\""), ("first_name", &long)]
        {
            let site = Site::new(kind, world(30, 320)).await;
            let person = |site: &Site| {
                let mut world = site.simulator.world();
                let list = world.list(ORGANIZATION, Kind::Supporters).unwrap();
                list.iter().find(|record| record.get("opt_in").as_deref() == Some("true")).unwrap().id
            };
            let id = person(&site);
            let before =
                site.simulator.world().list(ORGANIZATION, Kind::Supporters).unwrap().get(id).unwrap().get(field).unwrap().into_owned();
            site.sync();
            assert_eq!(consents(&site, id).await, (1, 0, 0), "{kind:?} {field}");
            let edit = |changes: &[(&str, String)]| site.simulator.world().edit(ORGANIZATION, Kind::Supporters, id, changes, true);
            assert!(edit(&[("opt_in", "false".to_owned()), (field, value.to_owned())]));
            assert_eq!(site.run(&["sync"]).status.code(), Some(3), "{kind:?} {field}: the record is told as one that cannot be stored");
            assert_eq!(consents(&site, id).await, (0, 1, 1), "{kind:?} {field}");
            site.run(&["sync", "--full"]);
            assert_eq!(consents(&site, id).await, (0, 1, 1), "{kind:?} {field}: once");
            // A yes in such a record is none.
            assert!(edit(&[("opt_in", "true".to_owned())]));
            site.run(&["sync"]);
            assert_eq!(consents(&site, id).await, (0, 1, 1), "{kind:?} {field}");
            // As it was when it was stored: what is written anew shows that the no was not forgotten as long as it stood.
            assert!(edit(&[(field, before)]));
            site.json(&["sync"], 0);
            assert_eq!(consents(&site, id).await, (1, 0, 2), "{kind:?} {field}");
            site.assert_exact().await;
        }
    }
}
