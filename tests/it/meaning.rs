//! Values are held against what they mean before they are needed: `config check` names everything
//! that is wrong (`mistakes`), `reload` keeps what was before, no value is repeated, and nothing
//! is said twice.

use crate::backend::Kind;
use crate::daemons::{end, until};
use crate::mistakes::{CANARY, mains, organizations, require_undoubled, said};
use crate::site::{ORGANIZATION, Site, world};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn config_check_holds_every_value_against_its_meaning_and_names_all_that_is_wrong() {
    let site = Site::new(Kind::Sqlite, world(5, 1_700)).await;
    let (main, file) = (
        site.path().join("classy-sync.toml"),
        site.path().join("organizations/10001.toml"),
    );
    let (good_main, good) = (
        std::fs::read_to_string(&main).unwrap(),
        std::fs::read_to_string(&file).unwrap(),
    );
    assert_eq!(site.run(&["config", "check"]).status.code(), Some(0));
    let check = |what: &str, keys: &[&str]| {
        let output = site.run(&["config", "check"]);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(78), "{what}: {told}");
        assert!(
            keys.iter().all(|key| told.contains(key)) && !told.contains(CANARY),
            "{what}: {told}"
        );
        require_undoubled(what, &output);
    };
    for (lines, key) in mains(&site) {
        std::fs::write(
            &main,
            format!("[http]\nlisten = \"127.0.0.1:0\"\n{lines}\n")
                .replace("[http]\nlisten = \"127.0.0.1:0\"\n[http]\n", "[http]\n"),
        )
        .unwrap();
        check(&lines, &[key]);
    }
    std::fs::write(&main, &good_main).unwrap();
    for (lines, key) in organizations(&site) {
        std::fs::write(&file, format!("{good}{lines}\n")).unwrap();
        check(&lines, &[key, "10001.toml"]);
    }
    for client in [
        "client_id = \"\"",
        "client_id = \" \"",
        "client_secret = \"\"",
        "client_secret = \" \"",
        "client_secret = { file = \"/nowhere\" }",
    ] {
        let (key, _) = client.split_once(' ').unwrap();
        let line = good.lines().find(|line| line.starts_with(key)).unwrap();
        std::fs::write(&file, good.replace(line, client)).unwrap();
        check(client, &[&format!("classy.{key}")]);
    }
    // Everything at once, each once: kinds, bounds and meanings of the main file, and two files of
    // organizations.
    let all = format!(
        "[database]\nurl = \"oracle://u:{CANARY}@x/y\"\nmax_connections = 0\n[sync]\noverlap = \"{CANARY}\"\nsupporters = 3\ncampaigns = \"0s\"\n[http]\nlisen = 1\n\
         [alerts]\nwebhook = \"{CANARY}\"\n[guard]\nabsent_share = 7.0\n"
    );
    std::fs::write(&main, all).unwrap();
    std::fs::write(
        &file,
        good.replace(
            "requests_per_minute = 0",
            "requests_per_minute = \"x\"\nmax_concurrency = 0",
        ) + "[hooks]\nclassi = \"x\"\n",
    )
    .unwrap();
    std::fs::write(
        site.path().join("organizations/other.toml"),
        "classy_id = 0\nname = \" \"\n",
    )
    .unwrap();
    check(
        "all at once",
        &[
            "database.url",
            "database.max_connections",
            "sync.overlap",
            "sync.supporters",
            "sync.campaigns",
            "http.lisen",
            "alerts.webhook",
            "guard.absent_share",
            "10001.toml: classy.requests_per_minute",
            "10001.toml: classy.max_concurrency",
            "hooks.classi",
            "other.toml: classy_id",
            "other.toml: name",
        ],
    );
    let output = site.run(&["--output", "json", "config", "check"]);
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        checked["fine"] == false && checked["problems"].as_array().unwrap().len() >= 12,
        "{checked}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_says_what_has_no_meaning_and_keeps_the_old() {
    let site = Site::new(Kind::Sqlite, world(20, 1_701)).await;
    let (main, file) = (
        site.path().join("classy-sync.toml"),
        site.path().join("organizations/10001.toml"),
    );
    let (good_main, good) = (
        std::fs::read_to_string(&main).unwrap(),
        std::fs::read_to_string(&file).unwrap(),
    );
    let daemon = site.start(&["run"]);
    until("it is read", Duration::from_secs(60), async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    let refused = |what: &str, code: i32, key: &str| {
        let output = site.run(&["reload"]);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(code), "{what}: {told}");
        assert!(
            told.contains(key) && !told.contains(CANARY),
            "{what}: {told}"
        );
        require_undoubled(what, &output);
    };
    for (lines, key) in mains(&site) {
        // The pid file and the database stay where they are, so that the daemon is found.
        let text = format!("[daemon]\npid_file = \"classy-sync.pid\"\n{lines}\n");
        std::fs::write(&main, text).unwrap();
        refused(&lines, 78, key);
    }
    std::fs::write(&main, &good_main).unwrap();
    for (lines, key) in organizations(&site) {
        std::fs::write(&file, format!("{good}{lines}\n")).unwrap();
        refused(&lines, 3, key);
    }
    std::fs::write(
        &file,
        good.replace(
            "client_secret = ",
            "client_secret = { file = \"/nowhere/secret\" } #",
        ),
    )
    .unwrap();
    refused("a secret that is not there", 3, "classy.client_secret");
    // It is served as before, and healthy but for its file.
    site.simulator.world().live(ORGANIZATION, 20);
    site.sync();
    site.assert_exact().await;
    // Two files of one organization are one fault.
    std::fs::write(&file, &good).unwrap();
    let twin = site.path().join("organizations/twin.toml");
    std::fs::write(&twin, &good).unwrap();
    for arguments in [&["reload"][..], &["config", "check"]] {
        let output = site.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            told.matches("describe the same organization").count(),
            1,
            "{arguments:?}: {told}"
        );
        assert!(
            told.contains("10001.toml and ") && told.contains("twin.toml"),
            "{told}"
        );
        require_undoubled("two files", &output);
    }
    std::fs::remove_file(twin).unwrap();
    assert_eq!(site.run(&["reload"]).status.code(), Some(0));
    assert_eq!(end(daemon), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_says_anything_twice() {
    let site = Site::new(Kind::Sqlite, world(5, 1_702)).await;
    let (main, file) = (
        site.path().join("classy-sync.toml"),
        site.path().join("organizations/10001.toml"),
    );
    let (good_main, good) = (
        std::fs::read_to_string(&main).unwrap(),
        std::fs::read_to_string(&file).unwrap(),
    );
    let commands: [&[&str]; 7] = [
        &["sync"],
        &["config", "check"],
        &["org", "test"],
        &["status"],
        &["keys", "list"],
        &["db", "migrate"],
        &["alerts", "test"],
    ];
    let mut failed = 0;
    let mut all = |what: &str| {
        for arguments in commands {
            let output = tokio::task::block_in_place(|| {
                site.command(arguments)
                    .env_remove("CLASSY_SYNC__VAULT__KEYS")
                    .env("CLASSY_SYNC__VAULT__KEY_FILE", "the.key")
                    .output()
                    .unwrap()
            });
            if !output.status.success() {
                failed += 1;
                // What is printed as a table may name a failure that is told below it, too.
                require_undoubled(&format!("{what}, {arguments:?}"), &output);
            }
        }
    };
    let key = site.path().join("the.key");
    all("no key");
    for (text, mode) in [
        ("nonsense", 0o600),
        ("a:b", 0o600),
        (crate::site::KEY, 0o666),
        ("", 0o600),
    ] {
        std::fs::write(&key, text).unwrap();
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
        all(&format!("a key of {text:?} and {mode:o}"));
    }
    std::fs::write(&key, crate::site::KEY).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    for wrong in [
        "[database]\nurl = \"postgres://127.0.0.1:1/x\"",
        "[database]\nurl = \"sqlite:///nowhere/x/y.db\"",
        "[http]\nlisten = 1",
        "[http",
        "[log]\nlevel = \"loud\"",
        "[sync]\nx = 1",
    ] {
        std::fs::write(&main, wrong).unwrap();
        all(wrong);
    }
    std::fs::write(&main, &good_main).unwrap();
    for wrong in [
        good.replace(
            "client_secret = ",
            "client_secret = { file = \"nowhere\" } #",
        ),
        good.replace(
            "client_secret = ",
            "client_secret = { env = \"NOT_SET_ANYWHERE\" } #",
        ),
        good.replace("client_secret = ", "client_secret = \"of-no-use\" #"),
        good.replace(
            "base_url = \"http://127.0.0.1",
            "base_url = \"http://127.0.0.1:1/x\" #",
        ),
        good.clone() + "[plugins.nothing]\n",
        good.clone()
            + "[plugins.mailchimp]\naudience_id = \"a1\"\napi_key = { file = \"nowhere\" }\n",
        "[classy".to_owned(),
    ] {
        std::fs::write(&file, &wrong).unwrap();
        all(&wrong);
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    all("a folder as an organization's file");
    assert!(failed > 40, "{failed} commands failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_in_the_environment_or_among_the_words_is_named() {
    let site = Site::new(Kind::Sqlite, world(5, 1_703)).await;
    let file = site.path().join("organizations/10001.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let nonsense = OsStr::from_bytes(b"caf\xe9-\xff");
    let run = |arguments: &[&str], variable: &str| {
        let output = tokio::task::block_in_place(|| {
            site.command(arguments)
                .env(variable, nonsense)
                .output()
                .unwrap()
        });
        (output.status.code(), said(&output))
    };
    for variable in [
        "CLASSY_SYNC__DATABASE__URL",
        "CLASSY_SYNC__VAULT__KEYS",
        "CLASSY_SYNC__LOG__LEVEL",
        "CLASSY_SYNC__DAEMON__PID_FILE",
        "CLASSY_SYNC__HTTP__TOKEN",
        "CLASSY_SYNC_HTTP_TOKEN",
        "SLACK_WEBHOOK",
        "CLASSY_SYNC_DEAD_MAN_URL",
    ] {
        let (code, told) = run(&["config", "check"], variable);
        assert!(
            code == Some(78) && told.contains(variable) && told.contains("UTF-8"),
            "{variable}: {code:?} {told}"
        );
    }
    std::fs::write(
        &file,
        good.replace(
            "client_secret = ",
            "client_secret = { env = \"ACME_SECRET\" } #",
        ),
    )
    .unwrap();
    for arguments in [&["config", "check"][..], &["sync"]] {
        let (code, told) = run(arguments, "ACME_SECRET");
        assert!(
            code == Some(78) && told.contains("ACME_SECRET") && told.contains("UTF-8"),
            "{arguments:?}: {code:?} {told}"
        );
    }
    std::fs::write(&file, &good).unwrap();
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
    ] {
        let (code, told) = run(&["sync"], variable);
        assert!(
            code.is_some_and(|code| ![0, 101].contains(&code))
                && told.contains(variable)
                && told.contains("UTF-8"),
            "{variable}: {code:?} {told}"
        );
    }
    let (code, told) = run(
        &[
            "org",
            "set-credentials",
            "10001",
            "--secret-env",
            "NEW_SECRET",
        ],
        "NEW_SECRET",
    );
    assert!(
        code == Some(2) && told.contains("NEW_SECRET") && told.contains("UTF-8"),
        "{code:?} {told}"
    );
    // A variable of nobody's is nobody's business.
    assert_eq!(run(&["config", "check"], "SOMETHING_ELSE").0, Some(0));
    for words in [
        &["sync", "--entity"][..],
        &["--output"],
        &["--log-level"],
        &["org", "show"],
        &["--output", "json", "dance"],
        &["sync", "--since"],
    ] {
        let output =
            tokio::task::block_in_place(|| site.command(words).arg(nonsense).output().unwrap());
        let told = said(&output);
        assert!(
            output.status.code() == Some(2)
                && told.contains("error: ")
                && !told.contains("panicked"),
            "{words:?}: {told}"
        );
    }
}
