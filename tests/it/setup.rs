//! `init` in one go: by flags, and as a person answers at a terminal, wrong answers first.

use crate::site::{Running, says, world};
use classy_sync::simulator::{Options, Simulator};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ID: i64 = 10001;

async fn simulator(seed: u64) -> Simulator {
    Simulator::start(Options {
        organizations: vec![ID],
        ..world(40, seed)
    })
    .await
    .unwrap()
}

/// What a person knows of the two services.
struct Known {
    base_url: String,
    token_url: String,
    mailchimp_url: String,
    mailchimp_key: String,
    audience: String,
}

fn known(simulator: &Simulator) -> Known {
    let world = simulator.world();
    let one = &world.organizations[&ID];
    Known {
        base_url: simulator.base_url(),
        token_url: simulator.token_url(),
        mailchimp_url: simulator.mailchimp_url(),
        mailchimp_key: one.mailchimp_key.clone(),
        audience: one.mailchimp_audience.clone(),
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classy-sync"));
    command
        .current_dir(folder)
        .env_clear()
        .env("SECRET", "secret-of-10001")
        .stdin(Stdio::null());
    command
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let mut command = program(folder);
    command.args(["--output", "json"]).args(arguments);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", says(&output)))
}

/// Everything was read, nothing was pushed, and no secret lies in a file.
fn assert_set_up(folder: &Path, simulator: &Simulator, known: &Known) {
    let organizations = json(folder, &["org", "list"]);
    assert_eq!(organizations[0]["id"], ID, "{organizations}");
    assert_eq!(organizations[0]["status"], "active", "{organizations}");
    let plugins = json(folder, &["plugin", "list"]);
    assert_eq!(plugins[0]["plugin"], "mailchimp", "{plugins}");
    let held = json(folder, &["plugin", "preview"]);
    assert!(held.to_string().contains("\"add\""), "{held}");
    let pushed = simulator.mailchimp().ledger.requests.len();
    assert!(pushed > 0, "the audience was looked at");
    assert!(
        !format!("{:?}", simulator.mailchimp().ledger.requests).contains("Post"),
        "nothing is sent before a person approved it"
    );
    let file = std::fs::read_to_string(folder.join("organizations/10001.toml")).unwrap();
    assert!(file.contains(&known.audience), "{file}");
    assert!(
        !file.contains(&known.mailchimp_key) && !file.contains("secret-of-10001"),
        "{file}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn by_flags_an_organization_is_set_up_and_synced_in_one_go() {
    let simulator = simulator(2_200).await;
    let known = known(&simulator);
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.env("KEY", &known.mailchimp_key).args([
        "init",
        "--id",
        "10001",
        "--name",
        "Food Bank",
        "--client-id",
        "client-10001",
        "--secret-env",
        "SECRET",
        "--base-url",
        &known.base_url,
        "--token-url",
        &known.token_url,
        "--audience-id",
        &known.audience,
        "--mailchimp-key-env",
        "KEY",
        "--mailchimp-url",
        &known.mailchimp_url,
    ]);
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    assert!(output.status.success(), "{}", says(&output));
    assert!(
        says(&output).contains("the first push waits"),
        "{}",
        says(&output)
    );
    assert_set_up(folder.path(), &simulator, &known);
    // Over what is there nothing is written.
    let again =
        tokio::task::block_in_place(|| program(folder.path()).arg("init").output().unwrap());
    assert_eq!(again.status.code(), Some(78), "{}", says(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_flags_and_without_a_person_only_files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path()).arg("init").output().unwrap();
    assert!(output.status.success(), "{}", says(&output));
    assert!(folder.path().join("vault.key").exists());
    assert!(!folder.path().join("classy-sync.db").exists());
}

/// A person at a terminal.
struct Person {
    child: Running,
    answers: std::process::ChildStdin,
    seen: Arc<Mutex<String>>,
}

impl Person {
    fn at(folder: &Path, words: &str) -> Person {
        let line = format!("exec {} {words}", env!("CARGO_BIN_EXE_classy-sync"));
        let mut child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (answers, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                shown
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Person {
            child: Running(child),
            answers,
            seen,
        }
    }

    /// Waits for a question and answers it; what was shown before is forgotten.
    fn answers(&mut self, question: &str, answer: &str) {
        self.sees(question);
        self.seen.lock().unwrap().clear();
        // Whoever asks without an echo turns it off first.
        std::thread::sleep(Duration::from_millis(200));
        writeln!(self.answers, "{answer}").unwrap();
    }

    fn sees(&self, text: &str) {
        let begin = Instant::now();
        while !self.seen.lock().unwrap().contains(text) {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{text}: {}",
                self.seen.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_asked_again_after_a_wrong_answer() {
    let simulator = simulator(2_201).await;
    let known = known(&simulator);
    let folder = tempfile::tempdir().unwrap();
    let words = format!(
        "init --base-url {} --token-url {} --mailchimp-url {}",
        known.base_url, known.token_url, known.mailchimp_url
    );
    let mut person = Person::at(folder.path(), &words);
    tokio::task::block_in_place(|| {
        person.answers("Add an organization now? [y/n]", "perhaps");
        person.answers("Add an organization now? [y/n]", "y");
        person.answers("Classy's id", "ten thousand");
        person.answers("Classy's id", "10001");
        person.answers("Name", "");
        person.answers("Name", "Food Bank");
        person.answers("Client id", "client-10001");
        person.answers("Client secret", "");
        person.answers("Client secret", "of-no-use");
        // They are tried at once.
        person.answers("Client id", "client-10001");
        person.answers("Client secret", "secret-of-10001");
        person.answers("Mailchimp audience in step", "yes");
        person.answers("Audience id", &known.audience);
        person.answers("API key", &known.mailchimp_key);
        person.sees("the first push waits");
        let seen = person.seen.lock().unwrap().clone();
        assert!(!seen.contains(&known.mailchimp_key), "{seen}");
        assert!(person.child.wait().unwrap().success());
    });
    assert_set_up(folder.path(), &simulator, &known);
}
