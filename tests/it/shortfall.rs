//! Records that the source does not give, whatever the reason: told, counted, asked for again, and
//! never the end of a feed. Lists that are cut or do not end are in `listing`.

use crate::backend::{Kind as Backend, kinds};
use crate::counted::{edit, ids, supporters, supporters_in};
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::simulator::{Fault, Kind, Options};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn records_of_which_nothing_is_known_stay_suspects_and_the_feed_goes_on() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 40)).await;
        site.sync();
        let all = ids(&site, Kind::Supporters);
        // Seven in a row: each kind of answer that decides nothing.
        let gone: Vec<_> = {
            let mut world = site.simulator.world();
            let list = world.list(ORGANIZATION, Kind::Supporters).unwrap();
            all[100..107]
                .iter()
                .map(|id| list.remove(*id).unwrap())
                .collect()
        };
        site.simulator.world().set_faults(vec![Fault::OddSingles]);
        edit(&site, Kind::Supporters, all[5], "Edited");
        let report = site.json(&["sync", "--full", "--entity", "supporters"], 3);
        assert_eq!(
            (
                &supporters(&report)["outcome"],
                &supporters(&report)["undecided"]
            ),
            (&"complete".into(), &7.into()),
            "{report}"
        );
        assert_eq!(supporters_in(&site, "Edited").await, 1);
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporters WHERE absent_since IS NOT NULL")
                .await,
            0
        );
        let reasons = site.number("SELECT COUNT(*) AS n FROM absence_suspects WHERE reason IS NOT NULL AND since IS NOT NULL").await;
        assert_eq!(reasons, 7);
        // Whatever came of the pass, changes and deletions go on arriving.
        edit(&site, Kind::Supporters, all[6], "Later");
        site.simulator
            .world()
            .delete(ORGANIZATION, Kind::Supporters, all[200]);
        site.json(&["sync", "--entity", "supporters"], 0);
        assert_eq!(supporters_in(&site, "Later").await, 1);
        let status = site.json(&["status"], 0).to_string();
        assert!(status.contains("7 undecided"), "{status}");
        let health = site.json(&["health"], 0).to_string();
        assert!(
            health.contains("7 undecided") && health.contains("degraded"),
            "{health}"
        );
        // Once the source answers, every one of them is decided.
        site.simulator.world().set_faults(Vec::new());
        for record in gone.into_iter().take(3) {
            site.simulator
                .world()
                .list(ORGANIZATION, Kind::Supporters)
                .unwrap()
                .put(record);
        }
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM absence_suspects")
                .await,
            0
        );
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM supporters WHERE absent_since IS NOT NULL")
                .await,
            5
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_singly_whatever_the_token_suspends_nobody() {
    let site = Site::new(Backend::Sqlite, world(100, 46)).await;
    site.sync();
    let others = ids(&site, Kind::Supporters);
    let middle = others[50];
    // In no list any more, and asked for by its id.
    site.simulator
        .world()
        .list(ORGANIZATION, Kind::Supporters)
        .unwrap()
        .remove(middle);
    site.simulator
        .world()
        .set_faults(vec![Fault::SingleUnauthorized]);
    let report = site.json(&["sync", "--full", "--entity", "supporters"], 3);
    assert_eq!(
        (
            &supporters(&report)["outcome"],
            &supporters(&report)["undecided"]
        ),
        (&"complete".into(), &1.into()),
        "{report}"
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM absence_suspects WHERE reason LIKE '%401%'")
            .await,
        1
    );
    edit(&site, Kind::Supporters, others[7], "Edited");
    site.json(&["sync", "--entity", "supporters"], 0);
    assert_eq!(supporters_in(&site, "Edited").await, 1);
    assert_eq!(
        site.json(&["status"], 0)["organizations"][0]["condition"],
        "active",
        "nobody's credentials were refused"
    );
    let asked = site
        .simulator
        .ledger()
        .requests
        .iter()
        .filter(|entry| entry.path.contains("oauth2"))
        .count();
    assert!(asked <= 12, "tokens asked for: {asked}");
    site.simulator.world().set_faults(Vec::new());
    site.json(&["sync", "--full"], 0);
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_none_costs_its_record_and_no_other() {
    for kind in kinds() {
        let site = Site::new(
            kind,
            Options {
                faults: vec![Fault::NotText],
                ..world(150, 47)
            },
        )
        .await;
        let report = site.json(&["sync"], 3);
        // Those that are long enough to have such a record.
        for list in ["supporters", "campaigns", "recurring_plans", "transactions"] {
            let feed = feed(&report, list);
            assert_eq!(
                (&feed["outcome"], &feed["rejected"]),
                (&"complete".into(), &2.into()),
                "{list}: {report}"
            );
        }
        let told = report["organizations"][0]["feeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feed| feed["rejected"].as_u64().unwrap());
        let told = told.sum::<u64>() as usize;
        let rejects = site.json(&["rejects", "--limit", "100"], 0);
        let details: Vec<_> = rejects
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["detail"].as_str().unwrap())
            .collect();
        assert!(told >= 8 && details.len() == told, "{told}: {rejects}");
        assert_eq!(
            2 * details
                .iter()
                .filter(|text| text.contains("not valid UTF-8"))
                .count(),
            told,
            "{details:?}"
        );
        assert!(
            details
                .iter()
                .all(|text| !text.contains("Nowhe") && text.contains(": ")),
            "{details:?}"
        );
        site.simulator.world().set_faults(Vec::new());
        site.json(&["sync", "--full"], 0);
        site.assert_exact().await;
        assert!(site.json(&["rejects"], 0).as_array().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_that_cannot_be_served_costs_its_record_and_no_other() {
    let unreadable = async |kind| {
        let site = Site::new(
            kind,
            Options {
                faults: vec![Fault::BadPage],
                ..world(250, 41)
            },
        )
        .await;
        let report = site.json(&["sync", "--entity", "supporters"], 3);
        assert_eq!(supporters(&report)["outcome"], "incomplete", "{report}");
        assert_eq!(supporters(&report)["inserted"], 249);
        let error = supporters(&report)["error"].as_str().unwrap().to_owned();
        assert!(
            error.contains("1 on pages that cannot be read") && error.contains("page 2 of"),
            "{error}"
        );
        // What changes behind it arrives, also of the record itself as soon as it can be read.
        let all = ids(&site, Kind::Supporters);
        edit(&site, Kind::Supporters, all[7], "Edited");
        edit(&site, Kind::Supporters, all[125], "Unreadable");
        edit(&site, Kind::Supporters, all[9], "Edited");
        let report = site.json(&["sync", "--entity", "supporters"], 3);
        assert_eq!(supporters_in(&site, "Edited").await, 2, "{report}");
        // The whole patience is spent once: a page that could not be read before is not waited for
        // again.
        assert!(
            supporters(&report)["duration_ms"].as_u64().unwrap() < 30_000,
            "{report}"
        );
        let health = site.json(&["health"], 0).to_string();
        assert!(health.contains("cannot be read"), "{health}");
        site.simulator.world().set_faults(Vec::new());
        site.json(&["sync"], 0);
        site.assert_exact().await;
    };
    // Most of it is waiting: side by side.
    let sides: Vec<_> = kinds()
        .into_iter()
        .map(|kind| tokio::spawn(unreadable(kind)))
        .collect();
    for side in sides {
        side.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_once_loses_no_change() {
    for kind in kinds() {
        for before in [false, true] {
            for fault in [Fault::ClockAhead, Fault::ClockBehind] {
                let site = Site::new(kind, world(60, 42)).await;
                if before {
                    site.sync();
                }
                site.simulator.world().set_faults(vec![fault]);
                let all = ids(&site, Kind::Supporters);
                edit(&site, Kind::Supporters, all[1], "First");
                let told = site.json(&["sync"], 0);
                if before {
                    assert!(
                        supporters(&told)["notes"].to_string().contains("clock"),
                        "{told}"
                    );
                }
                site.simulator.world().set_faults(Vec::new());
                edit(&site, Kind::Supporters, all[2], "Between");
                // Later than the span that is read again in any case, and sooner than the clock
                // said.
                site.simulator.world().clock_offset += 4_000;
                edit(&site, Kind::Supporters, all[3], "Between");
                site.json(&["sync"], 0);
                assert_eq!(supporters_in(&site, "Between").await, 2, "{fault} {before}");
                site.assert_exact().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_from_the_future_does_not_carry_the_watermark_with_a_clock_that_is_ahead() {
    let site = Site::new(Backend::Sqlite, world(60, 43)).await;
    site.sync();
    let all = ids(&site, Kind::Supporters);
    site.simulator.world().set_faults(vec![Fault::ClockAhead]);
    {
        let mut world = site.simulator.world();
        let ahead = world.now() + 5_400;
        world
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .get_mut(all[4])
            .unwrap()
            .updated_at = Some(ahead);
    }
    site.json(&["sync"], 0);
    site.simulator.world().set_faults(Vec::new());
    site.simulator.world().clock_offset += 600;
    edit(&site, Kind::Supporters, all[2], "Between");
    site.json(&["sync"], 0);
    assert_eq!(supporters_in(&site, "Between").await, 1);
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_than_the_source_counts_are_told_and_the_next_pass_is_due() {
    for fault in [Fault::CachedPage, Fault::LackingRows, Fault::EmptyFirstPage] {
        let site = Site::new(
            Backend::Sqlite,
            Options {
                faults: vec![fault],
                ..world(450, 44)
            },
        )
        .await;
        let output = site.run(&["--output", "json", "sync", "--entity", "supporters"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let stored = site.number("SELECT COUNT(*) AS n FROM supporters").await;
        if stored < 450 {
            assert_eq!(
                output.status.code(),
                Some(3),
                "{fault}: {stored} of 450, {report}"
            );
            assert_eq!(
                supporters(&report)["outcome"],
                "incomplete",
                "{fault}: {stored} of 450, {report}"
            );
            assert_eq!(
                site.number(
                    "SELECT COUNT(*) AS n FROM checkpoints WHERE first_pass_at IS NOT NULL"
                )
                .await,
                0
            );
            let health = String::from_utf8(site.run(&["health"]).stdout).unwrap();
            assert!(health.contains("completeness"), "{fault}: {health}");
        } else {
            assert_eq!(output.status.code(), Some(0), "{fault}: {report}");
        }
        site.simulator.world().set_faults(Vec::new());
        site.json(&["sync"], 0);
        site.assert_exact().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_counts_what_it_never_shows_does_not_block_for_ever() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults: vec![Fault::BadPage],
            ..world(120, 45)
        },
    )
    .await;
    for _ in 0..3 {
        assert_eq!(
            site.number_or_zero(
                "SELECT COUNT(*) AS n FROM checkpoints WHERE first_pass_at IS NOT NULL"
            )
            .await,
            0
        );
        site.json(&["sync", "--entity", "supporters"], 3);
    }
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM checkpoints WHERE first_pass_at IS NOT NULL")
            .await,
        1,
        "after the third it counts"
    );
    let report = site.json(&["sync", "--entity", "supporters"], 3);
    assert_eq!(
        (
            &supporters(&report)["mode"],
            &supporters(&report)["outcome"]
        ),
        (&"incremental".into(), &"incomplete".into())
    );
}
