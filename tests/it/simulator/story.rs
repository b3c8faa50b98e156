//! The world with a story: that a fundraiser would believe it.

use super::{Api, ORGANIZATION};
use classy_sync::simulator::{Kind, Options, Simulator};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn options(supporters: usize) -> Options {
    Options {
        story: true,
        supporters,
        ..Options::default()
    }
}

/// The gifts that count: year, month, donor, campaign, dollars.
fn gifts(all: &[Value]) -> Vec<(i32, u32, Option<i64>, i64, f64)> {
    let number = |gift: &Value, key: &str| gift[key].as_i64();
    all.iter()
        .filter(|gift| gift["status"] == "success")
        .map(|gift| {
            let day = gift["purchased_at"].as_str().unwrap();
            (
                day[..4].parse().unwrap(),
                day[5..7].parse().unwrap(),
                number(gift, "supporter_id"),
                number(gift, "campaign_id").unwrap(),
                gift["total_gross_amount"].as_f64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn most_is_given_in_december_and_by_a_few() {
    let api = Api::with(options(3_000)).await;
    let gifts = gifts(&api.all(Kind::Transactions).await);
    let years: BTreeSet<i32> = gifts.iter().map(|gift| gift.0).collect();
    let (first, last) = (*years.first().unwrap(), *years.last().unwrap());
    assert!(years.len() >= 5, "{years:?}");
    let sum = |year: i32, month: Option<u32>| -> f64 {
        let of = |gift: &&(i32, u32, _, _, _)| {
            gift.0 == year && month.is_none_or(|month| gift.1 == month)
        };
        gifts.iter().filter(of).map(|gift| gift.4).sum()
    };
    let whole = || first..last;
    let december: f64 = whole().map(|year| sum(year, Some(12))).sum();
    let average = whole().map(|year| sum(year, None)).sum::<f64>() / 12.0;
    assert!(december > 2.0 * average, "{december} {average}");
    let mut people: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for gift in &gifts {
        people.entry(gift.0).or_default().extend(gift.2);
    }
    for year in whole().skip(1) {
        let before = &people[&(year - 1)];
        let kept = before.intersection(&people[&year]).count() as f64 / before.len() as f64;
        assert!((0.35..0.55).contains(&kept), "{year}: {kept} gave again");
    }
    let mut donors: BTreeMap<i64, f64> = BTreeMap::new();
    for gift in &gifts {
        if let Some(donor) = gift.2 {
            *donors.entry(donor).or_default() += gift.4;
        }
    }
    let mut sums: Vec<f64> = donors.into_values().collect();
    sums.sort_by(|a, b| b.total_cmp(a));
    let few: f64 = sums[..sums.len() / 10].iter().sum();
    let share = few / sums.iter().sum::<f64>();
    assert!((0.5..0.8).contains(&share), "a tenth brings {share}");
}

#[tokio::test]
async fn campaigns_come_near_their_goals() {
    let api = Api::with(options(3_000)).await;
    let mut raised: BTreeMap<i64, f64> = BTreeMap::new();
    for gift in gifts(&api.all(Kind::Transactions).await) {
        *raised.entry(gift.3).or_default() += gift.4;
    }
    let campaigns = api.all(Kind::Campaigns).await;
    assert!(campaigns.len() > 20, "{}", campaigns.len());
    let mut names = BTreeSet::new();
    for campaign in &campaigns {
        let name = campaign["name"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "two are called {name}");
        let goal = campaign["goal"].as_f64().unwrap();
        let share = raised[&campaign["id"].as_i64().unwrap()] / goal;
        assert!((0.4..1.3).contains(&share), "{name}: {share} of {goal}");
    }
}

#[tokio::test]
async fn people_live_in_several_countries_and_plans_go_on_for_years() {
    let api = Api::with(options(1_000)).await;
    let supporters = api.all(Kind::Supporters).await;
    let words = |all: &[Value], key: &str| -> BTreeSet<String> {
        let word = |one: &Value| one[key].as_str().map(str::to_owned);
        all.iter().filter_map(word).collect()
    };
    assert_eq!(supporters.len(), 1_000);
    assert!(words(&supporters, "country").len() >= 5);
    assert_eq!(words(&supporters, "email_address").len(), 1_000);
    let plans = api.all(Kind::Plans).await;
    assert!(
        ["active", "canceled", "failed"]
            .iter()
            .all(|state| words(&plans, "status").contains(*state))
    );
    let mut charges: BTreeMap<i64, usize> = BTreeMap::new();
    let all = api.all(Kind::Transactions).await;
    for plan in all
        .iter()
        .filter_map(|gift| gift["recurring_donation_plan_id"].as_i64())
    {
        *charges.entry(plan).or_default() += 1;
    }
    assert_eq!(charges.len(), plans.len(), "each was charged");
    assert!(charges.values().any(|count| *count > 36), "some for years");
    // No link leads nowhere.
    for (key, kind) in [
        ("supporter_id", Kind::Supporters),
        ("campaign_id", Kind::Campaigns),
        ("designation_id", Kind::Designations),
        ("fundraising_page_id", Kind::FundraisingPages),
    ] {
        let known: BTreeSet<i64> = api
            .all(kind)
            .await
            .iter()
            .filter_map(|one| one["id"].as_i64())
            .collect();
        let linked: BTreeSet<i64> = all.iter().filter_map(|gift| gift[key].as_i64()).collect();
        assert!(!linked.is_empty() && linked.is_subset(&known), "{key}");
    }
}

#[tokio::test]
async fn the_same_seed_is_the_same_story_and_organizations_differ() {
    let truth = async |options: Options| {
        let simulator = Simulator::start(options).await.unwrap();
        let world = simulator.world();
        let text = |organization: &classy_sync::simulator::Organization| {
            let mut out = organization.name.clone();
            for record in organization.lists.values().flat_map(|list| list.iter()) {
                record.render(&[], &mut out);
            }
            out
        };
        world
            .organizations
            .values()
            .map(text)
            .collect::<Vec<String>>()
    };
    let three = || Options {
        organizations: (ORGANIZATION..ORGANIZATION + 3).collect(),
        ..options(300)
    };
    let (one, again) = (truth(three()).await, truth(three()).await);
    assert!(one == again);
    assert!(one != truth(Options { seed: 2, ..three() }).await);
    let many = Options {
        organizations: (ORGANIZATION..ORGANIZATION + 40).collect(),
        ..options(1)
    };
    let simulator = Simulator::start(many).await.unwrap();
    let world = simulator.world();
    let names = world.organizations.values().map(|one| one.name.clone());
    assert_eq!(names.collect::<BTreeSet<String>>().len(), 40);
    assert!(
        one[0].len() > one[1].len() && one[1].len() > one[2].len(),
        "of different sizes"
    );
}

#[tokio::test]
async fn life_goes_on_as_it_was() {
    let api = Api::with(options(500)).await;
    let (gifts, people) = (
        api.all(Kind::Transactions).await.len(),
        api.all(Kind::Supporters).await.len(),
    );
    api.simulator.world().live(ORGANIZATION, 100);
    let (all, supporters) = (
        api.all(Kind::Transactions).await,
        api.all(Kind::Supporters).await,
    );
    assert!(all.len() > gifts + 50, "{}", all.len() - gifts);
    assert!(
        supporters.len() > people,
        "somebody gives for the first time"
    );
    let known: BTreeSet<i64> = supporters
        .iter()
        .filter_map(|one| one["id"].as_i64())
        .collect();
    for gift in &all[gifts..] {
        assert!(
            gift["supporter_id"].is_null()
                || known.contains(&gift["supporter_id"].as_i64().unwrap())
        );
        assert!(gift["total_gross_amount"].as_f64().unwrap() > 0.0);
    }
    let changed = api.all(Kind::Campaigns).await;
    assert!(
        changed
            .iter()
            .all(|campaign| !campaign["name"].as_str().unwrap().starts_with("Changed"))
    );
}

#[tokio::test]
async fn an_empty_story_has_nothing_and_a_tiny_one_holds() {
    for supporters in [0, 1, 5, 20] {
        let api = Api::with(options(supporters)).await;
        assert_eq!(api.all(Kind::Supporters).await.len(), supporters);
        for kind in Kind::ALL {
            assert!(supporters > 0 || api.all(kind).await.is_empty());
        }
        api.simulator.world().live(ORGANIZATION, 20);
    }
}
