//! A key that was lost is told apart from none, from another one and from a wrong one, and nothing
//! that is stored is harmed by it.

use crate::backend::Kind as Backend;
use crate::site::{ORGANIZATION, Site, says, world};
use crate::web::Daemon;

/// The file says no secret any more: all that is left of it is sealed.
fn forget_the_file_s_secret(site: &Site) {
    let file = site
        .path()
        .join(format!("organizations/{ORGANIZATION}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let without = text
        .lines()
        .filter(|line| !line.starts_with("client_secret"));
    std::fs::write(&file, without.collect::<Vec<_>>().join("\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_when_keys_are_made_and_rotated_beside_it() {
    const NO_KEYS: (&str, &str) = ("CLASSY_SYNC__VAULT__KEYS", "");
    let site = Site::new(Backend::Sqlite, world(10, 85)).await;
    let run = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env(NO_KEYS.0, NO_KEYS.1);
        tokio::task::block_in_place(|| command.output().unwrap())
    };
    let done = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", says(&output));
        says(&output)
    };
    done(&["keys", "generate", "--write", "--id", "first"]);
    done(&["sync"]);
    forget_the_file_s_secret(&site);
    let daemon = Daemon::start_with(&site, "", &[NO_KEYS]).await;
    done(&["sync"]);
    done(&["keys", "generate", "--write", "--id", "second"]);
    done(&["keys", "rotate"]);
    done(&["reload"]);
    done(&["sync"]);
    assert!(!done(&["health"]).contains("key"));
    // Another key of a name that is in use is not taken, and changes nothing.
    let file = site.path().join("vault.key");
    let kept = std::fs::read_to_string(&file).unwrap();
    let other = "second:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    std::fs::write(&file, other).unwrap();
    let reloaded = run(&["reload"]);
    assert!(!reloaded.status.success());
    assert!(
        says(&reloaded).contains("'second' is not the one that is in use"),
        "{}",
        says(&reloaded)
    );
    done(&["sync"]);
    std::fs::write(&file, kept).unwrap();
    done(&["reload"]);
    drop(daemon);
    done(&["sync"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_told_apart_from_none_from_another_and_from_a_wrong_one() {
    let site = Site::new(Backend::Sqlite, world(10, 84)).await;
    let run = |arguments: &[&str], keys: &str| {
        tokio::task::block_in_place(|| {
            site.command(arguments)
                .env("CLASSY_SYNC__VAULT__KEYS", keys)
                .output()
                .unwrap()
        })
    };
    let never = run(&["sync"], "");
    assert_eq!(never.status.code(), Some(78), "{}", says(&never));
    assert!(
        says(&never).contains("there is no vault key")
            && says(&never).contains("keys generate --write"),
        "{}",
        says(&never)
    );
    site.sync();
    forget_the_file_s_secret(&site);
    let other = "other:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let false_one = "test:ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (keys, parts) in [
        (
            "",
            [
                "key is lost",
                "vault.key is not there",
                "'test' (organization 10001)",
                "from its copy",
            ],
        ),
        (
            other,
            [
                "lacks keys",
                "'test' (organization 10001)",
                "only 'other'",
                "back into the key file",
            ],
        ),
        (
            false_one,
            [
                "another than the one that sealed",
                "'test' (organization 10001)",
                "same name",
                "set-credentials",
            ],
        ),
    ] {
        for arguments in [
            &["sync"][..],
            &["keys", "rotate"],
            &["plugin", "run"],
            &["org", "test"],
            &["sync", "--dry-run"],
        ] {
            let output = run(arguments, keys);
            if arguments == ["plugin", "run"] || (arguments[0] != "keys" && !keys.is_empty()) {
                assert_ne!(
                    output.status.code(),
                    Some(0),
                    "{arguments:?}: {}",
                    says(&output)
                );
                continue;
            }
            assert_eq!(
                output.status.code(),
                Some(78),
                "{arguments:?}: {}",
                says(&output)
            );
            for part in parts {
                assert!(
                    says(&output).contains(part),
                    "{arguments:?}: '{part}' is not in {}",
                    says(&output)
                );
            }
        }
        let health = run(&["health"], keys);
        for part in &parts[..3] {
            assert!(
                String::from_utf8_lossy(&health.stdout).contains(part),
                "{part}: {}",
                String::from_utf8_lossy(&health.stdout)
            );
        }
    }
    let listed = run(&["--output", "json", "keys", "list"], "");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        (&listed[0]["key"], &listed[0]["present"]),
        (&"test".into(), &false.into()),
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_without_a_key_is_told_apart_from_none() {
    let site = Site::new(Backend::Sqlite, world(10, 85)).await;
    let file = site.path().join("vault.key");
    for content in ["", "\n", "# the key was here\n"] {
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        for arguments in [&["config", "check"][..], &["sync"]] {
            let output = tokio::task::block_in_place(|| {
                site.command(arguments)
                    .env("CLASSY_SYNC__VAULT__KEYS", "")
                    .output()
                    .unwrap()
            });
            let said = format!(
                "{}{}",
                says(&output),
                String::from_utf8_lossy(&output.stdout)
            );
            assert_eq!(output.status.code(), Some(78), "{said}");
            assert!(
                said.contains("no key is in it") && said.contains("from its copy"),
                "{arguments:?} {content:?}: {said}"
            );
        }
    }
}
