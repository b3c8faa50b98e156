//! The world over time: changes, their late visibility, the same world from the same seed, large
//! ones.

use super::{Api, ORGANIZATION, id_at, sent};
use classy_sync::simulator::{Fault, Kind, Options, Simulator};
use serde_json::Value;
use std::time::Instant;

#[tokio::test]
async fn a_late_change_is_served_in_its_old_version_until_it_shows() {
    let (api, second, shown) = loop {
        let api = Api::new(200, &[]).await;
        let before = api.all(Kind::Supporters).await;
        api.simulator
            .world()
            .set_faults(vec![Fault::LateVisibility]);
        let second = api.simulator.world().now();
        for place in 0..4 {
            let id = id_at(&api.simulator, Kind::Supporters, place);
            api.simulator.world().edit(
                ORGANIZATION,
                Kind::Supporters,
                id,
                &[("first_name", "\"Changed\"".to_owned())],
                true,
            );
        }
        let after = api.all(Kind::Supporters).await;
        assert_eq!(after.len(), 200, "nobody vanishes");
        let hidden: Vec<_> = before
            .iter()
            .zip(&after)
            .filter(|(_, after)| after["first_name"] != "Changed")
            .collect();
        // Whoever does not show a change is as before in everything, time of change included.
        assert!(hidden.iter().all(|(before, after)| before == after));
        let shown = changed_since(&api, second).await;
        // Meanwhile the second must not have ended.
        if api.simulator.world().now() == second {
            assert!(
                (197..200).contains(&hidden.len()),
                "one in four shows at once: {}",
                hidden.len()
            );
            assert_eq!(shown, 200 - hidden.len(), "lists by change agree");
            break (api, second, shown);
        }
    };
    // A new record is absent meanwhile; also by itself.
    let mut absent = None;
    for _ in 0..20 {
        api.simulator.world().add(ORGANIZATION, Kind::Supporters);
        let id = api
            .simulator
            .world()
            .list(ORGANIZATION, Kind::Supporters)
            .unwrap()
            .iter()
            .next_back()
            .unwrap()
            .id;
        absent =
            absent.or((api.get(&format!("/supporters/{id}")).await.status == 404).then_some(id));
    }
    let absent = absent.unwrap();
    // The truth has both at once.
    let truth = sent(api.http.get(api.url("/__sim/truth/10001/supporters")))
        .await
        .json();
    let truth = truth.as_array().unwrap();
    assert!(
        truth.len() == 220
            && truth
                .iter()
                .filter(|person| person["first_name"] == "Changed")
                .count()
                == 4
    );
    // At the latest three seconds later everybody sees everything.
    api.simulator.world().clock_offset += 3;
    assert_eq!(changed_since(&api, second).await, 24, "{shown} before");
    assert_eq!(api.get(&format!("/supporters/{absent}")).await.status, 200);
    assert_eq!(api.all(Kind::Supporters).await, *truth);
}

async fn changed_since(api: &Api, second: i64) -> usize {
    let filter = format!(
        "updated_at>={}",
        chrono::DateTime::from_timestamp(second, 0)
            .unwrap()
            .format("%Y-%m-%dT%H:%M:%SZ")
    );
    let answer = api
        .list(
            Kind::Supporters,
            &[("filter", &filter), ("sort", "updated_at")],
        )
        .await;
    answer.json()["total"].as_u64().unwrap() as usize
}

#[tokio::test]
async fn a_second_change_while_the_first_is_late_shows_no_version_that_never_was() {
    let api = Api::new(20, &[Fault::LateVisibility]).await;
    let id = id_at(&api.simulator, Kind::Supporters, 2);
    let path = format!("/supporters/{id}");
    let first = api.get(&path).await.json();
    let mut versions = vec![first["updated_at"].as_str().unwrap().to_owned()];
    let mut seen = Vec::new();
    for number in 0..30 {
        let city = format!("\"City {number:02}\"");
        api.simulator
            .world()
            .edit(ORGANIZATION, Kind::Supporters, id, &[("city", city)], true);
        api.simulator.world().clock_offset += 1;
        let record = api.get(&path).await.json();
        seen.push(record["city"].as_str().unwrap_or_default().to_owned());
        versions.push(record["updated_at"].as_str().unwrap().to_owned());
    }
    assert!(versions.is_sorted(), "never back to an older one");
    let late = (0..30)
        .filter(|number| seen[*number] != format!("City {number:02}"))
        .count();
    assert!(late > 5 && late < 30, "{late} of 30");
    api.simulator.world().clock_offset += 3;
    assert_eq!(api.get(&path).await.json()["city"], "City 29");
}

