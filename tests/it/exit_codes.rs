//! What a command is refused for is told by its exit code and in words: credentials, a host or a
//! database that is not there, a wrong file, a name that nobody has.

use crate::backend::Kind as Backend;
use crate::site::{ORGANIZATION, Site, says, world};

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_end_with_77_and_one_token_request() {
    let site = Site::new(Backend::Sqlite, world(20, 51)).await;
    let (base, token) = (site.simulator.base_url(), site.simulator.token_url());
    let client = format!("client-{ORGANIZATION}");
    site.write_organization(ORGANIZATION, &client, "wrong", &base, &token);
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(77), "{}", says(&output));
    assert!(
        says(&output).contains("refused the client id and secret")
            && says(&output).contains("hint:")
    );
    assert_eq!(site.simulator.ledger().token_requests, 1);
    assert_eq!(site.json(&["org", "list"], 0)[0]["status"], "suspended");
    // The right secret in the file revives it.
    site.write_organization(
        ORGANIZATION,
        &client,
        &format!("secret-of-{ORGANIZATION}"),
        &base,
        &token,
    );
    site.sync();
    assert_eq!(site.json(&["org", "list"], 0)[0]["status"], "active");
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_there_ends_with_69_and_soon() {
    let site = Site::new(Backend::Sqlite, world(5, 52)).await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    site.write_organization(
        ORGANIZATION,
        "c",
        "s",
        &format!("http://127.0.0.1:{port}/2.0"),
        &format!("http://127.0.0.1:{port}/oauth2/auth"),
    );
    let begin = std::time::Instant::now();
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(69), "{}", says(&output));
    assert!(
        says(&output).contains("cannot reach") && says(&output).contains("hint:"),
        "{}",
        says(&output)
    );
    assert!(begin.elapsed().as_secs() < 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_ends_with_78_and_names_file_and_key() {
    let site = Site::new(Backend::Sqlite, world(5, 53)).await;
    let main = site.path().join("classy-sync.toml");
    let good = std::fs::read_to_string(&main).unwrap();
    for (text, expected) in [
        (
            "[sync]\nsuporters = \"5m\"\n",
            vec![
                "classy-sync.toml",
                "unknown key 'sync.suporters'",
                "did you mean 'sync.supporters'",
            ],
        ),
        (
            "[sync]\nsupporters = \"soon\"\n",
            vec!["classy-sync.toml", "sync.supporters", "duration"],
        ),
        (
            "[guard]\nabsent_share = 7\n",
            vec!["classy-sync.toml", "guard.absent_share", "0 to 1"],
        ),
        ("[sync\n", vec!["classy-sync.toml", "TOML"]),
        (
            "[database]\nmax_connections = \"many\"\n",
            vec!["classy-sync.toml", "database.max_connections"],
        ),
    ] {
        std::fs::write(&main, text).unwrap();
        let output = site.run(&["sync"]);
        assert_eq!(output.status.code(), Some(78), "{text}: {}", says(&output));
        for part in expected {
            assert!(
                says(&output).contains(part),
                "{text}: {part} is not in {}",
                says(&output)
            );
        }
    }
    std::fs::write(&main, &good).unwrap();
    // The environment is named as such.
    let output = tokio::task::block_in_place(|| {
        site.command(&["sync"])
            .env("CLASSY_SYNC__SYNC__OVERLAP", "never")
            .output()
            .unwrap()
    });
    assert!(
        output.status.code() == Some(78) && says(&output).contains("CLASSY_SYNC__SYNC__OVERLAP"),
        "{}",
        says(&output)
    );
    // An organization's file, too; a good one beside it is synced all the same.
    std::fs::write(
        site.path().join("organizations/wrong.toml"),
        "classy_id = 5\nname = \"W\"\n[classy]\nclient_idd = \"x\"\n",
    )
    .unwrap();
    let output = site.run(&["sync"]);
    assert_eq!(output.status.code(), Some(3), "{}", says(&output));
    assert!(
        says(&output).contains("wrong.toml")
            && says(&output).contains("classy.client_idd")
            && says(&output).contains("classy.client_id'"),
        "{}",
        says(&output)
    );
    site.assert_exact().await;
    std::fs::remove_file(
        site.path()
            .join(format!("organizations/{ORGANIZATION}.toml")),
    )
    .unwrap();
    let output = site.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(78), "{}", says(&output));
    assert_eq!(
        site.run(&["sync", "--entity", "donors"]).status.code(),
        Some(2)
    );
    assert_eq!(site.run(&["dance"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_ends_with_65() {
    let site = Site::new(Backend::Sqlite, world(5, 54)).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (url, code) in [
        (format!("postgres://u:topsecret@127.0.0.1:{port}/x"), 65),
        ("oracle://u:topsecret@h/x".to_owned(), 65),
    ] {
        let output = tokio::task::block_in_place(|| {
            site.command(&["sync"])
                .env("CLASSY_SYNC__DATABASE__URL", &url)
                .output()
                .unwrap()
        });
        assert_eq!(output.status.code(), Some(code), "{}", says(&output));
        assert!(
            !says(&output).contains("topsecret") && says(&output).contains("hint:"),
            "{}",
            says(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_nobody_has_are_told_with_those_there_are() {
    let site = Site::new(Backend::Sqlite, world(10, 57)).await;
    site.sync();
    for arguments in [
        &["plugin", "run", "--plugin", "foo"][..],
        &["plugin", "list", "--plugin", "foo"],
        &["plugin", "preview", "--plugin", "foo"],
        &["plugin", "audit", "--plugin", "mailchmp"],
    ] {
        let output = site.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            says(&output)
        );
        assert!(
            says(&output).contains("there is no plugin '")
                && says(&output).contains("mailchimp, webhook"),
            "{}",
            says(&output)
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let output = site.run(&["plugin", "run", "--plugin", "mailchimp"]);
    assert!(
        output.status.code() == Some(78)
            && says(&output).contains("no organization has the plugin 'mailchimp'"),
        "{}",
        says(&output)
    );
    for arguments in [
        &["sync", "--org", "77"][..],
        &["sync", "--dry-run", "--org", "77"],
        &["report", "donors", "--org", "77"],
        &["history", "--org", "77"],
        &["rejects", "--org", "77"],
        &["audit", "--org", "77"],
        &["alerts", "list", "--org", "77"],
        &["org", "show", "77"],
        &["org", "test", "77"],
        &["org", "pause", "77"],
        &["org", "set-credentials", "77"],
        &["plugin", "run", "--org", "77"],
        &["plugin", "list", "--org", "77"],
    ] {
        let output = site.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            says(&output)
        );
        assert!(
            says(&output).contains("no organization 77")
                && says(&output).contains("those there are: 10001"),
            "{}",
            says(&output)
        );
    }
    let output = site.run(&["sync", "--entity", "donors"]);
    assert!(
        output.status.code() == Some(2) && says(&output).contains("recurring_plans"),
        "{}",
        says(&output)
    );
}
