//! What goes wrong at Mailchimp and here: everybody arrives in the end, once, and nobody is harmed
//! on the way.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use crate::web::{Daemon, TOKEN, until};
use classy_sync::plugin::PluginError;
use classy_sync::simulator::{Act, Fault, Options, Switches};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_arrives_through_every_passing_fault() {
    for fault in [
        Fault::Mailchimp429,
        Fault::Mailchimp429Empty,
        Fault::Mailchimp403Empty,
        Fault::Mailchimp500,
        Fault::MailchimpDrop,
        Fault::MailchimpDropAfterWrite,
        Fault::MailchimpNoType,
    ] {
        let charity = Charity::new(Kind::Sqlite, world(60, 130)).await;
        charity.site.simulator.world().faults = vec![fault];
        for _ in 0..3 {
            let people = charity.givers(6).await;
            charity.opt(people[5], false);
            charity.give(people[0], "12000");
            charity.sync().await;
        }
        charity.site.simulator.world().faults.clear();
        charity.assert_complete(&[]).await;
        // Whoever was added by a call of which nobody heard is known to be ours.
        let person = charity.givers(1).await[0];
        charity.opt(person, false);
        charity.sync().await;
        assert_eq!(
            charity.status(&charity.email(person)),
            "unsubscribed",
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_of_a_batch_fail_or_are_not_spoken_of_and_are_sent_again() {
    for fault in [Fault::MailchimpPartial, Fault::MailchimpVanish] {
        let charity = Charity::new(Kind::Sqlite, world(60, 131)).await;
        let mut put_off = 0;
        for seed in 0..6 {
            charity.site.simulator.world().faults = vec![fault];
            let people = charity.givers(20).await;
            for id in people {
                charity.edit(id, "last_name", &format!("\"Name {seed}\""));
            }
            charity.read();
            put_off += charity.deliver().await.unwrap().deferred;
        }
        assert!(put_off > 0, "{fault} never struck");
        charity.site.simulator.world().faults.clear();
        for days in 1..4 {
            charity.deliver_at(in_days(days)).await.unwrap();
        }
        charity.assert_harmless();
        for id in charity.consented().into_values() {
            assert!(
                charity.fate(id).await.starts_with("delivered"),
                "{fault}: {}",
                charity.fate(id).await
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_mailchimp_does_not_take_is_remembered_and_stops_nobody() {
    let switches = Switches {
        fake: vec!["nobody.real".to_owned()],
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(60, 132)
        },
    )
    .await;
    let people = charity.givers(2).await;
    charity.edit(people[0], "email_address", "\"nobody.real@example.org\"");
    let done = charity.sync().await;
    assert_eq!((done.rejected, done.deferred), (1, 0), "{done:?}");
    assert!(
        charity
            .fate(people[0])
            .await
            .starts_with("rejected: Mailchimp takes this address for fake")
    );
    charity.forget_calls();
    charity.sync().await;
    assert_eq!(
        charity.harm().writes.len(),
        0,
        "it is not tried again by itself"
    );
    charity.assert_complete(&people[..1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_does_not_take_its_value_costs_that_field_only() {
    let charity = Charity::new(Kind::Sqlite, world(60, 133)).await;
    // Somebody made the field of the last gift a link.
    let body = "{\"tag\":\"LASTGIFT\",\"name\":\"Last gift\",\"type\":\"url\"}";
    let url = format!(
        "{}/lists/{}/merge-fields",
        charity.site.simulator.mailchimp_url(),
        charity.audience
    );
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = reqwest::Client::new()
        .post(url)
        .basic_auth("x", Some(&charity.key))
        .body(body)
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success());
    let givers = charity.givers(10).await;
    let done = charity.sync().await;
    assert!(done.delivered >= 10 && done.rejected == 0, "{done:?}");
    assert!(
        charity
            .fate(givers[0])
            .await
            .contains("all was taken but the field LASTGIFT"),
        "{}",
        charity.fate(givers[0]).await
    );
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_without_room_for_fields_is_delivered_without_them() {
    let switches = Switches {
        merge_field_limit: 5,
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(40, 134)
        },
    )
    .await;
    let done = charity.sync().await;
    assert_eq!(done.delivered as usize, charity.consented().len());
    let person = charity.givers(1).await[0];
    assert!(
        charity
            .field(&charity.email(person), "TOTALAMT")
            .is_number()
            && charity.field(&charity.email(person), "ACTIVESUB").is_null()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_cut_off_anywhere_goes_on_where_it_was() {
    for kind in kinds() {
        let switches = Switches {
            latency_ms: 10,
            ..Switches::default()
        };
        let charity = Charity::new(
            kind,
            Options {
                mailchimp: switches,
                ..world(80, 135)
            },
        )
        .await;
        let people = charity.givers(12).await;
        for round in 0..2 {
            if round > 0 {
                charity.opt(people[round], false);
                charity.edit(
                    people[round + 3],
                    "email_address",
                    &format!("\"moved.{round}@example.org\""),
                );
                charity.give(people[round + 6], &format!("{}", 20_000 * round));
            }
            charity.read();
            let mut cuts = 0;
            for step in 1.. {
                // Cut off as a kill does it: nothing that comes after is done. Each time a little
                // later, until it comes to its end.
                let cut =
                    tokio::time::timeout(Duration::from_millis(step * 40), charity.deliver()).await;
                charity.end_lease().await;
                match cut {
                    Ok(done) => {
                        done.unwrap();
                        break;
                    }
                    Err(_) => cuts += 1,
                }
            }
            assert!(cuts > 3, "{cuts} cuts on {kind:?}");
            charity.assert_harmless();
            charity.assert_complete(&[]).await;
        }
        let sending = "SELECT COUNT(*) AS n FROM plugin_deliveries WHERE state = 'sending'";
        assert_eq!(charity.site.number(sending).await, 0);
        // Everybody whom we put there is known to be ours.
        let ours = charity.givers(8).await;
        for id in &ours {
            charity.opt(*id, false);
        }
        charity.sync().await;
        for id in &ours {
            assert_eq!(
                charity.status(&charity.email(*id)),
                "unsubscribed",
                "{}",
                charity.fate(*id).await
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_accepted_ends_it_and_is_not_shown() {
    let charity = Charity::new(Kind::Sqlite, world(20, 136)).await;
    charity.site.simulator.world().faults = vec![Fault::MailchimpKeyRevoked];
    charity.read();
    let error = charity.deliver().await.unwrap_err();
    assert!(matches!(error, PluginError::Refused(_)), "{error}");
    assert!(!format!("{error} {error:?}").contains(&charity.key[..32]));
    assert_eq!(charity.harm().total_calls(), 1, "it is not tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_archived_in_the_moment_of_sending_is_taken_off_again_and_a_person_is_called() {
    let charity = Charity::new(Kind::Sqlite, world(40, 137)).await;
    charity.sync().await;
    let person = charity.givers(1).await[0];
    charity.edit(person, "last_name", "\"Other\"");
    charity.read();
    // The look at the audience is over when the batch begins; the tags are read in between.
    charity.site.simulator.mailchimp().switches.latency_ms = 150;
    let (done, ()) = tokio::join!(charity.deliver(), async {
        loop {
            if charity.harm().calls_of("GET /lists/{list_id}/merge-fields") > 1 {
                break charity.act(Act::Archive(charity.email(person)));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(matches!(&done, Err(PluginError::Alarm(_))), "{done:?}");
    assert_eq!(charity.status(&charity.email(person)), "unsubscribed");
    charity.site.simulator.mailchimp().ledger.clear();
    charity.site.simulator.mailchimp().switches.latency_ms = 0;
    // It stands still for every process, until a person has looked and says what was found.
    let error = charity.deliver().await.unwrap_err();
    assert!(
        matches!(&error, PluginError::Suspended { reason, .. } if reason.contains("who had left")),
        "{error}"
    );
    charity.configure();
    for arguments in [&["sync"][..], &["plugin", "run"], &["sync", "--full"]] {
        let output = charity.site.run(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success()
                && text.contains("suspended since")
                && text.contains("plugin resume"),
            "{text}"
        );
    }
    assert_eq!(charity.harm().writes.len(), 0);
    // An opt-out takes somebody out, and does not wait for that; nobody comes in, and nobody is
    // changed.
    let others = charity.givers(3).await;
    let refuser = *others.iter().find(|id| **id != person).unwrap();
    let other = *others
        .iter()
        .find(|id| ![person, refuser].contains(id))
        .unwrap();
    charity.opt(refuser, false);
    charity.edit(other, "last_name", "\"Other\"");
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    charity.site.json(&["sync", "--no-plugins"], 0);
    until(
        "the refuser is taken off",
        Duration::from_secs(60),
        async || charity.status(&charity.email(refuser)) == "unsubscribed",
    )
    .await;
    let writes = charity.harm().writes;
    assert!(
        writes
            .iter()
            .all(|write| write.email == charity.email(refuser)),
        "{:?}",
        writes.iter().map(|one| one.keys()).collect::<Vec<_>>()
    );
    until("health tells", Duration::from_secs(60), async || {
        daemon
            .get("/api/v1/health")
            .await
            .body
            .contains("suspended until")
    })
    .await;
    assert_eq!(
        charity
            .site
            .run(&["plugin", "resume", "--org", "10001"])
            .status
            .code(),
        Some(2),
        "a reason is asked for"
    );
    assert_eq!(
        charity
            .site
            .run(&["plugin", "resume", "--org", "10001", "--reason", ""])
            .status
            .code(),
        Some(2)
    );
    assert!(
        charity
            .site
            .run(&[
                "plugin",
                "resume",
                "--org",
                "10001",
                "--reason",
                "archived by hand meanwhile"
            ])
            .status
            .success()
    );
    let noted = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.resume' AND detail LIKE '%archived by hand meanwhile%'";
    assert_eq!(charity.site.number(noted).await, 1);
    let output = charity.site.run(&["sync"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    charity.assert_harmless();
    assert_eq!(charity.status(&charity.email(person)), "unsubscribed");
    assert_eq!(
        charity.field(&charity.email(other), "LNAME"),
        "Other",
        "what waited comes after"
    );
}
