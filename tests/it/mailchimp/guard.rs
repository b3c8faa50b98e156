//! No large harm in one step: it is held as a whole until a person approves exactly it, and
//! everything else goes on.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, world};
use chrono::Utc;
use classy_sync::domain::{Forecast, Harm};
use classy_sync::plugin::{
    Allowed, Disallowed, FirstPush, GuardSettings, Preview, Word, approve, preview,
};
use classy_sync::simulator::{Act, Kind as List, Status};
use std::collections::BTreeSet;
use std::time::Duration;

impl Charity {
    /// As it is configured where nobody says otherwise, but for the first push.
    async fn guarded(kind: Kind, supporters: usize, seed: u64) -> Charity {
        let guard = GuardSettings {
            first_push: FirstPush::Send,
            ..GuardSettings::default()
        };
        Charity {
            guard,
            ..Charity::new(kind, world(supporters, seed)).await
        }
    }

    pub(super) async fn preview(&self) -> Preview {
        let (store, tenant) = self.store().await;
        let seen = preview(
            &tenant,
            "mailchimp",
            &mut *self.plugin(),
            &self.guard,
            Utc::now(),
        )
        .await
        .unwrap();
        store.close().await.unwrap();
        seen
    }

    pub(super) async fn approve(&self, word: Word<'_>) -> Result<Allowed, Disallowed> {
        let seen = self.preview().await;
        let (store, tenant) = self.store().await;
        let allowed = approve(
            &tenant,
            &self.ledger_key(),
            &self.guard,
            &seen.held(),
            seen.asks_first,
            &word,
            Utc::now(),
        )
        .await;
        store.close().await.unwrap();
        allowed
    }

    async fn approve_all(&self) -> Allowed {
        self.approve(Word {
            actor: "cli",
            ..Word::default()
        })
        .await
        .unwrap()
    }

