//! A canary in every secret, and in every place where a person may put one by mistake; and then
//! every output is searched for it.

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::{Daemon, Listener, until};
use std::process::Output;
use std::time::Duration;

/// Looks like a secret of Classy: letters of both kinds and digits, one word.
const CANARY: &str = "kAnArY9f8e7D6c5b4A3";
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

/// An organization's file with the canary in it, most of them wrong.
fn organizations(site: &Site) -> Vec<(&'static str, String)> {
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    let whole = |head: &str, classy: &str, rest: &str| {
        format!(
            "classy_id = 10001\nname = \"Acme\"\n{head}\n[classy]\nclient_id = \"client-10001\"\n{classy}\nbase_url = {base:?}\ntoken_url = {token:?}\n{rest}\n"
        )
    };
    let plugin = |text: &str| {
        whole(
            "",
            "client_secret = \"secret-of-10001\"",
            &format!("[plugins.{text}"),
        )
    };
    let mailchimp = site.simulator.mailchimp_url();
    vec![
        (
            "as it should be, refused by Classy",
            whole("", &format!("client_secret = \"{CANARY}\""), ""),
        ),
        (
            "a quote is missing",
            whole("", &format!("client_secret = \"{CANARY}"), ""),
        ),
        (
            "both quotes are missing",
            whole("", &format!("client_secret = {CANARY}"), ""),
        ),
        (
            "a stray quote",
            whole("", &format!("client_secret = \"{CANARY}\"\""), ""),
        ),
        (
            "no equals sign",
            whole("", &format!("client_secret \"{CANARY}\""), ""),
        ),
        (
            "a list",
            whole("", &format!("client_secret = [\"{CANARY}\"]"), ""),
        ),
        (
            "a table of something else",
            whole("", &format!("client_secret = {{ enf = \"{CANARY}\" }}"), ""),
        ),
        (
            "the secret as a variable's name",
            whole("", &format!("client_secret = {{ env = \"{CANARY}\" }}"), ""),
        ),
        (
            "the secret as a file's name",
            whole(
                "",
                &format!("client_secret = {{ file = \"{CANARY}\" }}"),
                "",
            ),
        ),
        (
            "twice",
            whole(
                "",
                &format!("client_secret = \"{CANARY}\"\nclient_secret = \"{CANARY}\""),
                "",
            ),
        ),
        (
            "key and value swapped",
            whole("", &format!("{CANARY} = \"client_secret\""), ""),
        ),
        (
            "quoted key and value swapped",
            whole("", &format!("\"{CANARY}.x\" = \"client_secret\""), ""),
        ),
        (
            "in the wrong table",
            whole(&format!("{CANARY} = 1"), "", ""),
        ),
        ("as a table", whole("", "", &format!("[{CANARY}]\nx = 1"))),
        (
            "a broken table",
            whole("", "", &format!("[{CANARY}\nx = 1")),
        ),
        (
            "as a plugin",
            whole("", "", &format!("[plugins.{CANARY}]\nx = 1")),
        ),
        (
            "as a plugin's value",
            whole("", "", &format!("[plugins]\nmailchimp = \"{CANARY}\"")),
        ),
        (
            "as the number",
            whole("", "", "").replace("10001\nname", &format!("\"{CANARY}\"\nname")),
        ),
        (
            "as the client id",
            whole("", "client_secret = \"x\"", "").replace("client-10001", CANARY),
        ),
        (
            "in the address, as a user",
            whole("", "", "").replace("http://", &format!("http://u:{CANARY}@")),
        ),
        (
            "in the address, as a query",
            whole("", "", "").replace("/2.0\"", &format!("/2.0?key={CANARY}\"")),
        ),
        (
            "in the address, as a path",
            whole("", "client_secret = \"x\"", "").replace("/2.0\"", &format!("/2.0/{CANARY}\"")),
        ),
        ("for the address", whole("", "", "").replace(&base, CANARY)),
        (
            "as a header",
            whole("", &format!("headers = {{ \"x-key\" = \"{CANARY}\" }}"), ""),
        ),
        (
            "as a header's name",
            whole("", &format!("headers = {{ \"{CANARY} \" = \"x\" }}"), ""),
        ),
        (
            "as a header of a wrong kind",
            whole("", &format!("headers = {{ {CANARY} = 5 }}"), ""),
        ),
        (
            "as all headers",
            whole("", &format!("headers = \"{CANARY}\""), ""),
        ),
        (
            "as a number of something",
            whole("", &format!("requests_per_minute = \"{CANARY}\""), ""),
        ),
        (
            "as a hook",
            whole(
                "",
                "",
                &format!("[hooks]\nclassy = \"whsec_{CANARY}!\"\nmailchimp = \"{CANARY}\""),
            ),
        ),
        (
            "as another hook",
            whole("", "", &format!("[hooks]\n{CANARY} = \"x\"")),
        ),
        (
            "as Mailchimp's key",
            plugin(&format!(
                "mailchimp]\nbase_url = {mailchimp:?}\naudience_id = \"a1\"\napi_key = \"{CANARY}-us6\""
            )),
        ),
        (
            "as Mailchimp's key with a host",
            plugin(&format!(
                "mailchimp]\naudience_id = \"a1\"\napi_key = \"{CANARY}-us6.x.org\""
            )),
        ),
        (
            "as the audience",
            plugin(&format!(
                "mailchimp]\napi_key = \"x-us6\"\naudience_id = \"{CANARY}-us6\""
            )),
        ),
        (
            "as Mailchimp's address",
            plugin(&format!(
                "mailchimp]\napi_key = \"x\"\naudience_id = \"a1\"\nbase_url = \"https://u:{CANARY}@x.org\""
            )),
        ),
        (
            "as a choice",
            plugin(&format!(
                "mailchimp]\napi_key = \"x\"\naudience_id = \"a1\"\non_opt_out = \"{CANARY}\""
            )),
        ),
        (
            "as a plugin's key",
            plugin(&format!(
                "mailchimp]\naudience_id = \"a1\"\n\"{CANARY}-us6\" = \"api_key\""
            )),
        ),
        (
            "as the webhook's secret",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/x\"\nsecret = \"{CANARY}\""
            )),
        ),
        (
            "as the webhook's secret, no base64",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/x\"\nsecret = \"whsec_{CANARY}!\""
            )),
        ),
        (
            "in the webhook's address",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/{CANARY}?t={CANARY}\"\nsecret = \"0123456789abcdef\""
            )),
        ),
        (
            "in the webhook's address as a user",
            plugin(&format!(
                "webhook]\nurl = \"http://u:{CANARY}@127.0.0.1:9/\"\nsecret = \"x\""
            )),
        ),
        (
            "for the webhook's address",
            plugin(&format!(
                "webhook]\nurl = \"{CANARY}\"\nsecret = \"0123456789abcdef\""
            )),
        ),
        (
            "as the size of a batch",
            plugin(&format!(
                "webhook]\nurl = \"http://127.0.0.1:9/\"\nbatch = \"{CANARY}\""
            )),
        ),
    ]
}

