//! The webhook of the audience: set up by the program, signed with a secret that nobody sees, and
//! missed when it falls silent.

use super::Charity;
use crate::backend::Kind;
use crate::site::{ORGANIZATION, world};
use crate::web::{Daemon, TOKEN, until};
use classy_sync::simulator::Act;
use serde_json::Value;
use std::process::Output;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const MADE: &str = "POST /lists/{list_id}/webhooks";

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

impl Charity {
    fn webhook(&self, arguments: &[&str]) -> Output {
        let all = [&["plugin", "webhook"], arguments].concat();
        self.site.run(&all)
    }

    fn webhooks(&self) -> Vec<Value> {
        self.site
            .json(&["plugin", "webhook", "list"], 0)
            .as_array()
            .unwrap()
            .clone()
    }

    /// Somebody there who was delivered leaves by themselves.
    fn leaves(&self) -> String {
        let email = self
            .consented()
            .into_keys()
            .find(|email| self.status(email) == "subscribed")
            .unwrap();
        self.act(Act::Unsubscribe(email.clone()));
        email
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_set_up_once_and_heard_and_its_secret_is_nowhere() {
    let charity = Charity::new(Kind::Sqlite, world(40, 310)).await;
    charity.configure();
    charity.site.sync();
    // Nobody is there who could be asked, or nobody says where.
    for (arguments, code) in [
        (&["create", "--org", "10001"][..], 2),
        (&["create", "--url", "https://sync.example.org"], 2),
        (
            &[
                "create",
                "--org",
                "10001",
                "--url",
                "http://sync.example.org",
            ],
            2,
        ),
        (
            &["create", "--org", "10001", "--url", "http://127.0.0.1:9"],
            69,
        ),
    ] {
        let output = charity.webhook(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    let output = charity.webhook(&["create", "--org", "10001", "--url", "http://127.0.0.1:9"]);
    assert!(
        said(&output).contains("daemon must be running"),
        "{}",
        said(&output)
    );
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    let path = format!("/hooks/mailchimp/{ORGANIZATION}");
    assert_eq!(
        daemon.get(&path).await.status,
        200,
        "Mailchimp asks before there is a secret"
    );
    assert_eq!(daemon.get("/hooks/mailchimp/7").await.status, 404);
    assert_eq!(
        daemon.post(&path, &[]).await.status,
        404,
        "and nothing is taken without one"
    );
    let created = charity.webhook(&["create", "--org", "10001", "--url", &daemon.base]);
    assert!(created.status.success(), "{}", said(&created));
    assert_eq!(charity.webhooks().len(), 1);
    assert_eq!(
        (
            charity.webhooks()[0]["state"].as_str(),
            charity.webhooks()[0]["url"].as_str()
        ),
        (
            Some("ours"),
            Some(format!("{}{path}", daemon.base).as_str())
        )
    );
    // It is heard long before anybody would look.
    let told = "SELECT COUNT(*) AS n FROM plugin_members WHERE remote_status = 'unsubscribed'";
    let before = charity.site.number(told).await;
    let gone = charity.leaves();
    until("it is known", Duration::from_secs(60), async || {
        charity.site.number(told).await > before
    })
    .await;
    until("it was heard", LONG, async || {
        charity.webhooks()[0]["heard_at"].is_string()
    })
    .await;
    assert_eq!(charity.status(&gone), "unsubscribed");
    // Said again it stays, in the daemon's and in everybody's eyes.
    let id = charity.webhooks()[0]["webhook"].clone();
    let again = charity.webhook(&["create", "--org", "10001", "--url", &daemon.base]);
    assert!(
        again.status.success() && said(&again).contains("was there already"),
        "{}",
        said(&again)
    );
    assert_eq!(
        (
            charity.webhooks().len(),
            charity.webhooks()[0]["webhook"].clone()
        ),
        (1, id.clone())
    );
    let calls = charity.harm().calls_of(MADE);
    // Its secret is in nothing that is written or said.
    let secret = charity.site.simulator.mailchimp().audiences[&charity.audience]
        .hook_secrets()
        .remove(0);
    let file = |end: &str| {
        std::fs::read(charity.site.path().join(format!("test.db{end}"))).unwrap_or_default()
    };
    let dump = [file(""), file("-wal")].concat();
    let holds = |text: &str| dump.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(&charity.audience) && !holds(&secret));
    assert!(!Daemon::log(&charity.site).contains(&secret) && !said(&created).contains(&secret));
    // One of which the secret is lost is replaced.
    charity.site.execute("DELETE FROM plugin_hooks").await;
    let anew = charity.webhook(&["create", "--org", "10001", "--url", &daemon.base]);
    assert!(
        anew.status.success() && said(&anew).contains("made anew"),
        "{}",
        said(&anew)
    );
    assert_eq!(
        (charity.webhooks().len(), charity.harm().calls_of(MADE)),
        (1, calls + 1)
    );
    assert_ne!(charity.webhooks()[0]["webhook"], id);
    let noted = "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.webhook.create'";
    assert_eq!(charity.site.number(noted).await, 2);
    assert!(
        charity
            .webhook(&["delete", "--org", "10001"])
            .status
            .success()
    );
    assert_eq!(charity.webhooks(), [] as [Value; 0]);
    assert_eq!(daemon.post(&path, &[]).await.status, 404);
    charity.assert_harmless();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_configuration_is_used_and_other_webhooks_are_let_be() {
    let charity = Charity::new(Kind::Sqlite, world(20, 311)).await;
    charity.configure();
    charity.site.sync();
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    // Somebody else's, by hand.
    let url = format!(
        "{}/lists/{}/webhooks",
        charity.site.simulator.mailchimp_url(),
        charity.audience
    );
    let body = format!(
        "{{\"url\":\"{}/livez\",\"events\":{{\"subscribe\":true}},\"sources\":{{\"user\":true}}}}",
        daemon.base
    );
    let made = reqwest::Client::new()
        .post(url)
        .basic_auth("x", Some(&charity.key))
        .body(body)
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success());
    let main = charity.site.path().join("classy-sync.toml");
    let before = std::fs::read_to_string(&main).unwrap();
    std::fs::write(
        &main,
        before.replace(
            "[http]\n",
            &format!("[http]\npublic_url = {:?}\n", daemon.base),
        ),
    )
    .unwrap();
    let output = charity.webhook(&["create", "--org", "10001"]);
    assert!(output.status.success(), "{}", said(&output));
    let states: Vec<String> = charity
        .webhooks()
        .iter()
        .map(|one| one["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["foreign", "ours"]);
    assert!(
        charity
            .webhook(&["delete", "--org", "10001"])
            .status
            .success()
    );
    assert_eq!(charity.webhooks()[0]["state"], "foreign");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_of_a_webhook_that_fell_silent_until_it_is_heard_again() {
    let charity = Charity::new(Kind::Sqlite, world(60, 312)).await;
    charity.configure();
    charity.site.sync();
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    let health = async || daemon.get("/api/v1/health").await.body;
    let look = || drop(charity.site.json(&["plugin", "run"], 0));
    // Without one nobody is missed.
    for _ in 0..3 {
        charity.leaves();
        look();
    }
    assert!(
        charity
            .webhook(&["create", "--org", "10001", "--url", &daemon.base])
            .status
            .success()
    );
    // It tells nothing any more: Mailchimp gave it up.
    charity
        .site
        .simulator
        .mailchimp()
        .audiences
        .get_mut(&charity.audience)
        .unwrap()
        .drop_hooks();
    for looks in 1..=3 {
        assert!(
            !health().await.contains("webhook is silent"),
            "after {looks}"
        );
        charity.leaves();
        look();
        // A look that finds nothing says nothing.
        look();
    }
    until("health tells", LONG, async || {
        health()
            .await
            .contains("its webhook is silent: the last 3 looks")
    })
    .await;
    let anew = charity.webhook(&["create", "--org", "10001", "--url", &daemon.base]);
    assert!(anew.status.success(), "{}", said(&anew));
    charity.leaves();
    until("health is quiet", LONG, async || {
        !health().await.contains("webhook is silent")
    })
    .await;
    until("it was heard", LONG, async || {
        charity.webhooks()[0]["heard_at"].is_string()
    })
    .await;
}
