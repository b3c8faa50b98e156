//! What is printed arrives, or the command says that it did not.

use crate::backend::Kind as Backend;
use crate::site::{Site, world};
use std::fs::OpenOptions;
use std::process::{Command, ExitStatus, Stdio};

/// Every command that prints a result and needs nobody to stop it.
const PRINTING: [&[&str]; 31] = [
    &["--help"],
    &["help"],
    &["help", "sync"],
    &["--version"],
    &["org", "--help"],
    &["completions", "bash"],
    &["completions", "zsh"],
    &["config", "show"],
    &["config", "check"],
    &["config", "reference"],
    &["--output", "json", "config", "show"],
    &["--output", "json", "config", "check"],
    &["status"],
    &["--output", "json", "status"],
    &["health"],
    &["report", "donors"],
    &["report", "supporters", "--format", "json"],
    &["report", "supporters", "--format", "csv"],
    &["history"],
    &["audit"],
    &["--output", "json", "rejects"],
    &["--output", "json", "alerts", "list"],
    &["org", "list"],
    &["org", "show", "10001"],
    &["org", "test"],
    &["db", "status"],
    &["db", "check"],
    &["keys", "list"],
    &["keys", "generate"],
    &["sync"],
    &["--output", "json", "sync", "--dry-run"],
];

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe whose reader went away.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

struct Ended {
    status: ExitStatus,
    said: String,
}

fn end(mut command: Command) -> Ended {
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    Ended {
        status: output.status,
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_a_reader_that_left_is_not() {
    let site = Site::new(Backend::Sqlite, world(40, 70)).await;
    site.sync();
    for arguments in PRINTING {
        let mut command = site.command(arguments);
        command.stdout(full());
        let ended = end(command);
        assert_eq!(
            ended.status.code(),
            Some(74),
            "{arguments:?} into a full disk: {}",
            ended.said
        );
        assert!(
            ended.said.contains("error: ")
                && ended.said.contains("No space left")
                && ended.said.contains("hint: "),
            "{}",
            ended.said
        );
        let mut command = site.command(arguments);
        command.stdout(broken());
        let ended = end(command);
        assert_eq!(
            ended.status.code(),
            Some(0),
            "{arguments:?} into a closed pipe: {}",
            ended.said
        );
        assert!(
            !ended.said.contains("error") && !ended.said.contains("panicked"),
            "{arguments:?}: {}",
            ended.said
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_error_that_takes_nothing_changes_no_code() {
    let site = Site::new(Backend::Sqlite, world(10, 71)).await;
    site.sync();
    let wrong = [
        (&["dance"][..], 2),
        (&["org", "show", "77"], 2),
        (&["sync", "--org", "77"], 2),
        (&["report", "donors", "--org", "77"], 2),
    ];
    for (arguments, code) in PRINTING
        .iter()
        .map(|arguments| (*arguments, 0))
        .chain(wrong)
    {
        for stderr in [full, broken] {
            let mut command = site.command(arguments);
            command.stdout(Stdio::null()).stderr(stderr());
            let status = tokio::task::block_in_place(|| command.status().unwrap());
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
    }
    // Nothing at all is open.
    for (arguments, code) in [
        ("org list", 0),
        ("report supporters --format csv", 0),
        ("org show 77", 2),
        ("sync", 0),
    ] {
        let mut shell = Command::new("sh");
        let words = format!(
            "exec {} {arguments} <&- >&- 2>&-",
            env!("CARGO_BIN_EXE_classy-sync")
        );
        shell
            .args(["-c", &words])
            .current_dir(site.path())
            .env_clear()
            .env("CLASSY_SYNC__VAULT__KEYS", crate::site::KEY);
        assert_eq!(end(shell).status.code(), Some(code), "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_that_cannot_print_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for (stdout, code) in [(full(), 74), (broken(), 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
        command
            .args(["demo", "--once", "--supporters", "20"])
            .current_dir(folder.path())
            .env_clear()
            .stdout(stdout);
        let ended = end(command);
        assert_eq!(ended.status.code(), Some(code), "{}", ended.said);
        assert!(!ended.said.contains("panicked"), "{}", ended.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_programs_every_command_prints_one_document_whatever_comes_of_it() {
    let site = Site::new(Backend::Sqlite, world(10, 72)).await;
    let document = |arguments: &[&str], code: i32| {
        let mut all = vec!["--output", "json"];
        all.extend_from_slice(arguments);
        let output = site.run(&all);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "{arguments:?}: {error}: {}",
                String::from_utf8_lossy(&output.stdout)
            )
        })
    };
    // Nothing is there yet.
    for arguments in [
        &["status"][..],
        &["report", "donors"],
        &["rejects"],
        &["history"],
    ] {
        document(arguments, site.run(arguments).status.code().unwrap());
    }
    site.sync();
    for arguments in PRINTING.iter().filter(|arguments| {
        !arguments
            .iter()
            .any(|word| word.contains("help") || *word == "--version")
    }) {
        let words: Vec<&str> = arguments
            .iter()
            .copied()
            .filter(|word| !["--output", "json", "--format", "csv"].contains(word))
            .collect();
        document(&words, 0);
    }
    for arguments in [
        &["org", "pause", "10001"][..],
        &["org", "resume", "10001"],
        &["stop"],
        &["db", "optimize"],
        &["db", "migrate"],
    ] {
        document(arguments, 0);
    }
    for arguments in [
        &["org", "show", "77"][..],
        &["dance"],
        &["alerts", "ack", "7"],
        &["sync", "--org", "77"],
        &["report", "nothing"],
    ] {
        let said = document(arguments, 2);
        assert!(
            said["error"].as_str().is_some_and(|text| !text.is_empty()) && said["exit_code"] == 2,
            "{arguments:?}: {said}"
        );
    }
    let shown = document(&["config", "show"], 0);
    assert_eq!(shown["database"]["max_connections"], 10);
    let checked = document(&["config", "check"], 0);
    assert_eq!(
        (&checked["fine"], &checked["organizations"][0]["classy_id"]),
        (&true.into(), &10001.into())
    );
    std::fs::write(
        site.path().join("organizations/wrong.toml"),
        "classy_id = 0\nname = \"W\"\n",
    )
    .unwrap();
    let checked = document(&["config", "check"], 78);
    assert!(
        checked["fine"] == false
            && checked["problems"][0]["error"]
                .as_str()
                .unwrap()
                .contains("wrong.toml"),
        "{checked}"
    );
}
