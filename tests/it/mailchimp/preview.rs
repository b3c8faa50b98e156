//! A preview says what the next delivery does: in random worlds, with both sides changing, it is
//! held against what the double was asked.
//!
//! `CLASSY_SYNC_WORLDS=100` tries that many; `CLASSY_SYNC_WORLD=17` one again.

use super::Charity;
use super::lives::{Life, begin};
use crate::backend::Kind;
use crate::site::world;
use chrono::Utc;
use classy_sync::domain::{Harm, Step};
use classy_sync::plugin::{FirstPush, GuardSettings, Preview, Seen, Word};
use classy_sync::simulator::Act;
use std::collections::BTreeSet;

fn address(seen: &Seen) -> String {
    seen.person
        .address
        .as_ref()
        .map(|address| address.as_str().to_owned())
        .unwrap_or_default()
}

fn is_held(seen: &Seen, kind: Harm) -> bool {
    seen.held
        .iter()
        .any(|guarded_change| guarded_change.kind == kind)
}

/// Whether anything is sent in a batch for somebody.
fn is_sent(seen: &Seen) -> bool {
    let may_enter = !seen.later
        && !seen
            .held
            .iter()
            .any(|guarded_change| guarded_change.kind.is_entry());
    let is_name = |field: &String| ["FNAME", "LNAME"].contains(&field.as_str());
    match seen.planned.step {
        Step::Add => may_enter,
        Step::Change => {
            let name = seen.planned.fields.iter().any(is_name) && !is_held(seen, Harm::Rename);
            may_enter
                && (name
                    || !seen.planned.tags.is_empty()
                    || seen.planned.fields.iter().any(|field| !is_name(field)))
        }
        _ => false,
    }
}

impl Life {
    /// Looks ahead, delivers, and compares.
    async fn foresee(&mut self) {
        self.log.push("-- preview and delivery".to_owned());
        let told = |life: &Life| format!("\n{}", life.log.join("\n"));
        self.charity.read();
        let seen = self.charity.preview().await;
        self.charity.site.simulator.mailchimp().ledger.clear();
        let done = self.charity.deliver_at(Utc::now()).await.unwrap();
        let harm = self.charity.harm();
        // Who moves is sent in one batch more, unless they were not confirmed yet.
        let moving: BTreeSet<String> = seen
            .people
            .iter()
            .filter(|one| one.planned.step == Step::Move)
            .map(address)
            .collect();
        let batch = |is_new: Option<bool>| -> BTreeSet<String> {
            let writes = harm.writes.iter().filter(|write| {
                write.endpoint == "POST /lists/{list_id}" && !moving.contains(&write.email)
            });
            writes
                .filter(|write| is_new.is_none_or(|new| write.before.is_none() == new))
                .map(|write| write.email.clone())
                .collect()
        };
        let foreseen = |wanted: &dyn Fn(&Seen) -> bool| -> BTreeSet<String> {
            seen.people
                .iter()
                .filter(|one| is_sent(one) && wanted(one))
                .map(address)
                .collect()
        };
        assert_eq!(
            batch(Some(true)),
            foreseen(&|one| one.planned.step == Step::Add),
            "added{}",
            told(self)
        );
        assert_eq!(batch(None), foreseen(&|_| true), "sent{}", told(self));
        let mails = seen
            .people
            .iter()
            .filter(|one| {
                is_sent(one)
                    && one
                        .planned
                        .guarded_changes
                        .iter()
                        .any(|guarded_change| guarded_change.kind == Harm::Confirm)
            })
            .count();
        // Whoever was erased before us is refused, and gets none.
        let refused = harm
            .writes
            .iter()
            .filter(|write| write.before.is_none() && write.refused.is_some())
            .count();
        let expected = if mails == 0 { 0 } else { mails - refused };
        assert_eq!(
            harm.confirmation_mails.len(),
            expected,
            "mails{}",
            told(self)
        );
        let off = seen.people.iter().filter(|one| {
            one.planned.step == Step::Unsubscribe && !is_held(one, Harm::Unsubscribe)
        });
        // That somebody was erased no list tells: it shows when they are looked for.
        let mut missing = 0;
        for one in off.clone() {
            missing += usize::from(
                self.charity
                    .fate(one.person.supporter_id)
                    .await
                    .contains("not found in Mailchimp"),
            );
        }
        let off = off.count() - missing;
        assert!(
            (off == 0) == harm.unsubscriptions.is_empty() && harm.unsubscriptions.len() >= off,
            "{off} unsubscribed: {:?}{}",
            harm.unsubscriptions,
            told(self)
        );
        let (store, tenant) = self.charity.store().await;
        let held: BTreeSet<_> = tenant
            .holds(&self.charity.ledger_key())
            .await
            .unwrap()
            .into_iter()
            .collect();
        store.close().await.unwrap();
        assert_eq!(
            held,
            seen.held().into_iter().collect(),
            "held{}",
            told(self)
        );
        assert_eq!(done.holds, seen.holds(), "{}", told(self));
        for one in &seen.people {
            let (id, word) = (one.person.supporter_id, one.planned.step.as_str());
            let fate = self.charity.fate(id).await;
            let state = fate.split(':').next().unwrap_or_default();
            let was_refused = harm
                .writes
                .iter()
                .any(|write| write.email == address(one) && write.refused.is_some());
            let is_right = match one.planned.step {
                _ if !one.held.is_empty() => state == "held",
                _ if one.later => state == "deferred",
                Step::Unsubscribe if fate.contains("not found in Mailchimp") => true,
                Step::Skip | Step::Unsubscribe => state == "skipped",
                Step::Move => ["delivered", "skipped", "deferred"].contains(&state) || was_refused,
                _ => state == "delivered" || was_refused,
            };
            assert!(is_right, "{id} {word}: {fate}{}", told(self));
        }
    }