#[tokio::test]
async fn life_moves_states_as_the_source_does() {
    let api = Api::new(1_000, &[]).await;
    let states = async |kind: Kind| -> Vec<(i64, String, String)> {
        let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
        api.all(kind)
            .await
            .iter()
            .map(|one| {
                (
                    one["id"].as_i64().unwrap(),
                    text(one, "status"),
                    text(one, "updated_at"),
                )
            })
            .collect()
    };
    let (gifts, plans) = (states(Kind::Transactions).await, states(Kind::Plans).await);
    let people = api.all(Kind::Supporters).await;
    api.simulator.world().clock_offset += 60;
    api.simulator.world().live(ORGANIZATION, 3_000);
    let mut moved = std::collections::BTreeSet::new();
    for ((_, before, at_before), (_, after, at)) in
        gifts.iter().zip(states(Kind::Transactions).await)
    {
        if *before != after {
            moved.insert(format!("{before} {after}"));
            assert!(
                at > *at_before,
                "a change of state moves the time of change"
            );
        }
    }
    for way in [
        "success refunded",
        "success cb_initiated",
        "incomplete success",
        "pending failed",
    ] {
        assert!(moved.contains(way), "{way}: {moved:?}");
    }
    assert!(
        plans
            .iter()
            .zip(states(Kind::Plans).await)
            .any(|((_, before, _), (_, after, _))| before == "active" && after == "canceled")
    );
    let after = api.all(Kind::Supporters).await;
    let changed = |key: &str| {
        people
            .iter()
            .zip(&after)
            .filter(|(before, after)| before[key] != after[key])
            .count()
    };
    assert!(changed("opt_in") > 10 && changed("email_address") > 10 && changed("id") == 0);
    // A plan's charge is a new gift.
    let newest = api
        .list(
            Kind::Transactions,
            &[
                ("sort", "id:desc"),
                ("per_page", "100"),
                ("filter", "recurring_donation_plan_id>0"),
            ],
        )
        .await;
    let charge = newest
        .data()
        .into_iter()
        .find(|gift| gift["status"] == "success")
        .unwrap();
    let plan = api
        .get(&format!(
            "/recurring-donation-plans/{}",
            charge["recurring_donation_plan_id"]
        ))
        .await
        .json();
    assert_eq!(charge["supporter_id"], plan["supporter_id"]);
}

#[tokio::test]
async fn changes_can_be_silent() {
    let api = Api::new(400, &[Fault::SilentChanges]).await;
    for (kind, key) in [(Kind::Supporters, "opt_in"), (Kind::Transactions, "status")] {
        let before = api.all(kind).await;
        api.simulator.world().clock_offset += 60;
        api.simulator.world().live(ORGANIZATION, 1_500);
        let after = api.all(kind).await;
        let changed: Vec<_> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before[key] != after[key])
            .collect();
        let silent = changed
            .iter()
            .filter(|(before, after)| before["updated_at"] == after["updated_at"])
            .count();
        assert!(
            silent > 5 && silent < changed.len(),
            "{silent} of {} changes of {key}",
            changed.len()
        );
    }
}

