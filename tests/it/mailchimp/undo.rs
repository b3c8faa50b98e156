//! `plugin undo`, by the real program: fields and tags that pushes changed are taken back exactly,
//! and nothing else is.

use super::Charity;
use super::undoing::{Picture, by_hand, has, outcome};
use crate::backend::{Kind, kinds};
use crate::site::world;
use chrono::Utc;
use classy_sync::simulator::Act;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OFF: [&str; 3] = ["unsubscribed", "cleaned", "archived"];

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_push_over_thirty_people_is_taken_back_exactly() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(110, 301)).await;
        charity.configure();
        charity.site.sync();
        let people = charity.givers(30).await;
        let email = |place: usize| charity.email(people[place]);
        charity.act(Act::Tag {
            email: email(0),
            tag: "Gala".to_owned(),
        });
        let before = charity.snapshot();
        let since = charity.push_wrongly(&people);
        let pushes = charity.pushes().await;
        assert!(
            pushes.iter().map(|(contacts, _)| contacts).sum::<i64>() >= 30
                && pushes.iter().all(|(_, taken_back)| *taken_back == 0),
            "{kind:?}: {pushes:?}"
        );
        // What happens meanwhile.
        charity.act(by_hand(&email(1), "TOTALAMT", json!(7)));
        charity.act(Act::Unsubscribe(email(2)));
        charity.act(Act::Clean(email(3)));
        charity.opt(people[4], false);
        charity.act(Act::Tag {
            email: email(5),
            tag: "VIP".to_owned(),
        });
        charity.site.sync();
        let pushed = charity.snapshot();
        assert!(
            [2, 3, 4]
                .iter()
                .all(|place| OFF.contains(&pushed[&email(*place)].0))
        );
        // Nobody is there to be asked.
        let writes = charity.count_writes();
        assert_eq!(
            charity
                .site
                .run(&["plugin", "undo", "--since", &since])
                .status
                .code(),
            Some(2)
        );
        assert_eq!(
            (
                charity.count_writes(),
                charity
                    .site
                    .number("SELECT COUNT(*) AS n FROM plugin_undos")
                    .await
            ),
            (writes, 0)
        );
        // It is more than goes unasked.
        let rows = charity.undo(&since);
        assert_eq!(
            (charity.count_writes(), outcome(&rows, people[6])),
            (writes, "held".to_owned()),
            "{kind:?} {rows}"
        );
        assert!(
            [2, 3, 4]
                .iter()
                .all(|place| outcome(&rows, people[*place]) == "left"),
            "{rows}"
        );
        let preview = charity.site.json(&["plugin", "preview"], 0);
        let ordered = |row: &&Value| row["action"] == "undo" && row["held"] == "undo";
        assert!(
            preview.as_array().unwrap().iter().filter(ordered).count() >= 27,
            "{preview}"
        );
        let text = String::from_utf8_lossy(
            &charity
                .site
                .run(&["plugin", "undo", "--since", &since, "--yes"])
                .stderr,
        )
        .into_owned();
        let plan = text
            .split("--plan ")
            .nth(1)
            .unwrap()
            .split('`')
            .next()
            .unwrap()
            .trim()
            .to_owned();
        assert_eq!(
            charity
                .site
                .run(&[
                    "plugin",
                    "approve",
                    "--org",
                    "10001",
                    "--plan",
                    "0123456789abcdef",
                    "--yes"
                ])
                .status
                .code(),
            Some(3)
        );
        charity.site.json(
            &[
                "plugin", "approve", "--org", "10001", "--plan", &plan, "--yes",
            ],
            0,
        );
        charity.site.json(&["plugin", "run"], 0);
        let taken_back = charity.pushes().await;
        assert!(
            taken_back.iter().map(|(_, number)| number).sum::<i64>() >= 27,
            "{kind:?}: {taken_back:?}"
        );

        let after = charity.snapshot();
        let statuses = |picture: &Picture| {
            picture
                .iter()
                .map(|(email, (status, ..))| (email.clone(), *status))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            statuses(&after),
            statuses(&pushed),
            "{kind:?}: never a status"
        );
        for (place, id) in people.iter().enumerate() {
            let email = charity.email(*id);
            let (mut wanted, now) = (before[&email].clone(), &after[&email]);
            match place {
                1 => drop(
                    wanted
                        .1
                        .insert("TOTALAMT".to_owned(), pushed[&email].1["TOTALAMT"].clone()),
                ),
                2..=4 => wanted = pushed[&email].clone(),
                5 => drop(wanted.2.insert("VIP".to_owned())),
                _ => {}
            }
            assert_eq!(
                (&now.1, &now.2),
                (&wanted.1, &wanted.2),
                "{kind:?}, person {place}"
            );
        }
        assert!(after[&email(0)].2.contains("Gala") && after[&email(5)].2.contains("VIP"));
        let others = |picture: &Picture| {
            let ours: BTreeSet<String> = people.iter().map(|id| charity.email(*id)).collect();
            picture
                .iter()
                .filter(|(email, _)| !ours.contains(*email))
                .map(|(email, one)| (email.clone(), one.clone()))
                .collect::<Vec<_>>()
        };
        // Tags under the right prefix may have been put back for those whom the other prefix
        // reached, too.
        assert_eq!(others(&after).len(), others(&before).len());
        for (email, (_, fields, tags)) in others(&before) {
            assert_eq!(
                (&after[&email].1, &after[&email].2),
                (&fields, &tags),
                "{kind:?}"
            );
        }
        charity.assert_harmless();
        assert_eq!(charity.site.number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.undo' AND actor = 'cli'").await, 2);
        assert!(
            charity
                .site
                .number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.undo'")
                .await
                >= 27
        );

        let list = charity.site.json(&["plugin", "list"], 0).to_string();
        assert!(list.contains("taken back by `plugin undo`: "), "{list}");

        // Said again there is nothing left, and nothing is put there again by itself.
        let writes = charity.count_writes();
        let again = charity.undo(&since);
        assert!(
            !has(&again, "taken_back") && outcome(&again, people[1]).is_empty(),
            "{again}"
        );
        charity.site.sync();
        assert_eq!(
            (charity.count_writes(), charity.snapshot() == after),
            (writes, true),
            "{kind:?}"
        );
        // Who changes at Classy is sent again, and everybody when a person says so.
        charity.give(people[7], "31000");
        charity.site.sync();
        let amount = |place: usize| {
            charity
                .field(&email(place), "TOTALAMT")
                .to_string()
                .trim_matches('"')
                .parse::<f64>()
                .unwrap()
        };
        assert!(amount(7) >= 31_000.0, "{}", amount(7));
        assert_eq!(charity.snapshot()[&email(8)], after[&email(8)]);
        let plain = charity
            .site
            .run(&["plugin", "resume", "--org", "10001", "--reason", "looked"]);
        assert_eq!(plain.status.code(), Some(0));
        charity.site.json(&["plugin", "run"], 0);
        assert!(
            charity
                .tags(&email(8))
                .iter()
                .all(|tag| !tag.starts_with("Clasy-"))
        );
        let undone = charity.site.run(&[
            "plugin",
            "resume",
            "--org",
            "10001",
            "--reason",
            "it was right",
            "--undone",
        ]);
        assert_eq!(
            undone.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&undone.stderr)
        );
        charity.site.json(&["plugin", "run"], 0);
        assert!(
            charity
                .tags(&email(8))
                .contains(&"Clasy-Transformational".to_owned())
                && amount(8) >= 40_000.0
        );
        charity.assert_harmless();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn few_people_go_at_once_and_a_contact_from_before_gets_its_own_name_back() {
    let charity = Charity::new(Kind::Sqlite, world(80, 303)).await;
    charity.configure();
    charity.site.sync();
    // Somebody who was in the newsletter long before they gave.
    let contact = "newsletter@town.org";
    charity.act(by_hand(contact, "FNAME", json!("Granny")));
    charity.act(Act::Tag {
        email: contact.to_owned(),
        tag: "Gala".to_owned(),
    });
    charity.site.sync();
    let nobody =
        charity.site.number("SELECT COUNT(*) AS n FROM plugin_members WHERE supporter_id IS NULL AND field_values IS NOT NULL").await;
    assert_eq!(
        nobody, 0,
        "of contacts who are no supporters nothing is kept"
    );
    let before = charity.snapshot()[contact].clone();
    let since = Utc::now().to_rfc3339();
    let text = "SELECT id AS n FROM supporters WHERE email_opt_in = 0 AND lifetime_donation_count > 0 ORDER BY id";
    let newcomer = charity.site.numbers(text).await[0];
    charity.edit(newcomer, "email_address", &format!("\"{contact}\""));
    charity.edit(newcomer, "first_name", "\"Ada\"");
    charity.opt(newcomer, true);
    charity.read();
    charity.site.sync();
    assert_ne!(charity.snapshot()[contact].1, before.1, "it got our fields");
    let rows = charity.undo_approved(&since);
    assert_eq!(outcome(&rows, newcomer), "taken_back", "{rows}");
    let after = charity.snapshot()[contact].clone();
    assert_eq!((after.0, &after.2), (before.0, &before.2));
    assert_eq!(after.1, before.1);
    charity.assert_harmless();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_to_a_contact_with_another_address_in_mailchimp_is_taken_back_there() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 305)).await;
        charity.configure();
        charity.site.sync();
        let person = charity.givers(1).await[0];
        let there = "renamed@example.net";
        charity.act(Act::Rename {
            email: charity.email(person),
            to: there.to_owned(),
        });
        charity.site.sync();
        let before = charity.snapshot()[there].clone();
        let since = Utc::now().to_rfc3339();
        charity.give(person, "40000");
        charity.site.sync();
        assert!(
            charity
                .tags(there)
                .contains(&"Classy-Transformational".to_owned()),
            "{kind:?} {}",
            charity.fate(person).await
        );
        let rows = charity.undo_approved(&since);
        assert_eq!(outcome(&rows, person), "taken_back", "{kind:?} {rows}");
        assert_eq!(charity.snapshot()[there], before, "{kind:?}");
        // And it is not sent there again.
        charity.touch(person);
        let writes = charity.count_writes();
        charity.site.sync();
        assert_eq!(
            (charity.count_writes(), charity.snapshot()[there] == before),
            (writes, true),
            "{}",
            charity.fate(person).await
        );
        charity.assert_harmless();
    }
}
