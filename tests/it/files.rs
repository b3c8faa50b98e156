//! Files: private from the first moment, never through a link, never somebody else's, and no other
//! file removed as an old log.

use crate::backend::Kind;
use crate::daemons::end;
use crate::site::{Site, world};
use crate::web::{Daemon, until};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .mode()
        & 0o777
}

/// The program under an umask that hides nothing.
fn widely(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "umask 0; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_classy-sync"),
        ])
        .args(arguments);
    command
        .current_dir(site.path())
        .env_clear()
        .env("CLASSY_SYNC__VAULT__KEYS", crate::site::KEY)
        .stdin(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_umask_everything_that_is_made_is_for_its_owner_only() {
    let site = Site::new(Kind::Sqlite, world(40, 900)).await;
    site.configure(
        "[log]\nlevel = \"info\"\nfile = \"logs/sync.log\"\n[daemon]\npid_file = \"run/one.pid\"\n",
    );
    let run = crate::site::Running(
        widely(&site, &["run"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let at = |name: &str| site.path().join(name);
    until("it is loaded", SOON, async || {
        site.is_read(crate::site::ORGANIZATION).await
    })
    .await;
    let today = format!("logs/sync.log.{}", chrono::Utc::now().format("%Y-%m-%d"));
    for name in [
        "test.db",
        "test.db-wal",
        "test.db-shm",
        "test.db.migrating",
        "run/one.pid",
        "run/one.sock",
        &today,
    ] {
        assert_eq!(mode(&at(name)), 0o600, "{name}");
    }
    assert_eq!((mode(&at("logs")), mode(&at("run"))), (0o700, 0o700));
    assert!(
        std::fs::metadata(at(&today)).unwrap().len() > 0,
        "the log is written"
    );
    drop(run);
    let made = tokio::task::block_in_place(|| widely(&site, &["init", "fresh"]).output().unwrap());
    assert!(made.status.success());
    for name in [
        "fresh/classy-sync.toml",
        "fresh/vault.key",
        "fresh/organizations/example.toml.example",
    ] {
        assert_eq!(mode(&at(name)), 0o600, "{name}");
    }
    assert_eq!(
        (mode(&at("fresh")), mode(&at("fresh/organizations"))),
        (0o700, 0o700)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_names_files_that_others_may_open() {
    let site = Site::new(Kind::Sqlite, world(10, 901)).await;
    site.sync();
    let privacy = |health: &serde_json::Value| {
        health["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["check"] == "privacy")
            .cloned()
            .unwrap_or_default()
    };
    let main = site.path().join("classy-sync.toml");
    std::fs::set_permissions(&main, PermissionsExt::from_mode(0o644)).unwrap();
    let found = privacy(&site.json(&["health"], 0));
    assert!(
        found["reason"]
            .as_str()
            .unwrap()
            .contains("classy-sync.toml (mode 0644)"),
        "{found}"
    );
    let database = site.path().join("test.db");
    std::fs::set_permissions(&database, PermissionsExt::from_mode(0o640)).unwrap();
    let found = privacy(&site.json(&["health"], 0));
    let reason = found["reason"].as_str().unwrap();
    assert!(
        found["verdict"] == "degraded"
            && reason.contains("test.db (mode 0640)")
            && reason.contains("chmod 600"),
        "{found}"
    );
    // The same in the daemon, and it is over when it was mended.
    let daemon = Daemon::start(&site, "").await;
    let verdict = async || {
        privacy(&daemon.get("/api/v1/health").await.json())["verdict"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    until("the daemon says so", SOON, async || {
        verdict().await == "degraded"
    })
    .await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::set_permissions(
            site.path().join(format!("test.db{end}")),
            PermissionsExt::from_mode(0o600),
        );
    }
    until("it is mended", SOON, async || verdict().await == "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_logs_are_removed_by_the_daemon_and_nothing_else_ever() {
    let site = Site::new(Kind::Sqlite, world(10, 902)).await;
    site.configure("[log]\nfile = \"test\"\nkeep = 1\n");
    let at = |name: &str| site.path().join(name);
    let others = [
        "test",
        "test.toml",
        "test.key",
        "test.2020-01-01.bak",
        "test.log",
        "testing.2020-01-01",
    ];
    let days = ["test.2020-01-01", "test.2020-01-02"];
    for name in others.iter().chain(&days) {
        std::fs::write(at(name), name).unwrap();
    }
    site.sync();
    assert!(
        days.iter().all(|name| at(name).exists()),
        "a command does not touch the daemon's logs"
    );
    let daemon = Daemon::start(&site, "").await;
    assert!(!at(days[0]).exists() && at(days[1]).exists());
    for name in others {
        assert_eq!(std::fs::read_to_string(at(name)).unwrap(), name);
    }
    assert!(at("test.db").exists() && at("classy-sync.toml").exists());
    drop(daemon);
    let main = std::fs::read_to_string(at("classy-sync.toml")).unwrap();
    for (file, what) in [
        ("classy-sync.toml", "configuration"),
        ("./test.db", "database"),
        ("vault.key", "key_file"),
        ("classy-sync.pid", "pid_file"),
    ] {
        std::fs::write(
            at("classy-sync.toml"),
            main.replace("file = \"test\"", &format!("file = {file:?}")),
        )
        .unwrap();
        let output = site.run(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(78) && said.contains("log.file") && said.contains(what),
            "{file}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_or_a_stranger_in_the_place_of_a_file_is_refused_and_hurts_nobody() {
    let site = Site::new(Kind::Sqlite, world(10, 903)).await;
    let victim = site.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::fs::set_permissions(&victim, PermissionsExt::from_mode(0o644)).unwrap();
    let unhurt = |what: &str| {
        assert_eq!(
            (
                std::fs::read_to_string(&victim).unwrap().as_str(),
                mode(&victim)
            ),
            ("precious", 0o644),
            "{what}"
        );
    };
    for (place, code) in [("classy-sync.pid", 78), ("test.db.migrating", 65)] {
        let link = site.path().join(place);
        symlink(&victim, &link).unwrap();
        let output = site.run(&["sync"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(code) && said.contains("symbolic link"),
            "{place}: {said}"
        );
        unhurt(place);
        assert!(link.is_symlink(), "{place}");
        std::fs::remove_file(link).unwrap();
    }
    let key = site.path().join("vault.key");
    symlink(&victim, site.path().join("vault.key.new")).unwrap();
    assert!(
        site.run(&["keys", "generate", "--write"]).status.success(),
        "no name is used that others can know"
    );
    unhurt("vault.key.new");
    assert_eq!(mode(&key), 0o600);
    // In the place of the socket: the daemon serves without it, and leaves what is there alone, at
    // the end, too.
    let socket = site.path().join("classy-sync.sock");
    std::fs::copy(&victim, &socket).unwrap();
    let mut run = site.start(&["run"]);
    until("it is loaded", SOON, async || {
        site.is_read(crate::site::ORGANIZATION).await
    })
    .await;
    assert!(site.run(&["stop"]).status.success());
    run.wait().unwrap();
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_organizations_that_is_gone_is_an_error_and_nobody_is_let_go() {
    let site = Site::new(Kind::Sqlite, world(12, 1_601)).await;
    site.sync();
    let (there, away) = (
        site.path().join("organizations"),
        site.path().join("elsewhere"),
    );
    let runs = async || site.number("SELECT COUNT(*) AS n FROM sync_runs").await;
    let daemon = Daemon::start(&site, "").await;
    std::fs::rename(&there, &away).unwrap();
    let told = site.run(&["reload"]);
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.status.code() == Some(3) && words.contains("organizations' folder"),
        "{words}"
    );
    let status = site.json(&["status"], 0);
    assert_eq!(
        status["organizations"].as_array().unwrap().len(),
        1,
        "it is served on: {status}"
    );
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM organizations WHERE status = 'active'")
            .await,
        1
    );
    assert_eq!(end(daemon.process), Some(0));
    // From nothing it does not begin, and nothing is made of it.
    let before = runs().await;
    for command in [&["run"][..], &["sync"], &["config", "check"]] {
        let told = site.run(command);
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(
            told.status.code() == Some(78) && words.contains("organizations' folder"),
            "{command:?}: {words}"
        );
    }
    assert_eq!(runs().await, before);
    std::fs::rename(&away, &there).unwrap();
    site.sync();
    // A name that is nearly one of those that are read is no removal.
    std::fs::rename(there.join("10001.toml"), there.join("10001.TOML")).unwrap();
    let told = site.run(&["config", "check"]);
    assert!(
        told.status.code() == Some(78)
            && String::from_utf8_lossy(&told.stderr).contains("ends in .toml"),
        "{told:?}"
    );
    site.run(&["sync"]);
    assert_eq!(
        site.number("SELECT COUNT(*) AS n FROM organizations WHERE status = 'active'")
            .await,
        1
    );
}