    async fn approve_what_is_held(&mut self, seen: &Preview) {
        if !seen.held().is_empty() {
            self.log.push("a person approves".to_owned());
            self.charity
                .approve(Word {
                    actor: "cli",
                    ..Word::default()
                })
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_equals_the_next_run_in_random_worlds() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds: Vec<u64> = match number("CLASSY_SYNC_WORLD") {
        Some(seed) => vec![seed],
        None => (0..number("CLASSY_SYNC_WORLDS").unwrap_or(4)).collect(),
    };
    for seed in seeds {
        println!("world {seed}");
        let first_push = if seed % 2 == 0 {
            FirstPush::Ask
        } else {
            FirstPush::Send
        };
        let guard = GuardSettings {
            first_push,
            daily_additions: if seed % 4 == 3 { 4 } else { 0 },
            ..GuardSettings::default()
        };
        let charity = Charity {
            guard,
            ..Charity::new(Kind::Sqlite, world(20, 3_000 + seed)).await
        };
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .double_optin = seed % 3 == 2;
        let mut life = begin(charity, seed);
        life.foresee().await;
        for _ in 0..5 {
            let seen = life.charity.preview().await;
            if life.dice.roll(2) == 0 {
                life.approve_what_is_held(&seen).await;
            }
            for _ in 0..=life.dice.roll(6) {
                life.step();
            }
            life.foresee().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_in_mailchimp_is_in_the_preview() {
    let charity = Charity::new(Kind::Sqlite, world(60, 130)).await;
    charity.sync().await;
    let people = charity.givers(3).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    let audience = charity.audience.clone();
    let fields = [("FNAME".to_owned(), "Edited".into())]
        .into_iter()
        .collect();
    let edit = Act::Import {
        email: emails[0].clone(),
        tags: Vec::new(),
        fields,
        foreign: false,
    };
    assert!(charity.site.simulator.mailchimp().act(&audience, &edit));
    charity.act(Act::Unsubscribe(emails[1].clone()));
    let step = |seen: &Preview, id: i64| {
        seen.people
            .iter()
            .find(|one| one.person.supporter_id == id)
            .map(|one| one.planned.step)
    };
    let seen = charity.preview().await;
    assert_eq!(
        (
            step(&seen, people[0]),
            step(&seen, people[1]),
            step(&seen, people[2])
        ),
        (Some(Step::Change), Some(Step::Skip), None)
    );
    // Whoever left comes back by a form.
    charity.sync().await;
    charity.act(Act::SignUp(emails[1].clone()));
    assert_eq!(
        step(&charity.preview().await, people[1]),
        Some(Step::Change)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_shown_as_an_undo_that_was_ordered_leaves_it() {
    let charity = Charity::new(Kind::Sqlite, world(80, 131)).await;
    charity.configure();
    charity.site.sync();
    let people = charity.givers(14).await;
    let since = Utc::now().to_rfc3339();
    people.iter().for_each(|id| charity.give(*id, "40000"));
    charity.site.sync();
    // It is more than goes unasked; once it is approved, the next delivery does it before anything
    // else.
    charity
        .site
        .json(&["plugin", "undo", "--since", &since, "--yes"], 0);
    charity.site.json(
        &[
            "plugin", "approve", "--org", "10001", "--kind", "undo", "--yes",
        ],
        0,
    );
    charity.touch(people[0]);
    charity.give(people[1], "50000");
    charity.read();
    let preview = charity.preview().await;
    let planned = |id: i64| {
        &preview
            .people
            .iter()
            .find(|one| one.person.supporter_id == id && one.planned.step != Step::Undo)
            .unwrap()
            .planned
    };
    let undone = preview
        .people
        .iter()
        .filter(|one| one.planned.step == Step::Undo && one.held.is_empty())
        .count();
    assert_eq!(undone, people.len());
    // The one has only what is taken back; of the other something else is sent, and the tag with it
    // that is taken off by then.
    assert_eq!(
        (planned(people[0]).step, planned(people[1]).step),
        (Step::Skip, Step::Change)
    );
    assert!(
        planned(people[1])
            .tags
            .contains(&"Classy-Transformational".to_owned()),
        "{:?}",
        planned(people[1]).tags
    );
    charity.forget_calls();
    charity.site.json(&["plugin", "run"], 0);
    assert!(
        charity
            .fate(people[0])
            .await
            .starts_with("skipped: taken back"),
        "{}",
        charity.fate(people[0]).await
    );
    let batch: Vec<String> = charity
        .harm()
        .writes
        .iter()
        .filter(|write| write.endpoint == "POST /lists/{list_id}")
        .map(|write| write.email.clone())
        .collect();
    assert_eq!(batch, [charity.email(people[1])]);
    assert!(
        charity
            .tags(&charity.email(people[1]))
            .contains(&"Classy-Transformational".to_owned())
    );
}
