//! The audience against the consent at the source, through the real program: who may be there is
//! there and nobody else, whatever people do meanwhile, and after a kill at any moment.

use crate::audience::{Holder, addresses, audience_id, with_mailchimp};
use crate::backend::{Kind, kinds};
use crate::mailchimp::schema::faults;
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::{Act, Mailchimp, Status};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn act(site: &Site, act: &Act) {
    let id = audience_id(site);
    assert!(site.simulator.mailchimp().act(&id, act), "{act:?}");
}

/// Addresses of members in a status that were not there before us.
fn members(mailchimp: &Mailchimp, audience: &str, status: Status) -> BTreeSet<String> {
    let all = mailchimp.audiences[audience].members();
    all.filter(|member| !member.foreign && member.status == status)
        .map(|member| member.email.to_lowercase())
        .collect()
}

/// The audience is exactly who may be there, less those who left; and no harm was ever done.
async fn assert_right(site: &Site, left: &BTreeSet<String>) {
    let known = addresses(site).await;
    let may: BTreeSet<String> = known
        .iter()
        .filter(|(_, holder)| holder.consents && !holder.refuses)
        .map(|(address, _)| address.clone())
        .collect();
    let id = audience_id(site);
    let mailchimp = site.simulator.mailchimp();
    let expected: BTreeSet<String> = may.difference(left).cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(members(&mailchimp, &id, Status::Subscribed), expected);
    assert_harmless(&mailchimp, &known);
}

