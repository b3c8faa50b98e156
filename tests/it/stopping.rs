//! Signals, stops and reloads: heeded from the first moment and by whom they are meant for, and
//! whoever waits is told how far it was. What does not answer is in `unanswered`.

use crate::backend::Kind;
use crate::daemons::{SOON, end, signal, until};
use crate::site::{Running, Site, world};
use classy_sync::simulator::Options;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Whether a process holds TERM back or catches it.
fn heeds(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let masks = status.lines().filter_map(|line| {
        line.strip_prefix("SigBlk:")
            .or_else(|| line.strip_prefix("SigCgt:"))
    });
    masks
        .filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .any(|mask| mask & 1 << (15 - 1) != 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_first_moments_ends_in_order() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            latency: Duration::from_millis(5),
            ..world(100, 1_400)
        },
    )
    .await;
    for (arguments, name) in [
        (&["run"][..], "-TERM"),
        (&["run"], "-INT"),
        (&["sync"], "-INT"),
        (&["sync"], "-TERM"),
    ] {
        for milliseconds in [0, 1, 3, 8, 20, 35, 50, 90, 150] {
            let mut child = site.start(arguments);
            // From its first instruction on; before that the system is still reading the program.
            while !heeds(child.id()) {
                std::hint::spin_loop();
            }
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            signal(&child, name);
            let begin = Instant::now();
            let status = tokio::task::block_in_place(|| child.wait().unwrap());
            // A daemon that was told to stop did what it was told; a sync is not done.
            let code = if arguments == ["run"] { 0 } else { 3 };
            assert_eq!(
                status.code(),
                Some(code),
                "{arguments:?} {name} after {milliseconds} ms: {status}"
            );
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "{:?}",
                begin.elapsed()
            );
        }
    }
    site.sync();
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_and_reload_leave_somebodys_sync_alone() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            latency: Duration::from_millis(40),
            ..world(3_000, 1_401)
        },
    )
    .await;
    let mut child = site.start(&["sync"]);
    until("it is at work", SOON, async || {
        site.simulator.ledger().data_requests > 3
    })
    .await;
    let output = site.run(&["stop"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success()
            && said.contains("no daemon is running")
            && said.contains(&format!("{} (`sync`)", child.id())),
        "{said}"
    );
    assert_eq!(site.run(&["reload"]).status.code(), Some(2));
    let second = site.run(&["sync"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        second.status.code() == Some(75)
            && said.contains(&format!("process {} (`sync`)", child.id())),
        "{said}"
    );
    assert_eq!(
        tokio::task::block_in_place(|| child.wait().unwrap()).code(),
        Some(0)
    );
    site.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waiting_for_a_daemon_is_told_that_it_goes_on_and_saw_how_far_it_was() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            latency: Duration::from_millis(60),
            ..world(3_000, 1_402)
        },
    )
    .await;
    let daemon = site.start(&["run"]);
    until("the daemon answers", SOON, async || {
        site.path().join("classy-sync.sock").exists()
    })
    .await;
    // On a terminal, where bars are drawn.
    let program = format!("exec {} sync --full", env!("CARGO_BIN_EXE_classy-sync"));
    let mut terminal = std::process::Command::new("script");
    terminal
        .args(["-qefc", &program, "/dev/null"])
        .current_dir(site.path())
        .env_clear();
    terminal
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .env("CLASSY_SYNC__VAULT__KEYS", crate::site::KEY);
    let mut child = Running(
        terminal
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut output = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The foreground process of the terminal.
    let inside =
        std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let inside: i32 = inside
        .split_whitespace()
        .next()
        .expect("it still waits")
        .parse()
        .unwrap();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &inside.to_string()])
            .status()
            .unwrap()
            .success()
    );
    let code = tokio::task::block_in_place(|| child.wait().unwrap()).code();
    let said = reading.join().unwrap();
    assert!(said.contains("Test 10001 supporters"), "a bar: {said}");
    assert!(
        said.contains("the daemon goes on") && said.contains("org pause"),
        "{said}"
    );
    assert_eq!(code, Some(75), "{said}");
    let before = site.simulator.ledger().data_requests;
    until("it goes on", SOON, async || {
        site.simulator.ledger().data_requests > before
    })
    .await;
    assert_eq!(end(daemon), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_says_what_is_wrong_in_an_organizations_file_and_never_the_secret() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            organizations: vec![10001, 10002, 10003],
            ..world(20, 1_403)
        },
    )
    .await;
    let child = site.start(&["run"]);
    until("it is read", SOON, async || site.is_read(10003).await).await;
    let file = |id: i64| site.path().join(format!("organizations/{id}.toml"));
    let right = std::fs::read_to_string(file(10001)).unwrap();
    let wrongs = [
        "classy_id = 10001\nname = \"A\"\n[classy]\nclient_id = \"a\"\nclient_secret = \"canary-in-a-quote\n".to_owned(),
        right.replace("client_secret", "client_secert"),
        right.clone() + "[hooks]\nclassy = { file = \"/nowhere/canary\" }\n",
        "classy_id = 10002\nname = \"A\"\n".to_owned(),
    ];
    for wrong in wrongs {
        std::fs::write(file(10001), wrong).unwrap();
        let output = site.run(&["--output", "json", "reload"]);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout)
        );
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("10001.toml") && !said.contains("canary-in-a-quote"),
            "{said}"
        );
    }
    std::fs::write(file(10001), right).unwrap();
    assert_eq!(site.run(&["reload"]).status.code(), Some(0));
    // What only a start takes over is no success, however often it is read.
    site.configure("[log]\nkeep = 5\n");
    for _ in 0..2 {
        let output = site.run(&["reload"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("only after a restart: log"), "{said}");
    }
    assert_eq!(end(child), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_refused_in_words_as_the_main_file() {
    let site = Site::new(Kind::Sqlite, world(10, 1_404)).await;
    let pipe = site.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let program = env!("CARGO_BIN_EXE_classy-sync");
    let by_substitution = format!("exec {program} --config <(cat classy-sync.toml) config check");
    for arguments in [
        vec![program, "--config", "pipe", "config", "check"],
        vec!["bash", "-c", &by_substitution],
        vec![program, "--config", ".", "status"],
    ] {
        let mut command = std::process::Command::new(arguments[0]);
        command
            .args(&arguments[1..])
            .current_dir(site.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null());
        let begin = Instant::now();
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(78) && said.contains("not a file"),
            "{arguments:?}: {:?} {said}",
            output.status
        );
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_ended_says_by_its_code_that_it_was_not_done() {
    let site = Site::new(
        Kind::Sqlite,
        Options {
            latency: Duration::from_millis(40),
            ..world(2_000, 1_406)
        },
    )
    .await;
    let interrupt = async |arguments: &[&str], name: &str| {
        let before = site.simulator.ledger().data_requests;
        let child = site
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until("it is at work", SOON, async || {
            site.simulator.ledger().data_requests > before + 2
        })
        .await;
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(child.id() as i32),
            name.parse::<nix::sys::signal::Signal>().unwrap(),
        )
        .unwrap();
        let begin = Instant::now();
        let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(3),
            "{arguments:?} {name}: {said}"
        );
        assert!(said.contains("stopped"), "{arguments:?} {name}: {said}");
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            begin.elapsed()
        );
        output
    };
    // The first one, a later one, one of everything, one for programs.
    interrupt(&["sync"], "SIGINT").await;
    interrupt(&["sync"], "SIGTERM").await;
    let output = interrupt(&["--output", "json", "sync"], "SIGINT").await;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["organizations"][0]["feeds"][0]["outcome"], "stopped",
        "{report}"
    );
    site.sync();
    interrupt(&["sync", "--full"], "SIGINT").await;
    site.sync();
    site.assert_exact().await;
    // Beside a daemon that is stopped while it does it, too.
    let daemon = site.start(&["run"]);
    until("the daemon answers", SOON, async || {
        site.path().join("classy-sync.sock").exists()
    })
    .await;
    let before = site.simulator.ledger().data_requests;
    let mut child = site.start(&["sync", "--full"]);
    until("it is at work", SOON, async || {
        site.simulator.ledger().data_requests > before + 5
    })
    .await;
    assert_eq!(end(daemon), Some(0));
    let code = tokio::task::block_in_place(|| child.wait().unwrap()).code();
    assert!(matches!(code, Some(3 | 69 | 75)), "{code:?}");
}
