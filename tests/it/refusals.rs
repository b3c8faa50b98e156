//! A no counts, also in a record of which nothing else can be stored.

use crate::backend::{Kind as Backend, kinds};
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::Kind;

/// Of these supporters: how many may be mailed by what is stored, how many must not be, and the
/// consent entries of the audit trail.
async fn consents(site: &Site, ids: &[i64]) -> [i64; 3] {
    let is_postgres = site.database.kind == Backend::Postgres;
    let list = |separator: &str, text: &str| {
        ids.iter()
            .map(|id| text.replace("ID", &id.to_string()))
            .collect::<Vec<_>>()
            .join(separator)
    };
    let (yes, no) = if is_postgres {
        ("email_opt_in", "NOT email_opt_in")
    } else {
        ("email_opt_in = 1", "email_opt_in = 0")
    };
    let people = async |flag: &str| {
        site.number(&format!(
            "SELECT COUNT(*) AS n FROM supporters WHERE id IN ({}) AND {flag}",
            list(", ", "ID")
        ))
        .await
    };
    let subjects = list(", ", "'supporter:ID'");
    let noted = format!(
        "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'supporter.consent_changed' AND subject IN ({subjects})"
    );
    [
        people(yes).await,
        people(no).await,
        site.number(&noted).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_in_a_record_that_cannot_be_stored_is_heard() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length));
    let ways = [
        ("first_name", text(4_001)),
        ("last_name", text(200_000)),
        ("phone", "{\"number\":1}".to_owned()),
        ("created_at", "\"garbage\"".to_owned()),
    ];
    for kind in kinds() {
        let site = Site::new(kind, world(30, 320)).await;
        let ids: Vec<i64> = {
            let mut world = site.simulator.world();
            let list = world.list(ORGANIZATION, Kind::Supporters).unwrap();
            let agreed = list
                .iter()
                .filter(|record| record.get("opt_in").as_deref() == Some("true"));
            agreed.map(|record| record.id).take(ways.len()).collect()
        };
        let edit = |id: i64, field: &str, value: &str| {
            let changes = [(field, value.to_owned())];
            assert!(
                site.simulator
                    .world()
                    .edit(ORGANIZATION, Kind::Supporters, id, &changes, true),
                "{field}"
            );
        };
        let before = |id: i64, field: &str| {
            let mut world = site.simulator.world();
            world
                .list(ORGANIZATION, Kind::Supporters)
                .unwrap()
                .get(id)
                .unwrap()
                .get(field)
                .unwrap()
                .into_owned()
        };
        let old: Vec<String> = ids
            .iter()
            .zip(&ways)
            .map(|(id, (field, _))| before(*id, field))
            .collect();
        site.sync();
        assert_eq!(consents(&site, &ids).await, [4, 0, 0], "{kind:?}");
        for (id, (field, value)) in ids.iter().zip(&ways) {
            edit(*id, "opt_in", "false");
            edit(*id, field, value);
        }
        assert_eq!(
            site.run(&["sync"]).status.code(),
            Some(3),
            "{kind:?}: the records are told as ones that cannot be stored"
        );
        assert_eq!(consents(&site, &ids).await, [0, 4, 4], "{kind:?}");
        site.run(&["sync", "--full"]);
        assert_eq!(
            consents(&site, &ids).await,
            [0, 4, 4],
            "{kind:?}: noted once"
        );
        ids.iter().for_each(|id| edit(*id, "opt_in", "true"));
        site.run(&["sync"]);
        assert_eq!(
            consents(&site, &ids).await,
            [0, 4, 4],
            "{kind:?}: a yes in such a record is none"
        );
        // As they were when they were stored: that they are written anew shows that the no was not
        // taken for their content.
        for ((id, (field, _)), old) in ids.iter().zip(&ways).zip(&old) {
            edit(*id, field, old);
        }
        site.json(&["sync"], 0);
        assert_eq!(consents(&site, &ids).await, [4, 0, 8], "{kind:?}");
        site.assert_exact().await;
    }
}