#[tokio::test]
async fn the_same_seed_and_the_same_requests_get_the_same_answers() {
    // In the middle of an hour: worlds are the same by the hour.
    let machine = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let clock_offset = 1_800 - machine % 3_600;
    let faults = vec![Fault::ServerErrors, Fault::TypeNoise, Fault::TruncatedBody];
    let ask = async |seed: u64| {
        let api = Api::with(Options {
            supporters: 300,
            seed,
            faults: faults.clone(),
            clock_offset,
            ..Options::default()
        })
        .await;
        let mut said = vec![api.token.clone()];
        for page in ["1", "2", "3", "1", "2"] {
            for kind in Kind::ALL {
                // By a key that all share.
                let answer = api
                    .list(
                        kind,
                        &[
                            ("page", page),
                            ("sort", if page == "1" { "" } else { "organization_id" }),
                        ],
                    )
                    .await;
                let host = api.simulator.address().to_string();
                said.push(format!(
                    "{} {}",
                    answer.status,
                    answer.text.replace(&host, "host")
                ));
            }
        }
        let truth = sent(api.http.get(api.url("/__sim/truth/10001/transactions")))
            .await
            .text;
        (said, truth)
    };
    let (first, again, other) = (ask(7).await, ask(7).await, ask(8).await);
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1, "another world, not only another order");
}

#[tokio::test]
async fn a_world_has_the_contract_s_proportions_and_is_made_at_once() {
    for scale in [1, 10] {
        let begin = Instant::now();
        let simulator = Simulator::start(Options {
            supporters: 9_480 * scale,
            ..Options::default()
        })
        .await
        .unwrap();
        let world = simulator.world();
        let lists = &world.organizations[&ORGANIZATION].lists;
        for (kind, count) in [
            (Kind::Supporters, 9_480),
            (Kind::Campaigns, 75),
            (Kind::Plans, 1_965),
            (Kind::Transactions, 60_100),
            (Kind::Designations, 24),
            (Kind::FundraisingPages, 410),
        ] {
            assert_eq!(lists[&kind].len(), count * scale, "{kind:?}");
        }
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }
    // A small one has a few of everything, an empty one nothing.
    for (supporters, expected) in [(1, 1..=6), (0, 0..=0)] {
        let simulator = Simulator::start(Options {
            supporters,
            ..Options::default()
        })
        .await
        .unwrap();
        let counts: Vec<usize> = simulator.world().organizations[&ORGANIZATION]
            .lists
            .values()
            .map(classy_sync::simulator::List::len)
            .collect();
        assert_eq!(counts.len(), Kind::ALL.len());
        assert!(
            counts.iter().all(|count| expected.contains(count)),
            "{counts:?}"
        );
    }
}

#[tokio::test]
async fn a_change_in_a_large_list_is_found_without_ordering_it_again() {
    let api = Api::new(20_000, &[]).await;
    let since = chrono::DateTime::from_timestamp(api.simulator.world().now(), 0)
        .unwrap()
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let filter = format!("updated_at>={since}");
    let changed = async || {
        api.list(
            Kind::Transactions,
            &[("filter", &filter), ("sort", "updated_at:desc")],
        )
        .await
    };
    assert_eq!(changed().await.json()["total"], 0);
    let mut expected = Vec::new();
    for place in (0..5).map(|number| number * 1_000) {
        let id = id_at(&api.simulator, Kind::Transactions, place);
        api.simulator.world().edit(
            ORGANIZATION,
            Kind::Transactions,
            id,
            &[("status", "\"refunded\"".to_owned())],
            true,
        );
        expected.push(id);
        let mut found = changed().await.ids();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
    // Taken out and put back, added, made silent again: the order follows.
    let taken = api
        .simulator
        .world()
        .list(ORGANIZATION, Kind::Transactions)
        .unwrap()
        .remove(expected[1])
        .unwrap();
    assert_eq!(changed().await.json()["total"], 4);
    api.simulator
        .world()
        .list(ORGANIZATION, Kind::Transactions)
        .unwrap()
        .put(taken);
    api.simulator.world().add(ORGANIZATION, Kind::Transactions);
    assert_eq!(changed().await.json()["total"], 6);
    api.simulator
        .world()
        .list(ORGANIZATION, Kind::Transactions)
        .unwrap()
        .get_mut(expected[0])
        .unwrap()
        .updated_at = None;
    assert_eq!(changed().await.json()["total"], 5);
}