/// Nothing that no program may do was done, and nothing was sent as a subscriber's about anybody
/// who did not consent.
fn assert_harmless(mailchimp: &Mailchimp, known: &BTreeMap<String, Holder>) {
    assert_eq!(mailchimp.ledger.found(), Vec::<String>::new());
    assert_eq!(
        mailchimp
            .ledger
            .requests
            .iter()
            .flat_map(faults)
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    for write in &mailchimp.ledger.writes {
        let holder = known.get(&write.email);
        let opts_out =
            write.sent.get("status").and_then(|status| status.as_str()) == Some("unsubscribed");
        let consented = holder.is_some_and(|holder| holder.consents && !holder.refuses);
        assert!(
            consented || opts_out,
            "{} about somebody without consent: {:?}",
            write.endpoint,
            write.keys()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audience_is_exactly_who_consented_and_a_second_run_writes_nothing() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 80)).await;
        with_mailchimp(&site, "");
        let report = site.sync();
        assert_eq!(
            report["organizations"][0]["plugins"][0]["outcome"], "complete",
            "{report}"
        );
        assert_right(&site, &BTreeSet::new()).await;
        site.simulator.mailchimp().ledger.clear();
        site.sync();
        let mailchimp = site.simulator.mailchimp();
        assert!(mailchimp.ledger.writes.is_empty(), "nothing changed");
        assert!(
            mailchimp.ledger.total_calls() <= 5,
            "{:?}",
            mailchimp.ledger.calls
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_stays_away_whatever_changes_at_the_source() {
    let site = Site::new(Kind::Sqlite, world(300, 81)).await;
    with_mailchimp(&site, "");
    site.sync();
    let id = audience_id(&site);
    let there: Vec<String> = members(&site.simulator.mailchimp(), &id, Status::Subscribed)
        .into_iter()
        .collect();
    let (mut left, mut bounced) = (BTreeSet::new(), BTreeSet::new());
    for (index, email) in there.iter().enumerate().take(30) {
        let email = email.clone();
        act(
            &site,
            &match index % 3 {
                0 => Act::Unsubscribe(email.clone()),
                1 => Act::Clean(email.clone()),
                _ => Act::Archive(email.clone()),
            },
        );
        if index % 3 == 1 {
            bounced.insert(email.clone());
        }
        left.insert(email);
    }
    // A bounce says nothing of the person. Whoever left, or was taken off when they opted out, did
    // so as a person: neither another address nor a new yes at the source brings them back. So it
    // is remembered who ever had which address.
    let mut ever: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    remember(&site, &mut ever).await;
    for round in 0..3 {
        site.simulator.world().live(ORGANIZATION, 120);
        site.sync();
        remember(&site, &mut ever).await;
        let known = addresses(&site).await;
        let (subscribed, off) = {
            let mailchimp = site.simulator.mailchimp();
            assert_eq!(
                mailchimp.ledger.found(),
                Vec::<String>::new(),
                "round {round}"
            );
            let off: BTreeSet<String> = mailchimp
                .ledger
                .unsubscriptions
                .iter()
                .map(|mark| mark.email.clone())
                .collect();
            (members(&mailchimp, &id, Status::Subscribed), off)
        };
        assert!(
            subscribed.is_disjoint(&left),
            "round {round}: somebody who left is back"
        );
        let gone: BTreeSet<i64> = left
            .difference(&bounced)
            .chain(&off)
            .filter_map(|address| ever.get(address))
            .flatten()
            .copied()
            .collect();
        for (address, holder) in &known {
            let is_gone = ever[address].iter().any(|id| gone.contains(id));
            if holder.consents && !holder.refuses && !is_gone && !bounced.contains(address) {
                assert!(
                    subscribed.contains(address),
                    "round {round}: {address} is missing and may be there"
                );
            }
        }
    }
}

/// Notes who has which address now.
async fn remember(site: &Site, ever: &mut BTreeMap<String, BTreeSet<i64>>) {
    let connection = site.database.connect().await;
    let text = "SELECT id, email_address FROM supporters WHERE email_address IS NOT NULL";
    let statement = Statement::from_string(connection.get_database_backend(), text.to_owned());
    for row in connection.query_all_raw(statement).await.unwrap() {
        let address: String = row.try_get("", "email_address").unwrap();
        ever.entry(address.trim().to_lowercase())
            .or_default()
            .insert(row.try_get("", "id").unwrap());
    }
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nobody_is_put_there_wrongly_and_in_the_end_all_are_there() {
    for seed in [82] {
        println!("seed {seed}");
        let site = Site::new(Kind::Sqlite, world(1_300, seed)).await;
        with_mailchimp(&site, "");
        site.json(&["sync", "--no-plugins"], 0);
        site.simulator.mailchimp().switches.latency_ms = 30;
        let mut left = BTreeSet::new();
        for round in 0..40_u64 {
            if round >= 6 && !left.is_empty() {
                break;
            }
            let calls = || site.simulator.mailchimp().ledger.total_calls();
            let enough = calls() + 3 + (seed * 37 + round * 5) % 7;
            let mut process = site.start(&["plugin", "run"]);
            while calls() < enough && process.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            // Somebody who was just put there leaves before the next start.
            let id = audience_id(&site);
            let there = members(&site.simulator.mailchimp(), &id, Status::Subscribed);
            if let Some(email) = there.into_iter().nth(usize::try_from(round * 7).unwrap()) {
                let way = if round % 2 == 0 {
                    Act::Unsubscribe(email.clone())
                } else {
                    Act::Archive(email.clone())
                };
                act(&site, &way);
                left.insert(email);
            }
        }
        assert!(!left.is_empty(), "somebody was there before the end");
        site.simulator.mailchimp().switches.latency_ms = 0;
        site.json(&["plugin", "run"], 0);
        assert_right(&site, &left).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_every_kind_delay_and_lose_nobody() {
    let site = Site::new(Kind::Sqlite, world(400, 84)).await;
    with_mailchimp(&site, "");
    let faults = [
        "mailchimp-429",
        "mailchimp-403-empty",
        "mailchimp-500",
        "mailchimp-drop",
        "mailchimp-drop-after-write",
        "mailchimp-partial",
    ];
    for fault in faults {
        site.simulator.world().faults.push(fault.parse().unwrap());
    }
    for _ in 0..6 {
        site.run(&["sync"]);
    }
    site.simulator.world().heal();
    site.run(&["plugin", "retry"]);
    site.json(&["sync"], 0);
    assert_right(&site, &BTreeSet::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_passes_an_opt_out_on_as_soon_as_it_is_read() {
    let site = Site::new(Kind::Sqlite, world(80, 98)).await;
    with_mailchimp(&site, "");
    site.configure("[sync]\nsupporters = \"2s\"\n");
    site.sync();
    let audience = audience_id(&site);
    site.simulator.mailchimp().ledger.clear();
    let daemon = site.start(&["run"]);
    // Its first delivery is over, and the next is minutes away.
    while site.simulator.mailchimp().ledger.total_calls() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let email = members(&site.simulator.mailchimp(), &audience, Status::Subscribed)
        .into_iter()
        .next()
        .unwrap();
    let holders: Vec<i64> = {
        let mut world = site.simulator.world();
        let of = |record: &&classy_sync::simulator::Record| {
            record
                .get("email_address")
                .is_some_and(|text| text.trim_matches('"').trim().to_lowercase() == email)
        };
        world
            .list(ORGANIZATION, classy_sync::simulator::Kind::Supporters)
            .unwrap()
            .iter()
            .filter(of)
            .map(|record| record.id)
            .collect()
    };
    let asked = std::time::Instant::now();
    for id in holders {
        let no = [("opt_in", "false".to_owned())];
        assert!(site.simulator.world().edit(
            ORGANIZATION,
            classy_sync::simulator::Kind::Supporters,
            id,
            &no,
            true
        ));
    }
    while site.simulator.mailchimp().audiences[&audience]
        .member(&email)
        .unwrap()
        .status
        != Status::Unsubscribed
    {
        assert!(
            asked.elapsed() < Duration::from_secs(20),
            "the opt-out waits"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(daemon);
}
