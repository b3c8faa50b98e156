//! A canary in every secret, and in every place where a person may put one by mistake (`places`);
//! and then every output is searched for it.

mod places;

use crate::backend::Kind;
use crate::peers::Listener;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, until};
use places::{CANARY, MAIN, organizations};
use std::process::Output;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Everything that reads.
const READING: &[&[&str]] = &[
    &["config", "check"],
    &["--output", "json", "config", "check"],
    &["config", "show"],
    &["--output", "json", "config", "show"],
    &["org", "list"],
    &["org", "show", "10001"],
    &["org", "test"],
    &["--output", "json", "org", "test"],
    &["status"],
    &["--output", "json", "status"],
    &["health"],
    &["--output", "json", "health"],
    &["plugin", "list"],
    &["plugin", "preview"],
    &["alerts", "list"],
    &["rejects"],
    &["history"],
    &["audit"],
    &["keys", "list"],
    &["db", "status"],
    &["db", "check"],
    &["report", "donors"],
];

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn assert_silent(what: &str, text: &str) {
    for (number, line) in text.lines().enumerate() {
        assert!(
            !line.contains(CANARY),
            "{what}: line {} of its output tells the secret: {line}",
            number + 1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_organizations_file_or_in_the_main_file_no_command_tells_it() {
    let site = Site::new(Kind::Sqlite, world(20, 910)).await;
    let file = site.path().join("organizations/10001.toml");
    for (what, text) in organizations(&site) {
        std::fs::write(&file, &text).unwrap();
        let mut all = said(&site.run(&["--log-level", "trace", "sync"]));
        for arguments in [
            &["config", "check"][..],
            &["org", "show", "10001"],
            &["org", "test"],
            &["plugin", "list"],
            &["health"],
        ] {
            all.push_str(&said(&site.run(arguments)));
        }
        assert!(all.len() > 100, "{what}: something is said");
        assert_silent(what, &all);
    }
    // What is not in the database in clear cannot be read there.
    for end in ["", "-wal"] {
        let bytes = std::fs::read(site.path().join(format!("test.db{end}"))).unwrap_or_default();
        assert!(
            !bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes()),
            "test.db{end}"
        );
    }
    let (main, good) = (
        site.path().join("classy-sync.toml"),
        std::fs::read_to_string(site.path().join("classy-sync.toml")).unwrap(),
    );
    for (what, lines) in MAIN {
        let lines = lines.replace("CANARY", CANARY);
        // A table stands once in a file.
        let text = if lines.starts_with("[database]") {
            format!("[http]\nlisten = \"127.0.0.1:0\"\n{lines}")
        } else {
            good.clone() + &lines
        };
        // A value without a table goes before all tables.
        std::fs::write(
            &main,
            if lines.starts_with('[') {
                text
            } else {
                lines + &good
            },
        )
        .unwrap();
        let mut all = said(&site.run(&["config", "check"])) + &said(&site.run(&["config", "show"]));
        all.push_str(&said(&tokio::task::block_in_place(|| {
            site.command(&["--log-level", "trace", "db", "status"])
                .env_remove("CLASSY_SYNC__VAULT__KEYS")
                .output()
                .unwrap()
        })));
        all.push_str(&said(&tokio::task::block_in_place(|| {
            site.command(&["sync"])
                .env_remove("CLASSY_SYNC__VAULT__KEYS")
                .output()
                .unwrap()
        })));
        assert_silent(what, &all);
    }
    std::fs::write(&main, good).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_environment_the_key_file_or_on_the_command_line_nobody_repeats_it() {
    let site = Site::new(Kind::Sqlite, world(5, 911)).await;
    let run = |arguments: &[&str], variable: &str, value: &str| {
        tokio::task::block_in_place(|| {
            said(
                &site
                    .command(arguments)
                    .env(variable, value)
                    .output()
                    .unwrap(),
            )
        })
    };
    for variable in [
        "CLASSY_SYNC__HTTP__LISTEN",
        "CLASSY_SYNC__SYNC__OVERLAP",
        "CLASSY_SYNC__SYNC__MAX_CONCURRENT_RUNS",
        "CLASSY_SYNC__VAULT__KEYS",
        "CLASSY_SYNC__ALERTS__WEBHOOK",
        "CLASSY_SYNC__DATABASE__URL",
        "CLASSY_SYNC__LOG__LEVEL",
        "SLACK_WEBHOOK",
        &format!("CLASSY_SYNC__HTTP__{CANARY}"),
        &format!("CLASSY_SYNC__{CANARY}__X"),
    ] {
        for arguments in [
            &["config", "check"][..],
            &["config", "show"],
            &["sync"],
            &["alerts", "test"],
            &["health"],
        ] {
            assert_silent(variable, &run(arguments, variable, CANARY));
        }
    }
    let key = site.path().join("vault.key");
    for text in [
        CANARY.to_owned(),
        format!("a:{CANARY}"),
        format!("{CANARY}:"),
        format!("{CANARY}:a b"),
        format!("a b:{CANARY}"),
    ] {
        std::fs::write(&key, text).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        for arguments in [
            &["config", "check"][..],
            &["keys", "list"],
            &["keys", "generate", "--write"],
            &["sync"],
        ] {
            let all = tokio::task::block_in_place(|| {
                said(
                    &site
                        .command(arguments)
                        .env_remove("CLASSY_SYNC__VAULT__KEYS")
                        .output()
                        .unwrap(),
                )
            });
            assert_silent("the key file", &all);
        }
    }
    for arguments in [
        &["--log-level", CANARY, "sync"][..],
        &["org", "set-credentials", "10001", CANARY],
        &["org", "set-credentials", "10001", "--secret-env", CANARY],
        &[
            "org",
            "add",
            "--id",
            CANARY,
            "--name",
            "A",
            "--client-id",
            "c",
        ],
        &[
            "org",
            "add",
            "--id",
            "7",
            "--name",
            "A",
            "--client-id",
            CANARY,
            "--base-url",
            "nonsense",
            "--secret-env",
            "X",
        ],
        &[
            "org",
            "add",
            "--id",
            "7",
            "--name",
            "A",
            "--client-id",
            "c",
            "--secret-env",
            "X",
            "--base-url",
            &format!("http://u:{CANARY}@x.org"),
        ],
        &["org", "add", CANARY],
        &[
            "--config",
            &format!("postgres://u:{CANARY}@127.0.0.1/x"),
            "status",
        ],
        &["--config", &format!("u:{CANARY}@127.0.0.1"), "status"],
        &["init", &format!("postgres://u:{CANARY}@127.0.0.1/x")],
        &[
            "simulate",
            "--write",
            &format!("postgres://u:{CANARY}@127.0.0.1/x"),
        ],
    ] {
        assert_silent(
            &arguments.join(" ").replace(CANARY, "..."),
            &run(arguments, "X", CANARY),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_answer_alert_log_or_table_of_a_daemon_tells_it() {
    let site = Site::new(Kind::Sqlite, world(20, 912)).await;
    let listener = Listener::start().await;
    site.configure(&format!("[alerts]\nwebhook = {:?}\n", listener.url));
    let file = site.path().join("organizations/10001.toml");
    let main = site.path().join("classy-sync.toml");
    let (good, good_main) = (
        std::fs::read_to_string(&file).unwrap(),
        std::fs::read_to_string(&main).unwrap(),
    );
    let daemon = Daemon::start(&site, CANARY).await;
    until("it is loaded", SOON, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let mut all = String::new();
    let bearer = format!("Bearer {CANARY}");
    let headers = [("authorization", bearer.as_str()), ("accept", "text/html")];
    let paths = [
        "/",
        "/alerts",
        "/organizations/10001",
        "/api/v1/health",
        "/api/v1/status",
        "/api/v1/alerts?all=true",
        "/api/v1/organizations/10001",
        "/metrics",
    ];
    for (what, text) in organizations(&site) {
        std::fs::write(&file, text).unwrap();
        all.push_str(&said(&site.run(&["reload"])));
        // Health looks every five seconds; what it looks at is shown at once.
        for path in paths {
            all.push_str(
                &daemon
                    .ask(reqwest::Method::GET, path, &headers, "")
                    .await
                    .body,
            );
        }
        assert_silent(what, &all);
    }
    std::fs::write(
        &file,
        good.replace("client_secret = \"", &format!("client_secret = \"{CANARY}")),
    )
    .unwrap();
    std::fs::write(
        &file,
        good.replace("client_secret = \"", &format!("client_secret = {CANARY}")),
    )
    .unwrap();
    all.push_str(&said(&site.run(&["reload"])));
    until("somebody is told", SOON, async || {
        listener
            .heard()
            .iter()
            .any(|text| text.contains("10001.toml"))
    })
    .await;
    for (what, lines) in MAIN {
        let lines = lines.replace("CANARY", CANARY);
        std::fs::write(
            &main,
            if lines.starts_with('[') {
                good_main.replace("[alerts]", "[alerts2]") + &lines
            } else {
                lines + &good_main
            },
        )
        .unwrap();
        all.push_str(&said(&site.run(&["reload"])));
        assert_silent(what, &all);
    }
    std::fs::write(&main, good_main).unwrap();
    let wrong = daemon
        .ask(
            reqwest::Method::POST,
            "/api/v1/reload",
            &[("authorization", &format!("Bearer {CANARY}x"))],
            "",
        )
        .await;
    assert_eq!(wrong.status, 401);
    for path in paths {
        all.push_str(
            &daemon
                .ask(reqwest::Method::GET, path, &headers, "")
                .await
                .body,
        );
    }
    for arguments in READING {
        all.push_str(&said(&site.run(arguments)));
    }
    all.push_str(&listener.heard().join("\n"));
    all.push_str(&Daemon::log(&site));
    drop(daemon);
    assert_silent("everything", &all);
    assert!(
        all.contains("10001.toml") && all.len() > 50_000,
        "there is something to look through"
    );
    for end in ["", "-wal"] {
        let bytes = std::fs::read(site.path().join(format!("test.db{end}"))).unwrap_or_default();
        assert!(
            !bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes()),
            "test.db{end}"
        );
    }
}