    /// Who is unsubscribed by us, by address.
    fn off(&self) -> BTreeSet<String> {
        self.harm()
            .unsubscriptions
            .iter()
            .map(|mark| mark.email.clone())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_opt_out_is_held_until_exactly_its_people_are_approved_and_each_once() {
    for kind in kinds() {
        let charity = Charity::guarded(kind, 160, 120).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(80).collect();
        let emails = |ids: &[i64]| {
            ids.iter()
                .map(|id| charity.email(*id))
                .collect::<BTreeSet<String>>()
        };
        people[..60].iter().for_each(|id| charity.opt(*id, false));
        let done = charity.sync().await;
        assert_eq!(
            (
                done.held,
                done.holds.of(Harm::Unsubscribe),
                charity.off().len()
            ),
            (60, 60, 0),
            "{kind:?}"
        );
        assert!(
            charity.fate(people[0]).await.contains("waits for approval"),
            "{}",
            charity.fate(people[0]).await
        );
        // It stays so by itself.
        assert_eq!(charity.sync().await.held, 60);
        // Some of them, however often it is said, and nobody else.
        let plan = charity.preview().await.plan();
        let some = |plan: &str| Word {
            supporters: people[..20].to_vec(),
            plan: Some(plan.to_owned()),
            actor: "cli",
            ..Word::default()
        };
        assert_eq!(charity.approve(some(&plan)).await.unwrap().people, 20);
        // What is approved is not held any more, so the plan is another one.
        for _ in 0..2 {
            let refused = charity.approve(some(&plan)).await;
            assert!(
                matches!(refused, Err(Disallowed::Changed { .. })),
                "{refused:?}"
            );
        }
        // More opt out meanwhile: they are nobody whom a person looked at.
        people[60..].iter().for_each(|id| charity.opt(*id, false));
        assert_eq!(
            (charity.sync().await.held, charity.off()),
            (60, emails(&people[..20]))
        );
        assert_eq!(charity.sync().await.held, 60, "it was for once");
        assert!(matches!(
            charity.approve(some(&plan)).await,
            Err(Disallowed::Changed { .. })
        ));
        let renames = charity
            .approve(Word {
                kinds: vec![Harm::Rename],
                actor: "cli",
                ..Word::default()
            })
            .await;
        assert!(matches!(renames, Err(Disallowed::Nothing)), "{renames:?}");
        assert_eq!(charity.approve_all().await.people, 60);
        assert_eq!(
            (charity.sync().await.held, charity.off()),
            (0, emails(&people))
        );
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ends_and_is_for_what_was_looked_at() {
    let charity = Charity::guarded(Kind::Sqlite, 100, 126).await;
    charity.sync().await;
    let people = charity.givers(30).await;
    people
        .iter()
        .for_each(|id| charity.edit(*id, "first_name", "\"Blank\""));
    assert_eq!(charity.sync().await.held, 30);
    charity.approve_all().await;
    // One of them gets another name still, and nobody looked at that.
    charity.edit(people[0], "first_name", "\"Other\"");
    let done = charity.sync().await;
    let named = |name: &str| {
        people
            .iter()
            .filter(|id| charity.field(&charity.email(**id), "FNAME") == name)
            .count()
    };
    // Alone it goes within what goes unasked.
    assert_eq!((named("Blank"), named("Other"), done.held), (29, 1, 0));
    // A day later nothing of an approval is left.
    people
        .iter()
        .for_each(|id| charity.edit(*id, "last_name", "\"Void\""));
    assert_eq!(charity.sync().await.held, 30);
    charity.approve_all().await;
    assert_eq!(charity.deliver_at(in_days(2)).await.unwrap().held, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_of_other_names_is_held_and_their_gifts_are_told_all_the_same() {
    let charity = Charity::guarded(Kind::Sqlite, 250, 121).await;
    charity.sync().await;
    let people = charity.givers(60).await;
    for id in &people {
        charity.edit(*id, "first_name", "\"Blank\"");
        charity.give(*id, "40000");
    }
    charity.forget_calls();
    let done = charity.sync().await;
    assert_eq!(done.held, 60, "{done:?}");
    charity.assert_complete(&[]).await;
    assert!(
        people
            .iter()
            .all(|id| charity.field(&charity.email(*id), "FNAME") != "Blank")
    );
    // What was held is looked at each time, and nothing is sent for it.
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(charity.harm().writes.len(), 0);
    charity.approve_all().await;
    assert_eq!(charity.sync().await.held, 0);
    assert!(
        people
            .iter()
            .all(|id| charity.field(&charity.email(*id), "FNAME") == "Blank")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn few_go_unasked_and_most_of_a_small_audience_does_not() {
    let charity = Charity::guarded(Kind::Sqlite, 80, 122).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().collect();
    people[..4].iter().for_each(|id| charity.opt(*id, false));
    assert_eq!((charity.sync().await.held, charity.off().len()), (0, 4));
    people[4..].iter().for_each(|id| charity.opt(*id, false));
    let done = charity.sync().await;
    assert_eq!(
        (done.held, charity.off().len()),
        (people.len() as u64 - 4, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn harm_in_slices_is_held_too() {
    let charity = Charity::guarded(Kind::Sqlite, 260, 123).await;
    charity.sync().await;
    let people: Vec<i64> = charity.alone().into_iter().collect();
    let tenth = charity.consented().len() / 10;
    assert!(people.len() > 3 * tenth && tenth > 5);
    // A bit less than a tenth each day, for three days.
    for day in 0..3 {
        people[day * (tenth - 1)..(day + 1) * (tenth - 1)]
            .iter()
            .for_each(|id| charity.opt(*id, false));
        charity.read();
        charity.deliver_at(in_days(2 * day as i64)).await.unwrap();
    }
    assert_eq!(
        charity.off().len(),
        tenth - 1,
        "the second slice was held, and the third"
    );
}

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
async fn what_is_something_else_than_what_was_approved_waits() {
    let mut charity = Charity {
        guard: GuardSettings::default(),
        ..Charity::new(Kind::Sqlite, world(60, 130)).await
    };
    let all = charity.sync().await.held;
    charity.approve_all().await;
    charity.forget_calls();
    let ask_first = |charity: &Charity, asks: bool| {
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = asks;
    };
    // A mail to each that nobody was told of.
    ask_first(&charity, true);
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Confirm), charity.harm().writes.len()),
        (all, 0),
        "{done:?}"
    );
    assert!(
        done.forecast
            .is_some_and(|forecast| forecast.confirmations == all),
        "{done:?}"
    );
    ask_first(&charity, false);
    // Other tags, other permissions, tags that set something off.
    for table in ["tag_prefix = 'Donor-'", "quiet_first_push = true"] {
        charity.table = table.to_owned();
        let done = charity.sync().await;
        assert_eq!(
            (done.held, charity.harm().writes.len()),
            (all, 0),
            "{table}: {done:?}"
        );
    }
    charity.table.clear();
    // Another address: that one waits, and for a person, however few it is.
    let moved = charity.givers(1).await[0];
    charity.edit(moved, "email_address", "\"stranger@example.org\"");
    for _ in 0..2 {
        assert_eq!(
            (
                charity.sync().await.held,
                charity.status("stranger@example.org")
            ),
            (1, "nobody")
        );
    }
    charity.assert_complete(&[moved]).await;
    charity.approve_all().await;
    assert_eq!(charity.sync().await.held, 0);
    charity.assert_complete(&[]).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_done_however_often_it_is_cut_off() {
    let charity = Charity {
        guard: GuardSettings::default(),
        ..Charity::new(Kind::Sqlite, world(60, 128)).await
    };
    charity.sync().await;
    charity.approve_all().await;
    charity.site.simulator.mailchimp().switches.latency_ms = 10;
    let mut cuts = 0;
    for step in 1.. {
        let cut = tokio::time::timeout(Duration::from_millis(step * 40), charity.deliver()).await;
        charity.end_lease().await;
        if let Ok(done) = cut {
            assert_eq!(done.unwrap().held, 0);
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 2, "{cuts}");
    charity.assert_complete(&[]).await;
}
