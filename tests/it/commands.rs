//! The command line as a new user meets it: what it writes, what it says, and what it does with
//! organizations, keys and demos. With which code it ends when something is wrong is in
//! `exit_codes`.

use crate::backend::Kind as Backend;
use crate::site::{ORGANIZATION, Site, says, world};

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_report() {
    let site = Site::new(Backend::Sqlite, world(60, 50)).await;
    // A folder of one's own: no configuration but what `init` writes.
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], secret: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
        command
            .args(arguments)
            .current_dir(folder.path())
            .env_clear();
        if let Some(secret) = secret {
            command.env("THE_SECRET", secret);
        }
        tokio::task::block_in_place(|| command.output().unwrap())
    };
    assert!(run(&["init"], None).status.success());
    assert_eq!(
        run(&["init"], None).status.code(),
        Some(78),
        "it writes over nothing"
    );
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(folder.path().join("vault.key"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    let client = format!("client-{ORGANIZATION}");
    let add = [
        "org",
        "add",
        "--id",
        "10001",
        "--name",
        "Acme",
        "--client-id",
        &client,
        "--secret-env",
        "THE_SECRET",
        "--base-url",
        &base,
        "--token-url",
        &token,
    ];
    let added = run(&add, Some(&format!("secret-of-{ORGANIZATION}")));
    assert!(added.status.success(), "{}", says(&added));
    let file = std::fs::read_to_string(folder.path().join("organizations/10001.toml")).unwrap();
    assert!(
        !file.contains("secret"),
        "the secret is in the vault, not in the file: {file}"
    );
    let tested = run(&["org", "test", "10001"], None);
    assert!(
        tested.status.success()
            && String::from_utf8_lossy(&tested.stdout).contains("60 supporters"),
        "{}",
        says(&tested)
    );
    let synced = run(&["sync"], None);
    assert!(synced.status.success(), "{}", says(&synced));
    for what in ["donors", "engagement", "campaigns", "supporters"] {
        let csv = run(&["report", what, "--org", "10001", "--format", "csv"], None);
        assert!(
            csv.status.success() && csv.stdout.starts_with(b"classy_id,"),
            "{what}: {}",
            says(&csv)
        );
        assert!(
            csv.stdout.iter().filter(|byte| **byte == b'\n').count() > 1,
            "{what} has rows"
        );
    }
    let donors: serde_json::Value =
        serde_json::from_slice(&run(&["report", "donors", "--format", "json"], None).stdout)
            .unwrap();
    let people: i64 = donors
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["supporters"].as_i64().unwrap())
        .sum();
    assert_eq!(people, 60);
    for arguments in [
        &["org", "list"][..],
        &["org", "show", "10001"],
        &["db", "status"],
        &["db", "check"],
        &["db", "optimize"],
        &["keys", "list"],
        &["config", "check"],
        &["config", "show"],
        &["config", "reference"],
        &["history"],
        &["rejects"],
        &["audit"],
        &["completions", "bash"],
        &["sync", "--dry-run"],
    ] {
        let output = run(arguments, None);
        assert!(
            output.status.success() && !(output.stdout.is_empty() && output.stderr.is_empty()),
            "{arguments:?}: {}",
            says(&output)
        );
    }
    // Whoever sees a part of a list is told that it is a part.
    for (limit, is_told) in [("1", true), ("1000", false)] {
        for list in ["history", "audit"] {
            let output = run(&[list, "--limit", limit], None);
            assert_eq!(
                says(&output).contains("there are more: `--limit N`"),
                is_told,
                "{list} {limit}: {}",
                says(&output)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_runs_once_on_a_bare_machine() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(["demo", "--once", "--supporters", "100"])
        .current_dir(folder.path())
        .env_clear();
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", says(&output));
    assert!(
        text.contains("transactions") && text.contains("Transformational") | text.contains("Major"),
        "{text}"
    );
    for organization in ["10001", "10002", "10003"] {
        assert!(
            text.contains(&format!("\n {organization}  ")),
            "{organization}: {text}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "it leaves nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_are_paused_resumed_removed_and_come_back() {
    let site = Site::new(Backend::Sqlite, world(30, 55)).await;
    site.sync();
    site.json(&["org", "pause", "10001"], 0);
    assert_eq!(site.run(&["sync", "--org", "10001"]).status.code(), Some(3));
    site.json(&["org", "resume", "10001"], 0);
    site.sync();
    site.json(&["org", "remove", "10001"], 0);
    assert_eq!(site.number("SELECT COUNT(*) AS n FROM organizations WHERE credentials_encrypted IS NULL AND status = 'paused'").await, 1);
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM supporters").await,
        30,
        "its data stays"
    );
    assert_eq!(site.run(&["org", "show", "77"]).status.code(), Some(2));
    let actions = site.json(&["audit"], 0).to_string();
    assert!(actions.contains("org.credentials_forgotten") && actions.contains("org.status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_a_missing_one_is_named() {
    let site = Site::new(Backend::Sqlite, world(20, 56)).await;
    site.sync();
    let sealed =
        "SELECT COUNT(*) AS n FROM organizations WHERE credentials_encrypted LIKE 'csx1.{}.%'";
    assert_eq!(site.number(&sealed.replace("{}", "test")).await, 1);
    // The file no longer says the secret: it is sealed.
    let file = site
        .path()
        .join(format!("organizations/{ORGANIZATION}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.lines()
            .filter(|line| !line.starts_with("client_secret"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
    .unwrap();
    let run = |arguments: &[&str], keys: &str| {
        tokio::task::block_in_place(|| {
            site.command(arguments)
                .env("CLASSY_SYNC__VAULT__KEYS", keys)
                .output()
                .unwrap()
        })
    };
    let new = run(&["keys", "generate", "--id", "next"], "");
    let line = String::from_utf8(new.stdout).unwrap().trim().to_owned();
    assert!(line.starts_with("next:"));
    let output = run(&["sync"], &line);
    assert!(
        !output.status.success() && says(&output).contains("'test'"),
        "{}",
        says(&output)
    );
    let both = format!("{line},{}", crate::site::KEY);
    for _ in 0..2 {
        let output = run(&["keys", "rotate"], &both);
        assert!(output.status.success(), "{}", says(&output));
        assert_eq!(site.number(&sealed.replace("{}", "next")).await, 1);
    }
    assert!(
        run(&["sync"], &line).status.success(),
        "the old key is needed no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulator_says_how_both_apis_are_reached() {
    use std::io::{BufRead, BufReader};
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command.args([
        "--output",
        "json",
        "simulate",
        "--listen",
        "127.0.0.1:0",
        "--supporters",
        "5",
        "--faults",
        "mailchimp-no-type",
    ]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut child = crate::site::Running(child);
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut text = String::new();
    for line in lines {
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    let chimp = &said["mailchimp"];
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!(
        "{}/lists/{}",
        chimp["base_url"].as_str().unwrap(),
        chimp["audience_id"].as_str().unwrap()
    );
    let asked = reqwest::Client::new()
        .get(url)
        .basic_auth("anybody", chimp["api_key"].as_str())
        .send()
        .await
        .unwrap();
    let (status, body) = (asked.status(), asked.text().await.unwrap());
    drop(child);
    assert!(
        status == 200 && body.contains("Amberfield Relief Fund"),
        "{status} {body}"
    );
    assert!(said["base_url"].as_str().unwrap().ends_with("/2.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_demo_names_its_own_dashboard() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut demos = Vec::new();
    for _ in 0..2 {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
        command
            .args(["demo", "--supporters", "20"])
            .current_dir(folder.path())
            .env_clear();
        let child = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut demo = crate::site::Running(child);
        let lines = BufReader::new(demo.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut lines = lines.skip_while(|line| !line.contains("The dashboard is at "));
        let line = tokio::task::block_in_place(|| lines.next().unwrap());
        let (_, rest) = line.split_once("The dashboard is at ").unwrap();
        demos.push((rest.split_once("/ ").unwrap().0.to_owned(), demo));
    }
    assert_ne!(demos[0].0, demos[1].0);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (address, demo) in &demos {
        crate::web::until(
            "the dashboard answers",
            std::time::Duration::from_secs(20),
            async || {
                client
                    .get(format!("{address}/livez"))
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status() == 200)
            },
        )
        .await;
        assert!(demo.id() > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_in_a_deep_folder_is_spoken_to_and_one_that_is_silent_is_not_called_absent() {
    let site = Site::new(Backend::Sqlite, world(10, 58)).await;
    site.sync();
    let deep = site
        .path()
        .join("deep".repeat(20))
        .join("folder".repeat(20));
    site.configure(&format!(
        "[daemon]\npid_file = {:?}\n",
        deep.join("classy-sync.pid")
    ));
    let daemon = site.start(&["run"]);
    let is_ready = async || site.json(&["status"], 0)["ready"] == true;
    crate::web::until(
        "it is spoken to",
        std::time::Duration::from_secs(20),
        is_ready,
    )
    .await;
    assert!(deep.join("classy-sync.sock").exists());
    assert!(says(&site.run(&["reload"])).contains("was read again"));
    let stopped = site.run(&["stop"]);
    assert!(
        says(&stopped).contains(&format!("process {} has stopped", daemon.id())),
        "{}",
        says(&stopped)
    );
    // A name that is too long by itself: nobody can speak to it, and nobody says that it is not
    // there.
    let long = format!("{}.pid", "long".repeat(30));
    let main = site.path().join("classy-sync.toml");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("classy-sync.pid", &long)).unwrap();
    let daemon = site.start(&["run"]);
    let is_seen = async || {
        says(&site.run(&["status"])).contains(&format!("process {} is at work", daemon.id()))
    };
    crate::web::until("it is seen", std::time::Duration::from_secs(20), is_seen).await;
    assert!(!says(&site.run(&["status"])).contains("no daemon is running"));
    assert!(says(&site.run(&["stop"])).contains("has stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_it_quiet_is_told_results_and_what_is_wrong_alone() {
    let site = Site::new(Backend::Sqlite, world(30, 92)).await;
    let quiet = |arguments: &[&str]| {
        let output = site.run(arguments);
        (
            output.status.code(),
            !output.stdout.is_empty(),
            says(&output),
        )
    };
    assert_eq!(quiet(&["sync", "--quiet"]), (Some(0), true, String::new()));
    assert_eq!(quiet(&["-q", "rejects"]), (Some(0), false, String::new()));
    let (code, _, said) = quiet(&["sync", "-q", "--org", "4"]);
    assert!(
        code == Some(2) && said.contains("error: ") && said.contains("10001"),
        "{said}"
    );
    site.json(&["org", "pause", "10001"], 0);
    let (code, _, said) = quiet(&["sync", "-q"]);
    assert!(code == Some(3) && said.contains("paused"), "{said}");
    // For programs a command that has no result says what it did all the same.
    let told = site.json(&["-q", "org", "resume", "10001"], 0);
    assert!(told["remarks"].to_string().contains("active"), "{told}");
}
