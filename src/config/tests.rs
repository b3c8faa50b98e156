//! What the layers of the main configuration make of each other.

use super::{Config, ConfigError, Secret};
use secrecy::ExposeSecret;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("classy-sync.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(
        Some(&file),
        environment
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into())),
    )
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let text = "[database]\nmax_connections = 7\n[sync]\noverlap = \"3m\"\n[http]\ntoken = { file = \"token\" }\n[alerts]\n";
    let config = load(
        text,
        &[
            ("CLASSY_SYNC__SYNC__OVERLAP", " 4m\n"),
            ("CLASSY_SYNC__LOG__KEEP", "9"),
            ("OTHER", "x"),
        ],
    )
    .unwrap();
    assert_eq!(
        (
            config.database.max_connections,
            config.sync.overlap.as_secs(),
            config.log.keep
        ),
        (7, 240, 9)
    );
    assert!(
        matches!(config.http.token, Secret::File(_)),
        "the default's place is gone: {:?}",
        config.http.token
    );
    assert!(matches!(config.alerts.webhook, Secret::Env(_)));
}

#[test]
fn a_secret_of_digits_stays_as_it_is_written() {
    let environment = [
        ("CLASSY_SYNC__HTTP__TOKEN", "0012345678901234567890"),
        ("CLASSY_SYNC__VAULT__KEYS", "1e5"),
    ];
    let config = load("", &environment).unwrap();
    assert!(
        matches!(config.http.token, Secret::Plain(ref token) if token.expose_secret() == "0012345678901234567890")
    );
    assert_eq!(config.vault.keys.expose_secret(), "1e5");
}

#[test]
fn a_wrong_value_is_told_by_its_place_and_never_shown() {
    let from_file = load("[database]\nmax_connections = \"hush\"\n", &[])
        .unwrap_err()
        .to_string();
    assert!(
        from_file.contains("line 2") && from_file.contains("expected"),
        "{from_file}"
    );
    let variable = ("CLASSY_SYNC__HTTP__OPEN_ON_LOOPBACK", "hush");
    let from_environment = load("", &[variable]).unwrap_err().to_string();
    assert!(
        from_environment.contains(variable.0) && from_environment.contains("expected"),
        "{from_environment}"
    );
    assert!(
        !from_file.contains("hush") && !from_environment.contains("hush"),
        "{from_file} {from_environment}"
    );
}

#[test]
fn a_key_in_the_place_of_its_files_path_is_not_shown() {
    let whole = "A".repeat(43) + "=";
    let others = [
        "A".repeat(43),
        "A".repeat(46) + "=",
        "A/b".repeat(13) + "==",
        "A".repeat(42),
        "k1:HfbrN/q2Xb7Ykd93LmZp+0aWvT5eRsGcJ8uQoIxDnVE".to_owned(),
        "k1:HfbrN/q2Xb7Ykd93LmZp+0aWvT5eRsGcJ8uQoIxDn".to_owned(),
        "k1=HfbrNAq2Xb7Ykd93LmZpA0aWvT5eRsGcJ8uQoIxDnVE".to_owned(),
        "/fbrN/q2Xb7Ykd93LmZp+0aWvT5eRsGcJ8uQoIxDnVE".to_owned(),
        "k1: ".to_owned() + &"A".repeat(43),
    ];
    for key in ["k1:QZCANARYXQ//AAAA=", &format!("k1:{whole}"), &whole]
        .into_iter()
        .chain(others.iter().map(String::as_str))
    {
        let told = load(&format!("[vault]\nkey_file = \"{key}\"\n"), &[])
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("vault.key_file") && told.contains("vault.keys") && !told.contains(key),
            "{told}"
        );
    }
    for path in [
        "vault.key",
        "/etc/classy-sync/production/the-keys-of-the-vault",
        "keys:production_of_today",
        "a/b/c/d/e/f",
        "/Users/Ada/Documents/Projects2024/Classy Sync/vault.key",
        "/var/lib/kubelet/pods/3f2504e0-4f89-11d3-9a0c-0305e82c3301/volumes/keys",
        "/nix/store/0c5h3r9q1bk2m9c4v7q8x3z6w2y5d1f0-keys/vault.key",
    ] {
        load(&format!("[vault]\nkey_file = \"{path}\"\n"), &[]).unwrap();
    }
}

#[test]
fn never_is_no_duration() {
    let told = load("[sync]\nsupporters = \"99999999d\"\n", &[])
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("line 2") && told.contains("at most 3650d"),
        "{told}"
    );
    load("[sync]\nsupporters = \"3650d\"\n", &[]).unwrap();
}

#[test]
fn files_that_are_written_are_apart() {
    for (text, key) in [
        (
            "[daemon]\npid_file = \"classy-sync.db\"\n",
            "daemon.pid_file",
        ),
        (
            "[daemon]\npid_file = \"./classy-sync.toml\"\n",
            "daemon.pid_file",
        ),
        (
            "[daemon]\npid_file = \"vault.key\"\n[vault]\nkey_file = \"vault.key\"\n",
            "daemon.pid_file",
        ),
        ("[vault]\nkey_file = \"classy-sync.db\"\n", "vault.key_file"),
        (
            "[vault]\nkey_file = \"x.sock\"\n[daemon]\npid_file = \"x.pid\"\n",
            "daemon.pid_file",
        ),
    ] {
        let text = format!("[database]\nurl = \"sqlite://classy-sync.db\"\n{text}");
        let told = load(&text, &[]).unwrap_err().to_string();
        assert!(
            told.contains(key) && told.contains("a file of its own"),
            "{told}"
        );
    }
    load("[database]\nurl = \"sqlite://classy-sync.db\"\n", &[]).unwrap();
}
