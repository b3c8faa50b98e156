//! The real program: what it says of the audience, and that it says nothing of anybody.

use super::Charity;
use crate::backend::Kind;
use crate::site::{ORGANIZATION, world};
use classy_sync::simulator::Act;
use serde_json::Value;

impl Charity {
    /// Writes the plugin into the organization's file.
    pub(super) fn configure(&self) {
        let path = self
            .site
            .path()
            .join(format!("organizations/{ORGANIZATION}.toml"));
        let before = std::fs::read_to_string(&path).unwrap();
        let table = format!(
            "[plugins.mailchimp]\napi_key = {:?}\naudience_id = {:?}\nbase_url = {:?}\n",
            self.key,
            self.audience,
            self.site.simulator.mailchimp_url()
        );
        if !before.contains("[plugins.mailchimp]") {
            std::fs::write(path, before + &table).unwrap();
        }
    }

    /// The plugin as `plugin list` shows it.
    pub(super) fn listed(&self) -> Value {
        self.configure();
        self.site.json(&["plugin", "list"], 0)[0].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_delivers_previews_and_audits() {
    let charity = Charity::new(Kind::Sqlite, world(80, 140)).await;
    charity.configure();
    let preview = charity.site.json(&["plugin", "preview"], 0);
    assert_eq!(
        preview
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["action"] == "add")
            .count(),
        charity.consented().len()
    );
    assert_eq!(charity.harm().writes.len(), 0, "a preview writes nothing");
    charity.site.sync();
    charity.assert_harmless();
    charity.assert_complete(&[]).await;
    let people = charity.givers(3).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    charity.act(Act::Unsubscribe(emails[0].clone()));
    // Gone to an address that the program has not sent yet; what is at the old one is ours, and
    // nobody consents there any more.
    charity.edit(people[1], "email_address", "\"elsewhere@example.org\"");
    charity.site.json(&["sync", "--no-plugins"], 0);
    let audit = charity.site.json(&["plugin", "audit"], 0);
    let count = |kind: &str| {
        audit
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row.as_object().unwrap().values().any(|value| value == kind))
            .count()
    };
    let strangers = charity.site.simulator.mailchimp().audiences[&charity.audience]
        .members()
        .filter(|member| member.foreign)
        .count();
    let found = [
        count("left"),
        count("without_consent"),
        count("missing"),
        count("foreign"),
    ];
    assert_eq!(found, [1, 1, 1, strangers], "{audit}");
    assert_eq!(count("ok"), charity.consented().len() - 2);
    // A person reads how many there are and what to do first, and who they are only on request.
    let text = |arguments: &[&str]| {
        String::from_utf8_lossy(&charity.site.run(arguments).stdout).into_owned()
    };
    let plain = text(&["plugin", "audit"]);
    let first: Vec<&str> = plain.lines().take(6).collect();
    for (line, wanted) in [
        (0, "contacts held against"),
        (1, "left: 1; they left there"),
    ] {
        assert!(
            first.iter().skip(line).any(|line| line.contains(wanted)),
            "{wanted}: {plain}"
        );
    }
    assert!(
        first
            .iter()
            .any(|line| line.contains("without_consent: 1; subscribed by us")),
        "{plain}"
    );
    assert!(
        !plain.contains(&emails[0])
            && text(&["plugin", "audit", "--show-people"]).contains(&emails[0]),
        "{plain}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_nobody_is_in_what_it_says() {
    let charity = Charity::new(Kind::Sqlite, world(60, 141)).await;
    charity.configure();
    let output = charity.site.run(&["--log-level", "trace", "sync"]);
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    charity.site.simulator.world().faults = vec![classy_sync::simulator::Fault::MailchimpPartial];
    for id in charity.givers(20).await {
        charity.edit(id, "last_name", "\"Changed\"");
    }
    let output = charity.site.run(&["--log-level", "trace", "sync"]);
    text += &String::from_utf8_lossy(&output.stderr);
    assert!(text.len() > 100, "{text}");
    assert!(!text.contains(&charity.key[..32]));
    for email in charity.consented().into_keys() {
        assert!(!text.to_lowercase().contains(&email), "an address is told");
    }
    let fates: Vec<Value> = charity
        .site
        .json(&["plugin", "list"], 0)
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(fates.len(), 1);
}
