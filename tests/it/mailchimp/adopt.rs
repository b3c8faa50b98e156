//! A new database over an audience that was kept in step before: it is told, and a person may say
//! that its contacts are ours.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use crate::web::{Daemon, TOKEN, until};
use classy_sync::domain::Step;
use classy_sync::simulator::Act;
use sea_orm::ConnectionTrait;
use serde_json::Value;
use std::time::Duration;

const NOTE: &str = "did not put there";

impl Charity {
    /// The database knows nothing of Mailchimp any more, as a new one that was filled from Classy.
    async fn forget_mailchimp(&self) {
        let connection = self.site.database.connect().await;
        for table in [
            "deliveries",
            "members",
            "states",
            "guards",
            "suppressions",
            "harms",
            "holds",
            "grants",
            "images",
        ] {
            connection
                .execute_unprepared(&format!("DELETE FROM plugin_{table}"))
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
    }

    fn adopt(&self, also: &[&str]) -> Vec<Value> {
        let words = [&["plugin", "adopt", "--org", "10001", "--yes"], also].concat();
        self.site.json(&words, 0).as_array().unwrap().clone()
    }

    /// What `plugin list` tells.
    fn told(&self) -> String {
        self.site.json(&["plugin", "list"], 0)[0]["notices"].to_string()
    }

    async fn orders(&self) -> i64 {
        self.site.number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.adopt' AND actor = 'cli'").await
    }

    fn statuses<const N: usize>(&self, people: [i64; N]) -> [&'static str; N] {
        people.map(|id| self.status(&self.email(id)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_another_database_are_told_and_adopted_and_opt_outs_reach_them() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 180)).await;
        charity.configure();
        // A contact without tags of ours, and one with a tag that only looks like ours.
        for stranger in ["form@example.net", "gala@example.net"] {
            charity.act(Act::SignUp(stranger.to_owned()));
        }
        charity.act(Act::Tag {
            email: "gala@example.net".to_owned(),
            tag: "Classy-Gala".to_owned(),
        });
        charity.sync().await;
        assert!(!charity.told().contains(NOTE), "{}", charity.told());
        let people: [i64; 3] = charity.givers(3).await.try_into().unwrap();
        let has_ours = |email: &&String| {
            charity
                .tags(email)
                .iter()
                .any(|tag| tag.starts_with("Classy-") && tag != "Classy-Gala")
        };
        let tagged = charity.consented().keys().filter(has_ours).count();
        // Whoever gave nothing has no tag, and the number of their gifts all the same.
        let carrying = charity.consented().len();
        assert!(tagged > 10 && carrying > tagged, "{carrying} {tagged}");

        charity.forget_mailchimp().await;
        charity.opt(people[0], false);
        charity.sync().await;
        assert_eq!(
            charity.statuses(people),
            ["subscribed"; 3],
            "nobody knows that they are ours"
        );
        assert!(
            charity.told().contains(&format!("{NOTE}: {carrying};")),
            "{} {kind:?}",
            charity.told()
        );
        let audit = charity.audit().await;
        assert!(
            audit
                .iter()
                .any(|one| one.kind == "notice" && one.detail.contains(NOTE)),
            "{kind:?}"
        );
        if kind == Kind::Sqlite {
            let daemon = Daemon::start(&charity.site, TOKEN).await;
            let tells = async || {
                daemon
                    .get("/api/v1/health")
                    .await
                    .body
                    .contains("classy-sync plugin adopt")
            };
            until("health tells", Duration::from_secs(120), tells).await;
        }

        // Shown, and without a yes nothing is done.
        let output = charity.site.run(&["plugin", "adopt", "--org", "10001"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
        assert_eq!(
            (
                charity.orders().await,
                charity
                    .site
                    .number("SELECT COUNT(*) AS n FROM plugin_adoptions")
                    .await
            ),
            (0, 0)
        );
        let shown = charity.adopt(&["--show-people"]);
        assert_eq!(shown.len(), carrying, "{shown:?}");
        let refusers: Vec<&Value> = shown
            .iter()
            .filter(|row| row["detail"].as_str().unwrap().starts_with("opted out"))
            .collect();
        assert_eq!(
            refusers
                .iter()
                .map(|row| row["supporter"].as_i64().unwrap())
                .collect::<Vec<_>>(),
            people[..1]
        );
        assert_eq!(
            refusers[0]["email"].as_str().unwrap().to_lowercase(),
            charity.email(people[0])
        );
        // Said again it is the same.
        assert_eq!(
            (charity.adopt(&[]).len(), charity.orders().await),
            (0, 1),
            "{kind:?}"
        );

        // A preview knows it, and the next delivery does it.
        let seen = charity.preview().await;
        let off: Vec<i64> = seen
            .people
            .iter()
            .filter(|one| one.planned.step == Step::Unsubscribe)
            .map(|one| one.person.supporter_id)
            .collect();
        assert_eq!(off, people[..1], "{kind:?}");
        charity.sync().await;
        assert_eq!(
            charity.statuses(people),
            ["unsubscribed", "subscribed", "subscribed"],
            "{kind:?}"
        );
        // From then on as if this database had put them there.
        charity.opt(people[1], false);
        charity.sync().await;
        assert_eq!(
            charity.statuses(people),
            ["unsubscribed", "unsubscribed", "subscribed"],
            "{kind:?}"
        );
        assert_eq!(
            ["form@example.net", "gala@example.net"].map(|email| charity.status(email)),
            ["subscribed"; 2]
        );
        assert_eq!(charity.tags("gala@example.net"), ["Classy-Gala"]);
        assert!(!charity.told().contains(NOTE), "{}", charity.told());
        assert_eq!(
            charity
                .site
                .number("SELECT COUNT(*) AS n FROM audit_log WHERE action = 'mailchimp.adopted'")
                .await,
            1
        );
        assert_eq!(
            (charity.adopt(&[]).len(), charity.orders().await),
            (0, 1),
            "{kind:?}"
        );
        charity.assert_harmless();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_left_or_refused_is_brought_back_by_adopting() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(80, 181)).await;
        charity.configure();
        charity.sync().await;
        let people: [i64; 6] = charity.givers(6).await.try_into().unwrap();
        let email = |place: usize| charity.email(people[place]);
        // All of them say yes at Classy, but for the fourth.
        charity.act(Act::Unsubscribe(email(0)));
        charity.act(Act::Clean(email(1)));
        charity.act(Act::Archive(email(2)));
        charity.forget_mailchimp().await;
        charity.opt(people[3], false);
        charity.sync().await;
        let shown = charity.adopt(&[]);
        let names: Vec<i64> = shown
            .iter()
            .filter_map(|row| row["supporter"].as_i64())
            .collect();
        assert_eq!(
            people.map(|id| names.contains(&id)),
            [false, false, false, true, true, true],
            "{kind:?}"
        );
        // Meant, and gone before the delivery.
        charity.act(Act::Unsubscribe(email(4)));
        charity.sync().await;
        let gone = [
            "unsubscribed",
            "cleaned",
            "archived",
            "unsubscribed",
            "unsubscribed",
            "subscribed",
        ];
        assert_eq!(charity.statuses(people), gone, "{kind:?}");
        // Nor later, whatever changes at Classy.
        people.iter().for_each(|id| charity.give(*id, "30000"));
        charity.opt(people[3], true);
        charity.opt(people[3], false);
        charity.sync().await;
        charity.sync().await;
        assert_eq!(charity.statuses(people), gone, "{kind:?}");
        let ours = charity
            .site
            .number("SELECT COUNT(*) AS n FROM plugin_adoptions")
            .await;
        assert_eq!(ours, 0, "what was said is done");
        charity.assert_harmless();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_somebody_elses_is_left_alone_and_told_of_no_more() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 182)).await;
        charity.configure();
        charity.sync().await;
        let person = charity.givers(1).await[0];
        charity.forget_mailchimp().await;
        charity.sync().await;
        assert!(charity.told().contains(NOTE), "{kind:?}");
        assert!(!charity.adopt(&["--none"]).is_empty(), "they are shown");
        charity.opt(person, false);
        charity.sync().await;
        assert!(
            !charity.told().contains(NOTE),
            "{kind:?} {}",
            charity.told()
        );
        assert_eq!(charity.statuses([person]), ["subscribed"], "{kind:?}");
        assert_eq!(
            (
                charity.orders().await,
                charity
                    .site
                    .number("SELECT COUNT(*) AS n FROM plugin_adoptions")
                    .await
            ),
            (1, 0)
        );
        // A plugin that has no contacts has nothing to adopt.
        assert_ne!(
            charity
                .site
                .run(&[
                    "plugin", "adopt", "--org", "10001", "--plugin", "webhook", "--yes"
                ])
                .status
                .code(),
            Some(0)
        );
    }
}
