//! New people: a first push waits as a whole for its approval and opt-outs do not, later few come
//! unasked and many wait, and they come in portions that outlive a process.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, world};
use classy_sync::domain::{Forecast, Harm};
use classy_sync::plugin::{GuardSettings, Word};
use classy_sync::simulator::{Act, Kind as List, Status};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_push_waits_with_its_forecast_and_opt_outs_do_not() {
    for double_optin in [false, true] {
        let mut charity = Charity {
            guard: GuardSettings::default(),
            ..Charity::new(Kind::Sqlite, world(160, 124)).await
        };
        charity.table = "opt_out_scope = \"everybody\"\n".to_owned();
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = double_optin;
        // Some were there before us: one who refuses, and one who does not.
        let there = charity.givers(1).await[0];
        charity.act(Act::SignUp(charity.email(there)));
        let refuser = charity.alone().into_iter().find(|id| *id != there).unwrap();
        charity.act(Act::SignUp(charity.email(refuser)));
        charity.opt(refuser, false);
        let contacts = charity.site.simulator.mailchimp().audiences[&charity.audience]
            .members()
            .filter(|one| one.status == Status::Subscribed)
            .count();
        let done = charity.sync().await;
        let new = charity
            .consented()
            .keys()
            .filter(|email| charity.status(email) == "nobody")
            .count() as u64;
        let forecast = done.forecast.unwrap();
        let expected = Forecast {
            contacts: contacts as u64,
            additions: new,
            confirmations: if double_optin { new } else { 0 },
            unsubscribes: 1,
            ..forecast
        };
        assert_eq!(forecast, expected);
        assert!(forecast.gaining >= 1 && forecast.tags >= 1, "{forecast:?}");
        let writes = charity.harm().writes.len();
        assert_eq!(
            (writes, charity.off()),
            (1, [charity.email(refuser)].into()),
            "only the opt-out went"
        );
        assert_eq!(
            done.holds.of(if double_optin {
                Harm::Confirm
            } else {
                Harm::Add
            }),
            new
        );
        assert_eq!(
            charity
                .tags(&charity.email(there))
                .iter()
                .filter(|tag| tag.starts_with("Classy-"))
                .count(),
            0
        );
        // Whoever is approved alone goes alone.
        let somebody = charity
            .alone()
            .into_iter()
            .find(|id| charity.status(&charity.email(*id)) == "nobody")
            .unwrap();
        charity
            .approve(Word {
                supporters: vec![somebody],
                actor: "cli",
                ..Word::default()
            })
            .await
            .unwrap();
        charity.sync().await;
        assert_eq!(charity.harm().writes.len(), 2);
        // All of it; a newcomer waits for it, and is judged as after it.
        charity.approve_all().await;
        let before = charity.consented().len();
        for _ in 0..5 {
            charity
                .site
                .simulator
                .world()
                .add(ORGANIZATION, List::Supporters);
        }
        let done = charity.sync().await;
        assert_eq!(
            (done.held as usize, done.forecast),
            (charity.consented().len() - before, None)
        );
        assert_eq!(charity.sync().await.held, 0);
        if !double_optin {
            charity.assert_complete(&[]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_turns_up_after_a_first_push_was_approved_is_not_in_it() {
    for kind in kinds() {
        let guard = GuardSettings {
            additions_min: 10,
            ..GuardSettings::default()
        };
        let charity = Charity {
            guard,
            ..Charity::new(kind, world(160, 129)).await
        };
        let late: Vec<i64> = charity.alone().into_iter().take(60).collect();
        late.iter().for_each(|id| charity.opt(*id, false));
        charity.sync().await;
        charity.approve_all().await;
        late.iter().for_each(|id| charity.opt(*id, true));
        let done = charity.sync().await;
        assert_eq!(
            (done.holds.of(Harm::Add), done.forecast),
            (60, None),
            "{kind:?}: {done:?}"
        );
        assert_eq!(
            late.iter()
                .filter(|id| charity.status(&charity.email(**id)) != "nobody")
                .count(),
            0
        );
        charity.assert_complete(&late).await;
        // Afterwards they are an addition as any other, and too large a one.
        assert_eq!(charity.sync().await.holds.of(Harm::Add), 60);
        charity.approve_all().await;
        assert_eq!(charity.sync().await.held, 0);
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_many_new_people_are_held_and_few_are_not() {
    let charity = Charity {
        guard: GuardSettings {
            additions_min: 10,
            ..GuardSettings::default()
        },
        ..Charity::new(Kind::Sqlite, world(160, 127)).await
    };
    let refusers: Vec<i64> = charity.alone().into_iter().take(60).collect();
    refusers.iter().for_each(|id| charity.opt(*id, false));
    charity.sync().await;
    charity.approve_all().await;
    charity.sync().await;
    charity.assert_complete(&[]).await;
    let few = charity.consented().len() / 5;
    refusers[..few].iter().for_each(|id| charity.opt(*id, true));
    assert_eq!(charity.sync().await.held, 0);
    refusers[few..].iter().for_each(|id| charity.opt(*id, true));
    charity.forget_calls();
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Add), charity.harm().writes.len()),
        (60 - few as u64, 0)
    );
    charity.approve_all().await;
    charity.sync().await;
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_people_come_in_portions_that_outlive_a_process() {
    let guard = GuardSettings {
        daily_additions: 20,
        ..GuardSettings::default()
    };
    let charity = Charity {
        guard,
        ..Charity::new(Kind::Sqlite, world(120, 125)).await
    };
    charity.sync().await;
    charity.approve_all().await;
    let there = || {
        charity
            .consented()
            .keys()
            .filter(|email| charity.status(email) == "subscribed")
            .count()
    };
    let all = charity.consented().len();
    let before = there();
    charity.sync().await;
    assert_eq!(there(), before + 20);
    // Another process on the same day adds nobody.
    let done = charity.sync().await;
    assert_eq!(
        (there(), done.held),
        (before + 20, 0),
        "they wait for time, not for a person"
    );
    let mut days = 0;
    while there() < all {
        days += 1;
        assert!(days < 10);
        let before = there();
        charity.deliver_at(in_days(days)).await.unwrap();
        assert_eq!(there(), all.min(before + 20), "day {days}");
    }
    charity.assert_harmless();
}