/// Lines of the main file with the canary in them.
const MAIN: &[(&str, &str)] = &[
    ("a quote is missing", "[alerts]\nwebhook = \"CANARY\n"),
    ("both quotes are missing", "[alerts]\nwebhook = CANARY\n"),
    ("a wrong kind", "[alerts]\nwebhook = [\"CANARY\"]\n"),
    (
        "a variable's name",
        "[alerts]\nwebhook = { env = \"CANARY\" }\n",
    ),
    (
        "a file's name",
        "[alerts]\nwebhook = { file = \"CANARY\" }\n",
    ),
    ("a key", "[alerts]\nCANARY = \"webhook\"\n"),
    ("a table", "[CANARY]\nx = 1\n"),
    ("a table that is none", "[CANARY\n"),
    ("a table of a table", "[alerts.CANARY]\nx = 1\n"),
    ("a table for a value", "alerts = \"CANARY\"\n"),
    ("a level", "[log]\nlevel = \"CANARY\"\n"),
    ("a format", "[log]\nformat = \"CANARY\"\n"),
    ("a number", "[guard]\nabsent_share = \"CANARY\"\n"),
    ("a duration", "[sync]\noverlap = \"CANARY\"\n"),
    ("a key of the vault", "[vault]\nkeys = \"CANARY\"\n"),
    (
        "two keys of the vault",
        "[vault]\nkeys = \"a:CANARY,b:CANARY\"\n",
    ),
    (
        "a key's name",
        "[vault]\nkeys = \"CANARY:AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"\n",
    ),
    (
        "a webhook's token",
        "[alerts]\nwebhook = \"http://127.0.0.1:9/CANARY\"\n",
    ),
    (
        "a webhook's user",
        "[alerts]\nwebhook = \"http://u:CANARY@127.0.0.1:9/\"\n",
    ),
    (
        "no address of a webhook",
        "[alerts]\nwebhook = \"CANARY\"\ndead_man = \"CANARY\"\n",
    ),
    (
        "a database's password",
        "[database]\nurl = \"postgres://u:CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database without a scheme",
        "[database]\nurl = \"CANARY\"\n",
    ),
    (
        "a database's password with #",
        "[database]\nurl = \"postgres://u:a#CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with /",
        "[database]\nurl = \"mysql://u:a/CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with ?",
        "[database]\nurl = \"mysql://u:a?CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with @",
        "[database]\nurl = \"postgres://u:a@CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database's password with :",
        "[database]\nurl = \"mysql://u:a:[CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database of an unknown kind",
        "[database]\nurl = \"oracle://u:CANARY@127.0.0.1:9/x\"\n",
    ),
    (
        "a database as a query",
        "[database]\nurl = \"postgres://127.0.0.1:9/x?password=CANARY\"\n",
    ),
];

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
