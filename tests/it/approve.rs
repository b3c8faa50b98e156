//! What is held and how a person approves it, by command and over HTTP, through the real program.

use crate::audience::with_mailchimp;
use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, TOKEN, until};
use classy_sync::simulator::Kind as List;
use reqwest::Method;
use serde_json::{Value, json};
use std::process::Output;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const APPROVE: &str = "/api/v1/organizations/10001/plugins/mailchimp/approve";
const HELD: &str = "/api/v1/organizations/10001/plugins/mailchimp/held";

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn writes(site: &Site) -> usize {
    site.simulator.mailchimp().ledger.writes.len()
}

/// How many would be added.
fn additions(preview: &Value) -> usize {
    preview
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["action"] == "add")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_push_is_told_asked_for_and_made() {
    let site = Site::new(Kind::Sqlite, world(60, 701)).await;
    site.ask_first();
    with_mailchimp(&site, "");
    let output = site.run(&["sync"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("plugin approve --org 10001"))
        .collect();
    assert!(
        lines.len() == 1
            && lines[0].contains("contacts now")
            && lines[0].contains("confirmation mails"),
        "{text}"
    );
    assert_eq!(writes(&site), 0);
    let preview = site.json(&["plugin", "preview"], 0);
    let new = additions(&preview);
    let report = site.sync();
    let plugin = &report["organizations"][0]["plugins"][0];
    assert_eq!(
        (&plugin["outcome"], plugin["holds"]["add"].as_u64()),
        (&json!("complete"), Some(new as u64)),
        "{plugin}"
    );
    let forecast = &plugin["forecast"];
    assert_eq!(
        forecast["contacts_after"].as_u64().unwrap() - forecast["contacts"].as_u64().unwrap(),
        new as u64
    );
    // The preview says the same, in five lines.
    let text = said(&site.run(&["plugin", "preview"]));
    assert!(
        text.contains(&format!("{new} people to be added"))
            && text.contains("it is the first push"),
        "{text}"
    );
    // Health knows it without a daemon, too.
    let health = site.json(&["health"], 0);
    assert!(
        health["verdict"] == "degraded"
            && health
                .to_string()
                .contains(&format!("waits until a person approves: {new} to be added")),
        "{health}"
    );
    // Nobody is there to be asked, and nothing is approved; nor without an organization.
    for (arguments, code) in [
        (&["plugin", "approve", "--org", "10001"][..], 2),
        (&["plugin", "approve", "--yes"], 2),
        (&["plugin", "approve", "--org", "7", "--yes"], 2),
    ] {
        assert_eq!(
            site.run(arguments).status.code(),
            Some(code),
            "{arguments:?}"
        );
    }
    let text = said(&site.run(&["plugin", "approve", "--org", "10001"]));
    assert!(
        text.contains(&format!("{new} people to be added"))
            && text.contains("supporter ")
            && !text.contains('@'),
        "{text}"
    );
    assert!(
        said(&site.run(&["plugin", "approve", "--org", "10001", "--show-people"])).contains('@')
    );
    site.run(&["plugin", "run"]);
    assert_eq!(writes(&site), 0);
    assert_eq!(
        site.run(&[
            "plugin",
            "approve",
            "--org",
            "10001",
            "--plan",
            "0000000000000000",
            "--yes"
        ])
        .status
        .code(),
        Some(3)
    );
    let allowed = site.json(&["plugin", "approve", "--org", "10001", "--yes"], 0);
    assert!(
        allowed
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["kind"] == "add" && row["allowed"] == new),
        "{allowed}"
    );
    // Said again there is nothing left to approve.
    assert_eq!(
        site.json(&["plugin", "approve", "--org", "10001", "--yes"], 0),
        json!([])
    );
    let done = site.json(&["plugin", "run"], 0);
    assert_eq!(done["organizations"][0]["plugins"][0]["held"], 0, "{done}");
    assert_eq!(additions(&site.json(&["plugin", "preview"], 0)), 0);
    assert!(writes(&site) >= new);
    assert_eq!(
        site.number(
            "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.approve' AND actor = 'cli'"
        )
        .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_looked_at_and_approved_over_http() {
    let site = Site::new(Kind::Sqlite, world(60, 702)).await;
    site.ask_first();
    with_mailchimp(&site, "opt_out_scope = \"everybody\"\n");
    let daemon = Daemon::start(&site, TOKEN).await;
    let bearer = format!("Bearer {TOKEN}");
    let right = ("authorization", bearer.as_str());
    let ask = async |method: Method, path: &str, body: &str| {
        daemon.ask(method, path, &[right], body).await
    };
    let held = async || ask(Method::GET, HELD, "").await.json();
    until("the first push is held", LONG, async || {
        held().await["forecast"].is_string()
    })
    .await;
    let plan = held().await;
    let people = plan["people"].as_array().unwrap().len();
    assert!(
        people > 10 && plan["forecast"].as_str().unwrap().contains("contacts now"),
        "{plan}"
    );
    // Health says how many wait, and where to look.
    let health = async || ask(Method::GET, "/api/v1/health", "").await.body;
    let wait = format!("{} to be added", plan["kinds"]["add"]);
    until("health tells", LONG, async || {
        health().await.contains(&wait)
    })
    .await;
    assert!(health().await.contains("/organizations/10001/held"));
    // Whoever may not order sees no button, and no address.
    let page = daemon.get("/organizations/10001").await.body;
    assert!(
        page.contains("is held") && !page.contains("plugins/mailchimp/approve"),
        "the page says so"
    );
    let page = daemon.get("/organizations/10001/held").await.body;
    assert!(
        page.contains("contacts now") && !page.contains('@') && !page.contains("mailchimp/approve"),
        "{page}"
    );
    let page = ask(Method::GET, "/organizations/10001/held", "").await.body;
    assert!(
        page.contains('@')
            && page.contains("mailchimp/approve")
            && page.contains(plan["plan"].as_str().unwrap())
    );
    // Not without the plan's name, and not another plan.
    for (body, status) in [
        ("", 400),
        ("{}", 400),
        ("{\"plan\": \"0\"}", 409),
        ("{\"plan\": \"0\", \"kinds\": [\"murder\"]}", 400),
        ("{\"all\": true}", 400),
    ] {
        assert_eq!(
            ask(Method::POST, APPROVE, body).await.status,
            status,
            "{body}"
        );
    }
    assert_eq!(
        ask(
            Method::POST,
            "/api/v1/organizations/10001/plugins/nothing/approve",
            "{\"plan\": \"0\"}"
        )
        .await
        .status,
        404
    );
    assert_eq!(writes(&site), 0);
    // One person, by a form.
    let somebody = plan["people"][0]["supporter_id"].as_i64().unwrap();
    let form = format!(
        "plan={}&supporter={somebody}",
        plan["plan"].as_str().unwrap()
    );
    assert_eq!(
        daemon
            .ask(Method::POST, APPROVE, &[right, FORM], &form)
            .await
            .status,
        303
    );
    until("that one is there", LONG, async || writes(&site) == 1).await;
    until("the plan has one fewer", LONG, async || {
        held().await["people"].as_array().unwrap().len() == people - 1
    })
    .await;
    // The old name is nobody's any more.
    assert_eq!(
        daemon
            .ask(Method::POST, APPROVE, &[right, FORM], &form)
            .await
            .status,
        409
    );
    let rest = held().await["plan"].as_str().unwrap().to_owned();
    let allowed = ask(Method::POST, APPROVE, &json!({ "plan": rest }).to_string()).await;
    assert_eq!(
        (allowed.status, allowed.json()["people"].as_u64()),
        (200, Some(people as u64 - 1)),
        "{}",
        allowed.body
    );
    until("nothing is held any more", LONG, async || {
        held().await["plan"].is_null()
    })
    .await;
    assert_eq!(
        site.number(
            "SELECT COUNT(*) AS n FROM audit_log WHERE action = 'plugin.approve' AND actor = 'http'"
        )
        .await,
        2
    );
    // A mass opt-out: everybody hears that they can still be mailed.
    let there =
        site.numbers("SELECT supporter_id AS n FROM plugin_members WHERE remote_status = 'subscribed' AND supporter_id IS NOT NULL").await;
    for id in &there[..12] {
        site.simulator.world().edit(
            ORGANIZATION,
            List::Supporters,
            *id,
            &[("opt_in", "false".to_owned())],
            true,
        );
    }
    daemon
        .post("/api/v1/organizations/10001/sync", &[right])
        .await;
    until("it is failing", LONG, async || {
        health().await.contains("opted out and can still be mailed")
    })
    .await;
    let alerts = async || ask(Method::GET, "/api/v1/alerts", "").await.body;
    until("somebody is told", LONG, async || {
        alerts().await.contains("opted out")
    })
    .await;
    assert!(!alerts().await.contains('@'));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_approves_for_itself_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(["demo", "--once", "--supporters", "100"])
        .current_dir(folder.path())
        .env_clear();
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(place("the demo approves that for itself") > place("the first push waits"));
    // The third organization's is left to whoever looks.
    assert_eq!(text.matches("the demo approves that for itself").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_acted_on_by_whichever_process_serves_the_organization() {
    let site = Site::new(Kind::Sqlite, world(60, 702)).await;
    site.ask_first();
    with_mailchimp(&site, "");
    let twin = site.twin();
    let _daemons = [site.start(&["run"]), twin.start(&["run"])];
    until("the push is held", LONG, async || {
        site.number_or_zero("SELECT COUNT(*) AS n FROM plugin_holds")
            .await
            > 0
            && site
                .number("SELECT COUNT(*) AS n FROM plugin_guards WHERE forecast IS NOT NULL")
                .await
                == 1
    })
    .await;
    let by_twin = format!(
        "SELECT COUNT(*) AS n FROM leases WHERE holder LIKE '%{}%'",
        twin.path().file_name().unwrap().to_str().unwrap()
    );
    // Told where nobody serves it.
    let arguments = ["plugin", "approve", "--org", "10001", "--yes"];
    let output = if site.number(&by_twin).await == 1 {
        site.run(&arguments)
    } else {
        twin.run(&arguments)
    };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    until("it is made", LONG, async || writes(&site) > 0).await;
}
