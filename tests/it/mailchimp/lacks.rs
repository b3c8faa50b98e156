//! What the audience lacks is told, and filled once it is there: fields that have no room or
//! another type, and tags that somebody renamed, deleted or took off.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use crate::web::{Daemon, TOKEN, until};
use classy_sync::domain::Step;
use classy_sync::simulator::{Act, Options, Switches};
use serde_json::{Value, json};
use std::time::Duration;

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
        let later = chrono::Utc::now() + chrono::TimeDelta::minutes(30);
        charity.deliver_at(later).await.unwrap();
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
}
