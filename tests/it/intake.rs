//! Secrets as they come: with what editors and files of variables put around them, too short to
//! keep anybody out, or in the wrong place.

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Site, world};
use crate::web::Daemon;
use std::process::Output;

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn with(site: &Site, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    tokio::task::block_in_place(|| {
        site.command(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_surrounds_a_secret_is_no_part_of_it() {
    let site = Site::new(Kind::Sqlite, world(5, 930)).await;
    let file = site.path().join("organizations/10001.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let secret = format!("secret-of-{ORGANIZATION}");
    let from = |place: &str| {
        good.replace(
            &format!("client_secret = {secret:?}"),
            &format!("client_secret = {place}"),
        )
    };
    let wrapped = |ends: [&str; 2]| format!("{}{secret}{}", ends[0], ends[1]);
    for ends in [
        ["", "\n"],
        ["", "\r\n"],
        [" ", " \t"],
        ["\u{feff}", "\n"],
        ["\"", "\""],
        ["'", "'\n"],
        ["\n\n", "\n\n"],
    ] {
        std::fs::write(&file, from("{ env = \"THE_SECRET\" }")).unwrap();
        let output = with(&site, &["org", "test"], &[("THE_SECRET", &wrapped(ends))]);
        assert!(output.status.success(), "{ends:?}: {}", said(&output));
        std::fs::write(site.path().join("organizations/secret.txt"), wrapped(ends)).unwrap();
        std::fs::write(&file, from("{ file = \"secret.txt\" }")).unwrap();
        let output = with(&site, &["org", "test"], &[]);
        assert!(output.status.success(), "{ends:?}: {}", said(&output));
    }
    // What is within it is told by the name of its source; nobody is asked.
    let before = site.simulator.ledger().token_requests;
    for middle in [" ", "\n", "\u{1b}", "\u{a0}"] {
        std::fs::write(&file, from("{ env = \"THE_SECRET\" }")).unwrap();
        let output = with(
            &site,
            &["org", "test"],
            &[("THE_SECRET", &format!("secret{middle}of-10001"))],
        );
        let text = said(&output);
        assert!(
            output.status.code() == Some(78) && text.contains("THE_SECRET has a"),
            "{middle:?}: {text}"
        );
        assert!(!text.contains("of-10001"), "{text}");
    }
    assert_eq!(site.simulator.ledger().token_requests, before);
    std::fs::write(&file, good).unwrap();
    // An empty variable is no variable.
    let output = with(
        &site,
        &["sync"],
        &[
            ("SLACK_WEBHOOK", ""),
            ("CLASSY_SYNC_HTTP_TOKEN", " "),
            ("CLASSY_SYNC_DEAD_MAN_URL", "\n"),
            ("CLASSY_SYNC__LOG__LEVEL", ""),
        ],
    );
    assert!(output.status.success(), "{}", said(&output));
    let output = with(&site, &["alerts", "test"], &[("SLACK_WEBHOOK", "")]);
    assert!(said(&output).contains("nowhere"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_everybody_has_signs_nothing() {
    let site = Site::new(Kind::Sqlite, world(5, 931)).await;
    let file = site.path().join("organizations/10001.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let empty = [
        "",
        " ",
        "whsec_",
        "whsec_ ",
        "whsec_AA==",
        "whsec_!!!!",
        "\\ufeff",
    ];
    let mut tried = 0;
    for (table, key) in [
        ("[hooks]\nclassy = ", "hooks.classy"),
        ("[hooks]\nmailchimp = ", "hooks.mailchimp"),
        (
            "[plugins.webhook]\nurl = \"https://example.org/hook\"\nsecret = ",
            "plugins.webhook.secret",
        ),
    ] {
        for secret in empty
            .iter()
            .filter(|secret| key != "hooks.mailchimp" || !secret.starts_with("whsec_"))
        {
            std::fs::write(&file, format!("{good}{table}\"{secret}\"\n")).unwrap();
            let output = site.run(&["config", "check"]);
            assert!(
                output.status.code() == Some(78) && said(&output).contains(key),
                "{key} = {secret:?}: {}",
                said(&output)
            );
            tried += 1;
        }
        std::fs::write(&file, format!("{good}{table}{{ env = \"THE_HOOK\" }}\n")).unwrap();
        if key.starts_with("hooks") {
            let output = with(&site, &["config", "check"], &[("THE_HOOK", "whsec_=")]);
            assert!(
                output.status.code() == Some(78) && said(&output).contains(key),
                "{key}: {}",
                said(&output)
            );
        }
    }
    assert_eq!(tried, 17);
    // A file that is wrong from the start opens no hook.
    std::fs::write(&file, format!("{good}[hooks]\nclassy = \"whsec_\"\n")).unwrap();
    let daemon = Daemon::start(&site, "").await;
    let headers = [
        ("svix-id", "1"),
        ("svix-timestamp", "1"),
        ("svix-signature", "v1,"),
    ];
    assert_eq!(
        daemon
            .ask(reqwest::Method::POST, "/hooks/classy/10001", &headers, "{}")
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_can_be_guessed_does_not_open_a_port_to_others() {
    let site = Site::new(Kind::Sqlite, world(5, 932)).await;
    let start = |listen: &str, token: &str| {
        let variables = [
            ("CLASSY_SYNC__HTTP__LISTEN", listen),
            ("CLASSY_SYNC_HTTP_TOKEN", token),
        ];
        let mut command = std::process::Command::new("timeout");
        command
            .args(["3", env!("CARGO_BIN_EXE_classy-sync"), "run"])
            .current_dir(site.path())
            .env_clear();
        command
            .env("CLASSY_SYNC__VAULT__KEYS", crate::site::KEY)
            .envs(variables);
        tokio::task::block_in_place(|| command.output().unwrap())
    };
    for token in ["x", "\"x\"", "fifteen-letters"] {
        let output = start("0.0.0.0:0", token);
        assert!(
            output.status.code() == Some(78) && said(&output).contains("http.token"),
            "{token}: {}",
            said(&output)
        );
    }
    let output = start("127.0.0.1:0", "x");
    assert!(
        said(&output).contains("fewer than 16 characters") && said(&output).contains("ready"),
        "{}",
        said(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_address_is_a_secret() {
    let site = Site::new(Kind::Sqlite, world(20, 933)).await;
    let file = site.path().join("organizations/10001.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let token = "t0ken-in-the-path-4711";
    let table =
        |url: &str| format!("{good}[plugins.webhook]\n{url}secret = \"0123456789abcdef\"\n");
    std::fs::write(
        &file,
        table(&format!("url = \"http://127.0.0.1:9/hooks/{token}\"\n")),
    )
    .unwrap();
    let mut all = said(&site.run(&["sync"]));
    for arguments in [
        &["plugin", "list"][..],
        &["--output", "json", "plugin", "list"],
        &["org", "test"],
        &["audit"],
        &["plugin", "retry"],
    ] {
        all.push_str(&said(&site.run(arguments)));
    }
    assert!(
        all.contains("http://127.0.0.1:9#") && !all.contains(token),
        "{all}"
    );
    // Sealed, it may be left out of the file; another path of the same host is another place.
    let listed = site.json(&["plugin", "list"], 0)[0]["destination"].clone();
    std::fs::write(&file, table("")).unwrap();
    assert_eq!(site.json(&["plugin", "list"], 0)[0]["destination"], listed);
    std::fs::write(&file, table("url = \"http://127.0.0.1:9/hooks/other\"\n")).unwrap();
    assert_ne!(site.json(&["plugin", "list"], 0)[0]["destination"], listed);
    for end in ["", "-wal"] {
        let bytes = std::fs::read(site.path().join(format!("test.db{end}"))).unwrap_or_default();
        assert!(
            !bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes()),
            "test.db{end}"
        );
    }
}
