//! `simulate --write`: what it makes is what a user needs to begin.

use crate::site::{Running, says};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// A simulator that has begun to serve, with three organizations in `acme`.
fn simulator(folder: &Path) -> Running {
    let words = "simulate --listen 127.0.0.1:0 --supporters 40 --organizations 3 --write acme";
    let words: Vec<&str> = words.split(' ').collect();
    let child = command(folder, &words)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Running(child);
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.contains("/__sim/ledger")));
    child
}

#[test]
fn what_simulate_writes_is_synced_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let _simulator = simulator(folder.path());
    let acme = folder.path().join("acme");
    let mut files = vec!["classy-sync.toml".to_owned(), "vault.key".to_owned()];
    files.extend((10_001..10_004).map(|id| format!("organizations/{id}.toml")));
    for file in &files {
        let mode = std::fs::metadata(acme.join(file)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file}");
    }
    let synced = run(&acme, &["sync"]);
    assert_eq!(synced.status.code(), Some(0), "{}", says(&synced));
    let list = run(&acme, &["org", "list"]);
    let text = String::from_utf8_lossy(&list.stdout).into_owned();
    for name in [
        "Amberfield Relief Fund",
        "Tessaly Water Trust",
        "Juniper Hill Food Alliance",
    ] {
        assert!(text.contains(name), "{text}");
    }
    // Neither over all of it nor over a part.
    let before = std::fs::read(acme.join("organizations/10001.toml")).unwrap();
    std::fs::remove_file(acme.join("organizations/10002.toml")).unwrap();
    let again = run(
        folder.path(),
        &[
            "simulate",
            "--listen",
            "127.0.0.1:0",
            "--organizations",
            "2",
            "--write",
            "acme",
        ],
    );
    assert_eq!(again.status.code(), Some(78), "{}", says(&again));
    assert!(
        says(&again).contains("acme/organizations/10001.toml is there already")
            && says(&again).contains("hint: "),
        "{}",
        says(&again)
    );
    let file = |name: &str| acme.join("organizations").join(name);
    assert_eq!(std::fs::read(file("10001.toml")).unwrap(), before);
    assert!(!file("10002.toml").exists(), "nothing was written");
}

#[test]
fn a_configuration_that_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &["init", "acme"]).status.success());
    let acme = folder.path().join("acme");
    let read = |name: &str| std::fs::read(acme.join(name)).unwrap();
    let before = (read("classy-sync.toml"), read("vault.key"));
    let _simulator = simulator(folder.path());
    assert!(before == (read("classy-sync.toml"), read("vault.key")));
    let tested = run(&acme, &["org", "test"]);
    assert_eq!(tested.status.code(), Some(0), "{}", says(&tested));
}
