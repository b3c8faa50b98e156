//! Looking makes nothing: no file, no folder, no table, whatever is there, whoever may write, and
//! whoever is at work. A lost key is in `lost_key`.

use crate::backend::{Kind as Backend, kinds};
use crate::site::{KEY, Site, says, world};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

/// Commands that only look, and read the database.
const READING: [&[&str]; 17] = [
    &["status"],
    &["health"],
    &["report", "donors"],
    &["report", "engagement"],
    &["report", "campaigns"],
    &["report", "supporters", "--format", "csv"],
    &["rejects"],
    &["history"],
    &["audit"],
    &["alerts", "list"],
    &["db", "status"],
    &["db", "check"],
    &["org", "list"],
    &["org", "show", "10001"],
    &["keys", "list"],
    &["plugin", "list"],
    &["plugin", "preview"],
];

/// Those that look, and need no database.
const WITHOUT: [&[&str]; 6] = [
    &["config", "check"],
    &["config", "show"],
    &["sync", "--dry-run"],
    &["org", "test"],
    &["stop"],
    &["alerts", "test"],
];

/// Every file with its content, every folder.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                folders.push(path);
                all.insert(name, Vec::new());
            } else {
                all.insert(name, std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    all
}

fn names(folder: &Path) -> Vec<String> {
    snapshot(folder).into_keys().collect()
}

fn bare(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command.args(arguments).current_dir(folder).env_clear();
    tokio::task::block_in_place(|| command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_wrong_folder_every_command_says_so_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let acting: [&[&str]; 10] = [
        &["sync"],
        &["run"],
        &["reload"],
        &["org", "pause", "1"],
        &["org", "add", "--id", "5"],
        &["db", "migrate"],
        &["keys", "rotate"],
        &["keys", "generate", "--write"],
        &["plugin", "run"],
        &["alerts", "ack", "1"],
    ];
    for arguments in READING.iter().chain(&WITHOUT).chain(&acting) {
        let output = bare(folder.path(), arguments);
        assert_eq!(
            output.status.code(),
            Some(78),
            "{arguments:?}: {}",
            says(&output)
        );
        let said = says(&output);
        assert!(
            said.contains("there is no classy-sync.toml here") && said.contains("classy-sync init"),
            "{arguments:?}: {said}"
        );
        assert!(
            said.contains("--config") && output.stdout.is_empty(),
            "{arguments:?}: {said}"
        );
        assert_eq!(names(folder.path()), Vec::<String>::new(), "{arguments:?}");
    }
    assert_eq!(
        bare(folder.path(), &["--config", "nowhere.toml", "status"])
            .status
            .code(),
        Some(78)
    );
    // What needs no configuration works there.
    for arguments in [
        &["keys", "generate"][..],
        &["config", "reference"],
        &["completions", "bash"],
        &["--help"],
    ] {
        assert!(
            bare(folder.path(), arguments).status.success(),
            "{arguments:?}"
        );
    }
    assert_eq!(names(folder.path()), Vec::<String>::new());
    // Whoever configures by the environment alone names the database there.
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(["report", "donors"])
        .current_dir(folder.path())
        .env_clear()
        .env("CLASSY_SYNC__DATABASE__URL", "sqlite://here.db");
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    assert!(
        output.status.code() == Some(65) && says(&output).contains("nothing to read yet"),
        "{}",
        says(&output)
    );
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_sync_there_is_nothing_to_read_and_nothing_is_made() {
    for kind in kinds() {
        let site = Site::new(kind, world(10, 80)).await;
        site.configure("[log]\nfile = \"logs/classy-sync.log\"\n");
        let before = snapshot(site.path());
        for arguments in READING {
            let output = site.run(arguments);
            if arguments == ["db", "status"] && kind != Backend::Sqlite {
                assert!(
                    output.status.success()
                        && !String::from_utf8_lossy(&output.stdout).contains("yes"),
                    "{}",
                    says(&output)
                );
            } else {
                assert_eq!(
                    output.status.code(),
                    Some(65),
                    "{kind:?} {arguments:?}: {}",
                    says(&output)
                );
                let said = says(&output);
                assert!(
                    said.contains("nothing to read yet") && said.contains("classy-sync sync"),
                    "{kind:?} {arguments:?}: {said}"
                );
            }
            assert_eq!(snapshot(site.path()), before, "{kind:?} {arguments:?}");
        }
        for arguments in WITHOUT {
            let output = site.run(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", says(&output));
            assert_eq!(snapshot(site.path()), before, "{kind:?} {arguments:?}");
        }
        assert_eq!(
            site.count("seaql_migrations").await,
            None,
            "{kind:?}: no table either"
        );
        let planned = site.json(&["sync", "--dry-run"], 0);
        assert_eq!(
            (
                &planned["feeds"][0]["would_read"],
                &planned["feeds"][0]["stored"]
            ),
            (&10.into(), &0.into()),
            "{kind:?}"
        );
        site.sync();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_read_without_any_right_to_write() {
    let site = Site::new(Backend::Sqlite, world(30, 81)).await;
    site.configure("[log]\nfile = \"logs/classy-sync.log\"\n");
    site.sync();
    // Root may write anywhere: the program is run as somebody who owns the files and may not.
    let root = nix::unistd::geteuid().is_root();
    let lock = |path: &Path, mode: u32| {
        if root {
            nix::unistd::chown(path, Some(nix::unistd::Uid::from_raw(65_534)), None).unwrap();
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in names(site.path()) {
        let path = Path::new(&name);
        lock(path, if path.is_dir() { 0o500 } else { 0o400 });
    }
    lock(site.path(), 0o500);
    // The program itself must be within reach of that user.
    let program = std::env::temp_dir().join(format!("classy-sync-{}", std::process::id()));
    std::fs::copy(env!("CARGO_BIN_EXE_classy-sync"), &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = snapshot(site.path());
    let mut wrong = Vec::new();
    for arguments in READING.iter().chain(&WITHOUT) {
        let mut command = Command::new(&program);
        command
            .args(*arguments)
            .current_dir(site.path())
            .env_clear()
            .env("CLASSY_SYNC__VAULT__KEYS", KEY);
        if root {
            command.uid(65_534).gid(65_534);
        }
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let no_plugin = arguments == &["plugin", "preview"];
        if output.status.code() != Some(if no_plugin { 78 } else { 0 })
            || (!no_plugin && says(&output).contains("error"))
        {
            wrong.push(format!(
                "{arguments:?}: {:?} {}",
                output.status,
                says(&output)
            ));
        }
        if snapshot(site.path()) != before {
            wrong.push(format!("{arguments:?} changed something"));
        }
    }
    std::fs::remove_file(&program).unwrap();
    lock(site.path(), 0o700);
    for name in names(site.path()) {
        let path = Path::new(&name);
        lock(path, if path.is_dir() { 0o700 } else { 0o600 });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_changes_nothing_whoever_was_or_is_at_work() {
    let site = Site::new(Backend::Sqlite, world(30, 82)).await;
    site.sync();
    let looks = |when: &str| {
        let before = names(site.path());
        for arguments in READING.iter().filter(|arguments| arguments[0] != "plugin") {
            let output = site.run(arguments);
            assert!(
                output.status.success(),
                "{when}, {arguments:?}: {}",
                says(&output)
            );
            assert_eq!(names(site.path()), before, "{when}, {arguments:?}");
        }
        let donors = site.json(&["report", "donors"], 0);
        let people: i64 = donors
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["supporters"].as_i64().unwrap())
            .sum();
        assert_eq!(people, 30, "{when}");
    };
    let before = snapshot(site.path());
    looks("nobody is at work");
    assert_eq!(snapshot(site.path()), before);
    let mut daemon = site.start(&["run"]);
    crate::daemons::until(
        "the daemon",
        std::time::Duration::from_secs(20),
        async || site.json(&["status"], 0)["ready"] == true,
    )
    .await;
    looks("a daemon is at work");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    looks("a daemon was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_s_schema_is_told_in_words_and_left_as_it_is() {
    let site = Site::new(Backend::Sqlite, world(10, 83)).await;
    site.sync();
    let change = async |text: &str| {
        let connection = site.database.connect().await;
        sea_orm::ConnectionTrait::execute_unprepared(&connection, text)
            .await
            .unwrap();
        connection.close().await.unwrap();
    };
    let looks = |expected: &str, hint: &str| {
        let before = snapshot(site.path());
        for arguments in READING
            .iter()
            .filter(|arguments| arguments[0] != "plugin" && **arguments != ["db", "status"])
        {
            let output = site.run(arguments);
            assert_eq!(
                output.status.code(),
                Some(65),
                "{arguments:?}: {}",
                says(&output)
            );
            assert!(
                says(&output).contains(expected) && says(&output).contains(hint),
                "{arguments:?}: {}",
                says(&output)
            );
            assert_eq!(snapshot(site.path()), before, "{arguments:?}");
        }
    };
    change(
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99999999_000001_later', 0)",
    )
    .await;
    looks("does not know", "newer version");
    change("DELETE FROM seaql_migrations WHERE version = 'm99999999_000001_later'").await;
    change(
        "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)",
    )
    .await;
    if site
        .number("SELECT COUNT(*) AS n FROM seaql_migrations")
        .await
        > 0
    {
        looks("is behind", "db migrate");
        assert!(
            site.json(&["db", "status"], 0)
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["applied"] == false)
        );
    }
}
