//! What a clock that was ahead wrote into the database keeps nobody waiting, wherever a moment of
//! the future is kept there; and who else is on the database with files of their own is left alone.

use crate::backend::{Kind as Backend, kinds};
use crate::daemons::{EAGER, end, until};
use crate::site::{Site, world};
use classy_sync::simulator::Options;
use classy_sync::store::{Retention, Settings, Store};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn far(kind: Backend) -> &'static str {
    if kind == Backend::MySql {
        "'2037-01-01 00:00:00'"
    } else {
        "'2037-01-01T00:00:00+00:00'"
    }
}

async fn nothing_waits(kind: Backend) {
    let site = Site::new(kind, world(30, 1_500)).await;
    crate::pair::add_mailchimp(&site, 10001);
    site.configure(EAGER);
    site.sync();
    let (far, late) = (
        far(kind),
        if kind == Backend::MySql {
            "'2030-01-01 00:00:00'"
        } else {
            "'2030-01-01T00:00:00+00:00'"
        },
    );
    let one =
        "supporter_id = (SELECT x.id FROM (SELECT MIN(supporter_id) AS id FROM plugin_deliveries";
    let of = |state: &str| format!("{one} WHERE state = '{state}') AS x)");
    let at = if kind == Backend::MySql { "`at`" } else { "at" };
    let count = if kind == Backend::MySql {
        "`count`"
    } else {
        "count"
    };
    for (what, change) in [
        (
            "put off",
            format!(
                "UPDATE plugin_deliveries SET state = 'deferred', next_attempt_at = {far} WHERE {}",
                of("delivered")
            ),
        ),
        (
            "held",
            format!(
                "UPDATE plugin_deliveries SET state = 'held', updated_at = {far} WHERE {}",
                of("delivered")
            ),
        ),
        (
            "to be looked at again",
            format!(
                "UPDATE plugin_deliveries SET review_at = {far} WHERE {}",
                of("delivered")
            ),
        ),
    ] {
        site.execute(&change).await;
        site.json(&["plugin", "run"], 0);
        let left = format!(
            "SELECT COUNT(*) AS n FROM plugin_deliveries WHERE state IN ('deferred', 'held') OR review_at > {late} OR next_attempt_at > {late}"
        );
        assert_eq!(site.number(&left).await, 0, "{kind:?}: {what}");
    }
    let harm = format!(
        "INSERT INTO plugin_harms (organization_id, plugin, destination, {at}, kind, entry, {count}) \
         SELECT organization_id, plugin, destination, {far}, 'unsubscribe', 'done', 5 FROM plugin_states"
    );
    site.execute(&harm).await;
    site.json(&["plugin", "run"], 0);
    assert_eq!(
        site.number(&format!(
            "SELECT COUNT(*) AS n FROM plugin_harms WHERE {at} > {late}"
        ))
        .await,
        0,
        "{kind:?}: harm counts from now on"
    );
    // What the daemon does now and then, and how fresh it calls a feed.
    site.execute("DELETE FROM chores").await;
    site.execute(&format!(
        "INSERT INTO chores (name, next_at) VALUES ('prune', {far})"
    ))
    .await;
    site.execute(&format!(
        "UPDATE checkpoints SET swept_at = {far}, window_at = {far}, reconciled_at = {far}"
    ))
    .await;
    let store = Store::connect(&Settings {
        url: site.database.url.clone().into(),
        max_connections: 2,
    })
    .await
    .unwrap();
    assert!(
        store
            .prune_if_due(&Retention::default())
            .await
            .unwrap()
            .is_some(),
        "{kind:?}: it is pruned"
    );
    assert!(
        store
            .prune_if_due(&Retention::default())
            .await
            .unwrap()
            .is_none(),
        "{kind:?}: and not again"
    );
    store.close().await.unwrap();
    let child = site.start(&["run"]);
    let swept = format!("SELECT COUNT(*) AS n FROM checkpoints WHERE swept_at > {late}");
    until("it reads", SOON, async || site.number(&swept).await == 0).await;
    assert_eq!(end(child), Some(0), "{kind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_moment_that_a_clock_which_was_ahead_wrote_keeps_anybody_waiting() {
    futures_util::future::join_all(kinds().into_iter().map(nothing_waits)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_folders_on_one_database_leave_each_others_organizations_alone() {
    let site = Site::new(
        Backend::Sqlite,
        Options {
            organizations: vec![10001, 10002],
            ..world(20, 1_501)
        },
    )
    .await;
    let twin = site.twin();
    std::fs::remove_file(site.path().join("organizations/10002.toml")).unwrap();
    std::fs::remove_file(twin.path().join("organizations/10001.toml")).unwrap();
    site.sync();
    assert!(twin.run(&["sync"]).status.success());
    let active = "SELECT COUNT(*) AS n FROM organizations WHERE status = 'active'";
    for _ in 0..2 {
        site.sync();
        assert!(twin.run(&["sync"]).status.success());
        assert_eq!(site.number(active).await, 2);
    }
    let listed = site.json(&["org", "list"], 0);
    let other = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == 10002)
        .unwrap();
    assert!(
        other["reason"]
            .as_str()
            .unwrap()
            .contains("its file is in another folder"),
        "{listed}"
    );
    let (first, second) = (site.start(&["run"]), twin.start(&["run"]));
    for id in [10001, 10002] {
        until("each is read", Duration::from_secs(60), async || {
            site.runs(id).await >= 12
        })
        .await;
    }
    assert!(site.run(&["reload"]).status.success());
    assert_eq!(site.number(active).await, 2);
    // Whoever had the file says when it is gone.
    std::fs::remove_file(twin.path().join("organizations/10002.toml")).unwrap();
    let said = twin.run(&["reload"]);
    assert!(said.status.success());
    let paused =
        "SELECT COUNT(*) AS n FROM organizations WHERE classy_id = 10002 AND status = 'paused'";
    assert_eq!(
        site.number(paused).await,
        1,
        "{said:?} {}",
        site.json(&["org", "list"], 0)
    );
    assert_eq!((end(first), end(second)), (Some(0), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_make_no_sense_are_told_so_and_make_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_classy-sync"));
        command
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("CLASSY_SYNC__VAULT__KEYS", crate::site::KEY);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        (
            output.status.code(),
            format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        )
    };
    let main = folder.path().join("classy-sync.toml");
    std::fs::write(&main, "[database]\nurl = \"sqlite://x.db\"\n").unwrap();
    for arguments in [
        &["sync"][..],
        &["sync", "--full"],
        &["sync", "--dry-run"],
        &["plugin", "run"],
    ] {
        let (code, said) = run(arguments);
        assert_eq!(code, Some(78), "{arguments:?}: {said}");
        assert!(
            !folder.path().join("x.db").exists(),
            "{arguments:?} made a database"
        );
    }
    for (since, why) in [
        ("9999-12-31", "future"),
        ("+12026-01-01", "0001 to 9999"),
        ("-0044-03-15", "0001 to 9999"),
        ("soon", "a day"),
    ] {
        let (code, said) = run(&["sync", &format!("--since={since}")]);
        assert!(code == Some(2) && said.contains(why), "{since}: {said}");
    }
    for url in [
        "sqlite://x.db?key=canary",
        "sqlite://x.db?mode=rwc&key=can/ary",
        "sqlite:x.sqlite3?cipher=canary",
    ] {
        std::fs::write(&main, format!("[database]\nurl = {url:?}\n")).unwrap();
        for arguments in [
            &["config", "show"][..],
            &["--output", "json", "config", "show"],
            &["config", "check"],
            &["sync"],
            &["status"],
            &["db", "migrate"],
        ] {
            let (_, said) = run(arguments);
            assert!(
                !said.contains("canary") && !said.contains("can/ary") && !said.contains("ary"),
                "{url} {arguments:?}: {said}"
            );
        }
        let (code, said) = run(&["db", "migrate"]);
        assert!(
            code != Some(0) && said.contains("only the parameters mode"),
            "{said}"
        );
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            names
                .iter()
                .all(|name| !name.to_string_lossy().contains('?')),
            "{names:?}"
        );
    }
}
