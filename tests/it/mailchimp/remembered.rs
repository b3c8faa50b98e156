//! What was configured, what the audience lacks and where people were before is remembered:
//! whatever changes reaches those who are there already, and what does not work is told.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use crate::web::{Daemon, TOKEN, until};
use classy_sync::domain::{Harm, Step};
use classy_sync::plugin::{FirstPush, GuardSettings, PluginError, Word};
use classy_sync::simulator::{Act, Options, Switches};
use serde_json::{Value, json};
use std::time::Duration;

impl Charity {
    /// Calls Mailchimp as somebody of the staff does, by the API.
    async fn staff(&self, method: &str, path: &str, body: Value) -> Value {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!(
            "{}/lists/{}/{path}",
            self.site.simulator.mailchimp_url(),
            self.audience
        );
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new()
            .request(method, url)
            .basic_auth("x", Some(&self.key))
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.unwrap();
        self.site.simulator.mailchimp().ledger.clear();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// What `plugin list` says that a person should know.
    fn notices(&self) -> Vec<String> {
        let list = self.site.json(&["plugin", "list"], 0);
        list[0]["notices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    }

    /// What the mirror knows was read a while after everything that changed in the audience.
    async fn age_the_look(&self) {
        let (store, tenant) = self.store().await;
        let fence = tenant
            .acquire("test", Duration::from_secs(60))
            .await
            .unwrap();
        let mut kept = tenant.plugin_state(&self.ledger_key()).await.unwrap();
        let mut state: Value = serde_json::from_str(kept.state.as_deref().unwrap()).unwrap();
        state["cursor"] = json!(chrono::Utc::now() + chrono::TimeDelta::minutes(15));
        kept.state = Some(state.to_string());
        tenant
            .set_plugin_state(&fence, &self.ledger_key(), &kept)
            .await
            .unwrap();
        tenant.release(&fence).await.unwrap();
        store.close().await.unwrap();
    }

    /// So many people have tags that begin like this.
    fn tagged(&self, prefix: &str) -> usize {
        self.consented()
            .keys()
            .filter(|email| self.tags(email).iter().any(|tag| tag.starts_with(prefix)))
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_prefix_reaches_everybody_and_the_old_tags_are_taken_off() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 160)).await;
        // There and back is more than goes unasked in one day.
        charity.guard.audience_min = 10_000;
        charity.sync().await;
        let tagged = charity.tagged("Classy-");
        assert!(tagged > 20, "{tagged}");
        let person = charity.givers(1).await[0];
        charity.act(Act::Tag {
            email: charity.email(person),
            tag: "Classy-Gala".to_owned(),
        });
        charity.table = "tag_prefix = 'Giving-'".to_owned();
        // The preview knows it, and changes nothing.
        let seen = charity.preview().await;
        assert_eq!(
            seen.people
                .iter()
                .filter(|one| one.planned.step == Step::Change && !one.planned.untags.is_empty())
                .count(),
            tagged
        );
        charity.sync().await;
        assert_eq!(charity.tagged("Giving-"), tagged, "{kind:?}");
        let left: Vec<Vec<String>> = charity
            .consented()
            .keys()
            .map(|email| charity.tags(email))
            .collect();
        let old = left
            .iter()
            .flatten()
            .filter(|tag| tag.starts_with("Classy-"))
            .collect::<Vec<_>>();
        assert_eq!(old, ["Classy-Gala"], "only ours are taken off");
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            (charity.harm().total_calls(), charity.harm().writes.len()),
            (3, 0),
            "and it is done once"
        );
        // Back again.
        charity.table = String::new();
        charity.sync().await;
        charity.assert_complete(&[person]).await;
        assert_eq!(charity.tagged("Giving-"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_the_tags_of_another_prefix_off_is_guarded() {
    let mut charity = Charity::new(Kind::Sqlite, world(160, 161)).await;
    charity.sync().await;
    let tagged = charity.tagged("Classy-");
    charity.guard = GuardSettings {
        first_push: FirstPush::Send,
        ..GuardSettings::default()
    };
    charity.table = "tag_prefix = 'New-'".to_owned();
    let seen = charity.preview().await;
    let done = charity.sync().await;
    assert_eq!(
        (done.holds.of(Harm::Untag) as usize, seen.holds()),
        (tagged, done.holds)
    );
    assert_eq!(
        (charity.tagged("Classy-"), charity.tagged("New-")),
        (tagged, tagged),
        "new ones come, and old ones wait"
    );
    charity
        .approve(Word {
            actor: "cli",
            ..Word::default()
        })
        .await
        .unwrap();
    assert_eq!(charity.sync().await.held, 0);
    assert_eq!(
        (charity.tagged("Classy-"), charity.tagged("New-")),
        (0, tagged)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_in_other_letters_takes_nothing_off() {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 162)).await;
    charity.sync().await;
    let person = charity.email(charity.givers(1).await[0]);
    let before = charity.tags(&person).len();
    charity.table = "tag_prefix = 'CLASSY-'".to_owned();
    charity.sync().await;
    charity.sync().await;
    assert_eq!(
        charity.tags(&person).len(),
        before,
        "{:?}",
        charity.tags(&person)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn opt_outs_that_were_ignored_are_passed_on_once_the_file_says_so() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 163)).await;
    charity.table = "on_opt_out = 'ignore'".to_owned();
    charity.sync().await;
    let people = charity.givers(2).await;
    people.iter().for_each(|id| charity.opt(*id, false));
    charity.sync().await;
    assert!(charity.harm().unsubscriptions.is_empty());
    charity.table = String::new();
    charity.sync().await;
    for id in people {
        assert_eq!(
            charity.status(&charity.email(id)),
            "unsubscribed",
            "{}",
            charity.fate(id).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_configured_later_reaches_those_who_are_there_and_a_misspelt_one_is_an_error()
 {
    let mut charity = Charity::new(Kind::Sqlite, world(40, 164)).await;
    let permissions = vec![
        ("p1".to_owned(), "Email".to_owned()),
        ("p2".to_owned(), "Post".to_owned()),
    ];
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .permissions = permissions;
    charity.table = "marketing_permissions = ['Email']".to_owned();
    charity.sync().await;
    charity.forget_calls();
    for (wrong, told) in [("['Emial']", "Emial"), ("['Email', 'Phone']", "Phone")] {
        charity.table = format!("marketing_permissions = {wrong}");
        let error = charity.deliver().await.unwrap_err();
        let PluginError::Configuration { key, cause } = &error else {
            panic!("{error}")
        };
        assert!(
            key.ends_with("marketing_permissions") && cause.contains(told),
            "{error}"
        );
        assert!(
            cause.contains("\"Email\" (p1)") && cause.contains("\"Post\" (p2)"),
            "the audience's own list: {error}"
        );
    }
    assert!(charity.harm().writes.is_empty());
    charity.table = "marketing_permissions = ['Email', 'p2']".to_owned();
    charity.sync().await;
    let given: Vec<_> = charity
        .harm()
        .writes
        .into_iter()
        .filter(|write| write.keys() == ["marketing_permissions"])
        .collect();
    assert_eq!(given.len(), charity.consented().len());
    let post = json!([{"marketing_permission_id": "p2", "enabled": true}]);
    assert!(
        given
            .iter()
            .all(|write| write.sent["marketing_permissions"] == post),
        "what was given before is not given again"
    );
    // An audience without such fields knows none.
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .permissions = Vec::new();
    let error = charity.deliver().await.unwrap_err();
    assert!(
        matches!(&error, PluginError::Configuration { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_made_are_told_each_and_filled_when_there_is_room() {
    for kind in kinds() {
        let switches = Switches {
            merge_field_limit: 5,
            ..Switches::default()
        };
        let charity = Charity::new(
            kind,
            Options {
                mailchimp: switches,
                ..world(40, 165)
            },
        )
        .await;
        charity.configure();
        charity.sync().await;
        let person = charity.email(charity.givers(1).await[0]);
        let lacking: Vec<&str> = ["TOTALAMT", "DONCNT", "RECAMT", "LASTGIFT", "ACTIVESUB"]
            .into_iter()
            .filter(|tag| charity.field(&person, tag).is_null())
            .collect();
        assert!(!lacking.is_empty());
        let notices = charity.notices();
        for tag in &lacking {
            assert!(
                notices
                    .iter()
                    .any(|text| text.contains(&format!("merge field {tag} is not filled"))),
                "{tag}: {notices:?}"
            );
        }
        assert_eq!(notices.len(), lacking.len(), "{notices:?}");
        let text = |arguments: &[&str]| {
            String::from_utf8_lossy(&charity.site.run(arguments).stdout).into_owned()
        };
        assert!(
            text(&["plugin", "audit"])
                .contains(&format!("merge field {} is not filled", lacking[0]))
        );
        let audit = charity.site.json(&["plugin", "audit"], 0);
        assert_eq!(
            audit
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["finding"] == "notice")
                .count(),
            lacking.len()
        );
        if kind == Kind::Sqlite {
            let daemon = Daemon::start(&charity.site, TOKEN).await;
            let words = format!("merge field {} is not filled", lacking[0]);
            until("health tells", Duration::from_secs(60), async || {
                daemon.get("/api/v1/health").await.body.contains(&words)
            })
            .await;
        }
        // Nothing is written while there is no room, and nobody is sent twice.
        charity.forget_calls();
        charity.sync().await;
        assert!(
            charity.harm().writes.is_empty() && charity.harm().total_calls() <= 5,
            "{:?}",
            charity.harm().calls
        );
        charity
            .site
            .simulator
            .mailchimp()
            .switches
            .merge_field_limit = 30;
        charity.sync().await;
        for tag in lacking {
            assert!(!charity.field(&person, tag).is_null(), "{tag} is filled");
        }
        assert_eq!(charity.notices(), [] as [String; 0]);
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn room_that_was_made_by_hand_is_in_the_preview() {
    let switches = Switches {
        merge_field_limit: 6,
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(40, 166)
        },
    )
    .await;
    let spare = charity
        .staff(
            "POST",
            "merge-fields",
            json!({"tag": "SPARE", "name": "Spare", "type": "text"}),
        )
        .await;
    charity.sync().await;
    assert!(
        charity.preview().await.people.is_empty(),
        "no room, nobody due"
    );
    charity
        .staff(
            "DELETE",
            &format!("merge-fields/{}", spare["merge_id"]),
            Value::Null,
        )
        .await;
    let seen = charity.preview().await;
    let changed = seen
        .people
        .iter()
        .filter(|one| one.planned.step == Step::Change)
        .count();
    assert_eq!(changed, charity.consented().len());
    let done = charity.sync().await;
    assert_eq!(done.delivered as usize, changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_another_type_is_told_and_left_alone_and_filled_once_it_is_out_of_the_way() {
    let charity = Charity::new(Kind::Sqlite, world(40, 167)).await;
    charity.configure();
    let made = charity
        .staff(
            "POST",
            "merge-fields",
            json!({"tag": "LASTGIFT", "name": "Last gift", "type": "url"}),
        )
        .await;
    let done = charity.sync().await;
    assert!(done.rejected == 0 && done.delivered > 10, "{done:?}");
    let person = charity.email(charity.givers(1).await[0]);
    assert!(
        charity
            .field(&person, "LASTGIFT")
            .as_str()
            .is_none_or(str::is_empty)
    );
    let notices = charity.notices();
    assert!(
        notices.len() == 1 && notices[0].contains("LASTGIFT") && notices[0].contains("url"),
        "{notices:?}"
    );
    charity
        .staff(
            "DELETE",
            &format!("merge-fields/{}", made["merge_id"]),
            Value::Null,
        )
        .await;
    charity.sync().await;
    assert!(
        charity
            .field(&person, "LASTGIFT")
            .as_str()
            .is_some_and(|text| text.len() == 10),
        "{}",
        charity.field(&person, "LASTGIFT")
    );
    assert_eq!(charity.notices(), [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_were_renamed_deleted_or_taken_off_by_hand_come_back_within_a_week() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 168)).await;
        charity.configure();
        charity.sync().await;
        let person = charity.email(charity.givers(1).await[0]);
        let wanted = charity.wanted().await;
        let segments: Vec<(u64, String)> = {
            let chimp = charity.site.simulator.mailchimp();
            chimp.audiences[&charity.audience]
                .segments
                .values()
                .map(|one| (one.id, one.name.clone()))
                .collect()
        };
        let ours: Vec<&(u64, String)> = segments
            .iter()
            .filter(|(_, name)| name.starts_with("Classy-"))
            .collect();
        charity
            .site
            .simulator
            .mailchimp()
            .audiences
            .get_mut(&charity.audience)
            .unwrap()
            .segments
            .get_mut(&ours[0].0)
            .unwrap()
            .name = "Ours now".to_owned();
        charity
            .staff("DELETE", &format!("segments/{}", ours[1].0), Value::Null)
            .await;
        let off = charity
            .tags(&person)
            .into_iter()
            .find(|tag| tag.starts_with("Classy-"))
            .unwrap();
        charity.act(Act::Untag {
            email: person.clone(),
            tag: off,
        });
        // No date moves by it, so the usual look does not show it once some minutes went by.
        charity.age_the_look().await;
        charity.sync().await;
        assert!(charity.harm().writes.is_empty());
        let audit = charity.site.json(&["plugin", "audit"], 0);
        assert!(
            audit
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["finding"] == "tags_gone"),
            "an audit sees it at once"
        );
        charity.deliver_at(in_days(8)).await.unwrap();
        charity.assert_harmless();
        for (email, (tags, _)) in &wanted {
            let missing: Vec<&String> = tags
                .iter()
                .filter(|tag| !charity.tags(email).contains(tag))
                .collect();
            // Eight days on, some moved to another state of engagement.
            let words = ["Recent", "Active", "Warm", "Cooling", "Lapsed"];
            let missing: Vec<_> = missing
                .iter()
                .filter(|tag| !words.iter().any(|word| tag.ends_with(word)))
                .collect();
            assert!(missing.is_empty(), "{email}: {missing:?} {kind:?}");
        }
        assert_eq!(
            charity
                .site
                .number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.mended'")
                .await,
            1
        );
        assert!(
            charity
                .notices()
                .iter()
                .any(|text| text.contains("taken off by hand")),
            "{:?}",
            charity.notices()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_renamed_in_mailchimp_goes_on_getting_its_tags_and_fields() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 169)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let before = charity.email(person);
        charity.act(Act::Rename {
            email: before.clone(),
            to: "renamed@example.net".to_owned(),
        });
        charity.give(person, "20000");
        charity.read();
        let seen = charity.preview().await;
        let planned = &seen
            .people
            .iter()
            .find(|one| one.person.supporter_id == person)
            .unwrap()
            .planned;
        assert_eq!(planned.step, Step::Change);
        charity.deliver().await.unwrap();
        charity.assert_harmless();
        let tags = charity.tags("renamed@example.net");
        assert!(
            tags.contains(&"Classy-Transformational".to_owned()),
            "{tags:?} {}",
            charity.fate(person).await
        );
        assert_eq!(
            tags.iter()
                .filter(|tag| ["Classy-Major", "Classy-Small", "Classy-Regular"]
                    .contains(&tag.as_str()))
                .count(),
            0
        );
        assert!(
            charity
                .field("renamed@example.net", "TOTALAMT")
                .as_f64()
                .unwrap()
                >= 20_000.0
        );
        assert_eq!(charity.status(&before), "nobody", "no second contact");
        charity.forget_calls();
        charity.sync().await;
        assert_eq!(
            (charity.harm().total_calls(), charity.harm().writes.len()),
            (3, 0)
        );
        // Time changes tags as well.
        charity.deliver_at(in_days(800)).await.unwrap();
        let tags = charity.tags("renamed@example.net");
        assert!(
            tags.iter()
                .any(|tag| ["Classy-Dormant", "Classy-Active Recurring"].contains(&tag.as_str())),
            "{tags:?}"
        );
        // They leave: nothing more is written.
        charity.act(Act::Unsubscribe("renamed@example.net".to_owned()));
        charity.give(person, "50");
        charity.forget_calls();
        charity.sync().await;
        assert!(
            charity.harm().writes.is_empty()
                && charity.status("renamed@example.net") == "unsubscribed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_between_the_look_and_the_send_is_seen_before_the_send() {
    for way in [Act::Archive, Act::Unsubscribe] {
        let charity = Charity::new(Kind::Sqlite, world(40, 170)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.edit(person, "last_name", "\"Other\"");
        charity.read();
        charity.forget_calls();
        // So slow that the look is old by the time that everything needed for the send is known.
        charity.site.simulator.mailchimp().switches.latency_ms = 1_200;
        let (done, ()) = tokio::join!(charity.deliver(), async {
            loop {
                if charity.harm().calls_of("GET /lists/{list_id}/merge-fields") > 0 {
                    break charity.act(way(email.clone()));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        done.unwrap();
        assert!(charity.harm().writes.is_empty(), "nothing is sent to them");
        assert!(
            charity.fate(person).await.starts_with("skipped"),
            "{}",
            charity.fate(person).await
        );
        charity.assert_harmless();
    }
}
