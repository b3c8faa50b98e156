//! What was before a command does not come back: files of another machine that were written before
//! credentials were replaced or an organization was removed, and a pid file that somebody removed.

use crate::backend::Kind;
use crate::daemons::{EAGER, SOON, end, until};
use crate::site::{Running, Site, Twin, world};
use std::io::Read;
use std::process::{Output, Stdio};
use std::time::Duration;

/// On both of its ways out.
fn says(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", crate::site::says(output))
}

/// Begins a daemon in the other folder, which applies the files there, and ends it.
async fn apply_there(site: &Site, twin: &Twin) {
    let begun = "SELECT COUNT(*) AS n FROM organizations WHERE applied_from IS NOT NULL";
    assert!(site.number(begun).await > 0);
    let running = twin.start(&["run"]);
    until("it has applied its files", SOON, async || {
        twin.run(&["org", "list"]).status.success() && twin.path().join("classy-sync.sock").exists()
    })
    .await;
    assert_eq!(end(running), Some(0));
}

async fn sealed(site: &Site) -> String {
    site.values::<String>("SELECT COALESCE(credentials_encrypted, '') AS n FROM organizations")
        .await
        .concat()
}

fn set(site: &Site, secret: &str) {
    let mut command = site.command(&["org", "set-credentials", "10001", "--secret-env", "SECRET"]);
    let output = tokio::task::block_in_place(|| command.env("SECRET", secret).output().unwrap());
    assert!(output.status.success(), "{}", says(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_on_another_machine_does_not_bring_back_replaced_credentials() {
    let site = Site::new(Kind::Sqlite, world(30, 2_100)).await;
    site.sync();
    let twin = site.twin();
    set(&site, "of-no-use");
    let before = sealed(&site).await;
    apply_there(&site, &twin).await;
    assert_eq!(sealed(&site).await, before, "as the command said");
    let tested = twin.run(&["org", "test", "10001"]);
    assert!(!tested.status.success(), "{}", says(&tested));
    // What somebody writes into a file anew is a new word, and so is a command's.
    set(&site, "secret-of-10001");
    let before = sealed(&site).await;
    apply_there(&site, &twin).await;
    assert_eq!(sealed(&site).await, before, "it says the same");
    let file = twin.path().join("organizations/10001.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("secret-of-10001"), "{text}");
    std::fs::write(&file, text.replace("secret-of-10001", "a-newer-one")).unwrap();
    apply_there(&site, &twin).await;
    assert_ne!(sealed(&site).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_on_another_machine_does_not_bring_back_who_was_removed() {
    let site = Site::new(Kind::Sqlite, world(30, 2_101)).await;
    site.sync();
    let twin = site.twin();
    site.json(&["org", "remove", "10001"], 0);
    assert_eq!(sealed(&site).await, "");
    apply_there(&site, &twin).await;
    assert_eq!(sealed(&site).await, "", "its credentials are forgotten");
    let synced = twin.run(&["sync", "--org", "10001"]);
    assert_eq!(synced.status.code(), Some(3), "{}", says(&synced));
    // A person takes it back.
    let resumed = twin.run(&["org", "resume", "10001"]);
    assert!(resumed.status.success(), "{}", says(&resumed));
    let synced = twin.run(&["sync", "--org", "10001"]);
    assert!(synced.status.success(), "{}", says(&synced));
}

async fn served(site: &Site) -> Running {
    let running = site.start(&["run"]);
    until("it answers", SOON, async || {
        site.run(&["status"]).status.success() && site.is_read(10001).await
    })
    .await;
    running
}

/// What a second daemon says that ends at once; one that is not refused is ended here.
async fn refused(site: &Site) -> String {
    let mut second = site.command(&["run"]);
    second.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut second = Running(second.spawn().unwrap());
    until("the second one ends", SOON, async || {
        second.try_wait().unwrap().is_some()
    })
    .await;
    let mut said = String::new();
    let mut stderr = second.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(75), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_pid_file_was_removed_is_found_and_says_so() {
    let site = Site::new(Kind::Sqlite, world(30, 2_102)).await;
    site.configure(EAGER);
    for replaced in [false, true] {
        let daemon = served(&site).await;
        let file = site.path().join("classy-sync.pid");
        std::fs::remove_file(&file).unwrap();
        if replaced {
            std::fs::write(&file, "").unwrap();
        }
        let said = refused(&site).await;
        assert!(said.contains(&daemon.id().to_string()), "{said}");
        // A sync is handed over to it, as ever.
        let synced = site.run(&["sync"]);
        assert!(synced.status.success(), "{}", says(&synced));
        until("health says so", Duration::from_secs(30), async || {
            says(&site.run(&["health"])).contains("classy-sync.pid was removed")
        })
        .await;
        let stopped = site.run(&["stop"]);
        assert!(
            says(&stopped).contains(&format!("process {} has stopped", daemon.id())),
            "{}",
            says(&stopped)
        );
        assert_eq!(end(daemon), Some(0));
    }
    assert!(says(&site.run(&["stop"])).contains("no daemon is running"));
}
