//! No secret and no donor in any output, at the most talkative level, whatever goes wrong.

use crate::backend::Kind as Backend;
use crate::site::{ORGANIZATION, Site, world};
use classy_sync::simulator::{Fault, Kind, Options};

#[tokio::test(flavor = "multi_thread")]
async fn at_trace_and_with_faults_nothing_personal_and_nothing_secret_is_said() {
    let faults = vec![
        Fault::ServerErrors,
        Fault::BadRecord,
        Fault::TokenExpiry,
        Fault::Html200,
        Fault::TruncatedBody,
    ];
    let site = Site::new(
        Backend::Sqlite,
        Options {
            faults,
            ..world(200, 60)
        },
    )
    .await;
    let mut said = Vec::new();
    for arguments in [
        &["sync"][..],
        &["sync", "--full"],
        &["org", "list"],
        &["org", "show", "10001"],
        &["org", "test"],
        &["rejects"],
        &["history"],
        &["db", "check"],
        &["config", "show"],
        &["keys", "list"],
    ] {
        let mut all = vec!["--log-level", "trace"];
        all.extend_from_slice(arguments);
        let output = site.run(&all);
        said.extend_from_slice(&output.stdout);
        said.extend_from_slice(&output.stderr);
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("classy-sync") && said.len() > 5_000,
        "there is something to look through"
    );
    let secret = format!("secret-of-{ORGANIZATION}");
    assert!(
        !said.contains(&secret) && !said.contains(crate::site::KEY) && !said.contains("Bearer")
    );
    assert!(!said.contains("Canary-Payer-Data") && !said.contains("@example.org"));
    let world = site.simulator.world();
    for record in world.organizations[&ORGANIZATION].lists[&Kind::Supporters].iter() {
        let email = record.get("email_address").unwrap();
        assert!(!said.contains(email.trim_matches('"')), "{email}");
        let name = format!(
            "{} {}",
            record.get("first_name").unwrap().trim_matches('"'),
            record.get("last_name").unwrap().trim_matches('"')
        );
        assert!(!said.contains(&name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_file_holds_no_credential_and_no_payment_payload() {
    let site = Site::new(Backend::Sqlite, world(100, 61)).await;
    site.sync();
    let mut bytes = std::fs::read(site.path().join("test.db")).unwrap();
    bytes.extend(std::fs::read(site.path().join("test.db-wal")).unwrap_or_default());
    let contains = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    assert!(contains("@example.org"), "donors are in it");
    assert!(
        !contains(&format!("secret-of-{ORGANIZATION}"))
            && !contains("Canary-Payer-Data")
            && !contains("_classy_pay")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_that_opens_nothing_is_told_of_before_it_is_used() {
    let site = Site::new(Backend::Sqlite, world(5, 960)).await;
    let run = |arguments: &[&str]| {
        let output = tokio::task::block_in_place(|| {
            site.command(arguments)
                .env_remove("CLASSY_SYNC__VAULT__KEYS")
                .output()
                .unwrap()
        });
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let key = site.path().join("vault.key");
    // Nothing is sealed yet: nothing to say.
    let (code, said) = run(&["keys", "generate", "--id", "first", "--write"]);
    assert!(code == Some(0) && !said.contains("warning"), "{said}");
    assert_eq!(run(&["sync"]).0, Some(0));
    // What is sealed opens with the key that stays in the file.
    let (code, said) = run(&["keys", "generate", "--id", "second", "--write"]);
    assert!(code == Some(0) && !said.contains("warning"), "{said}");
    std::fs::remove_file(&key).unwrap();
    for arguments in [
        &["keys", "generate"][..],
        &["keys", "generate", "--id", "third", "--write"],
    ] {
        let (code, said) = run(arguments);
        assert!(
            code == Some(0)
                && said.contains("warning: ")
                && said.contains("'first'")
                && said.contains("set-credentials"),
            "{said}"
        );
    }
    // A key of the name of the one that is lost would hide that it is.
    let before = std::fs::read(&key).unwrap();
    let (code, said) = run(&["keys", "generate", "--id", "first", "--write"]);
    assert!(
        code == Some(78) && said.contains("another key of the name 'first'"),
        "{said}"
    );
    assert_eq!(std::fs::read(&key).unwrap(), before);
}
