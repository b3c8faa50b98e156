//! An account that takes nobody more, or nothing at all, for a while: people wait, it is told in
//! Mailchimp's words, and it goes on by itself.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use crate::web::{Daemon, TOKEN, until};
use classy_sync::plugin::{GuardSettings, PluginError};
use classy_sync::simulator::{Full, Options, Switches};
use std::collections::BTreeSet;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// What the double says of a plan without room.
const DETAIL: &str = "contact limit of its plan";

impl Charity {
    /// Makes room for so many billed contacts; 0 for any number.
    fn plan(&self, contacts: usize, full: Full) {
        let mut mailchimp = self.site.simulator.mailchimp();
        (mailchimp.switches.contacts, mailchimp.switches.full) = (contacts, full);
    }

    fn billed(&self) -> usize {
        self.site.simulator.mailchimp().audiences[&self.audience].billed()
    }

    pub(super) fn subscribed(&self) -> BTreeSet<String> {
        self.consented()
            .into_keys()
            .filter(|email| self.status(email) == "subscribed")
            .collect()
    }

    /// The account does nothing at the moment.
    fn suspend(&self, why: Option<(&str, &str)>) {
        let why = why.map(|(title, detail)| (title.to_owned(), detail.to_owned()));
        self.site.simulator.mailchimp().accounts[0].suspended = why;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_no_room_waits_and_comes_in_when_there_is_some() {
    for kind in kinds() {
        for full in [Full::Forbidden, Full::Invalid, Full::Members] {
            let mut charity = Charity::new(kind, world(60, 300)).await;
            // So few that what is only tried must not count as done.
            charity.guard = GuardSettings {
                additions_min: 70,
                ..charity.guard
            };
            let (before, all) = (charity.billed(), charity.consented().len());
            charity.plan(before + 10, full);
            let done = charity.sync().await;
            assert_eq!(
                (charity.subscribed().len(), done.rejected),
                (10, 0),
                "{full:?}: the room there is is used: {done:?}"
            );
            assert_eq!(done.deferred as usize, all - 10, "{full:?}: {done:?}");
            assert!(
                done.trouble
                    .as_ref()
                    .is_some_and(|told| told.contains(DETAIL)),
                "{full:?}: {:?}",
                done.trouble
            );
            // Health knows it without a daemon, too.
            let health = charity.site.json(&["health"], 0).to_string();
            assert!(
                health.contains(&format!("people who wait for room: {}", all - 10))
                    && health.contains(DETAIL),
                "{full:?}: {health}"
            );
            let waiting = *charity
                .consented()
                .iter()
                .find(|(email, _)| charity.status(email) == "nobody")
                .unwrap()
                .1;
            assert!(
                charity.fate(waiting).await.starts_with("deferred: ")
                    && charity.fate(waiting).await.contains(DETAIL),
                "{full:?}"
            );
            // Whoever is there is kept current meanwhile, and whoever refuses is taken off.
            let there: Vec<i64> = charity
                .consented()
                .into_iter()
                .filter(|(email, _)| charity.status(email) == "subscribed")
                .map(|(_, id)| id)
                .collect();
            charity.edit(there[0], "last_name", "\"Other\"");
            charity.opt(there[1], false);
            charity.sync().await;
            assert_eq!(
                charity.field(&charity.email(there[0]), "LNAME"),
                "Other",
                "{full:?}"
            );
            assert_eq!(
                charity.status(&charity.email(there[1])),
                "unsubscribed",
                "{full:?}"
            );
            // It is tried again and again, with few calls, and that is nobody's harm.
            charity.forget_calls();
            for _ in 0..6 {
                assert_eq!(charity.sync().await.held, 0, "{full:?}");
            }
            assert!(
                charity.harm().calls_of("POST /lists/{list_id}") <= 12,
                "{full:?}: {:?}",
                charity.harm().calls
            );
            charity.plan(0, full);
            let done = charity.sync().await;
            assert_eq!(
                (done.deferred, done.held, done.trouble.clone()),
                (0, 0, None),
                "{full:?}: {done:?}"
            );
            charity.assert_complete(&[]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_who_waits_for_room_and_goes_on_by_itself() {
    let charity = Charity::new(Kind::Sqlite, world(60, 301)).await;
    charity.configure();
    charity.plan(charity.billed() + 10, Full::Forbidden);
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    let health = async || daemon.get("/api/v1/health").await.body;
    until("some are in", LONG, async || {
        charity.subscribed().len() == 10
    })
    .await;
    until("health tells", LONG, async || {
        health().await.contains(DETAIL)
    })
    .await;
    let waiting = format!("{} people wait", charity.consented().len() - 10);
    until("health counts them", LONG, async || {
        health().await.contains(&waiting)
    })
    .await;
    // While they are tried again they are `sending`, and nothing keeps them waiting.
    until("the list tells", LONG, async || {
        let output = charity.site.run(&["plugin", "list"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        text.contains(DETAIL)
    })
    .await;
    until("a machine is told", LONG, async || {
        let list = charity.site.json(&["plugin", "list"], 0);
        list[0]["reasons"].to_string().contains(DETAIL)
    })
    .await;
    charity.plan(0, Full::Forbidden);
    charity.site.json(&["plugin", "run"], 0);
    assert_eq!(charity.subscribed().len(), charity.consented().len());
    until("health tells that it is over", LONG, async || {
        !health().await.contains(DETAIL)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_suspended_for_a_while_needs_no_new_key() {
    for (title, detail) in [
        ("User Disabled", "This account has been disabled."),
        ("Forbidden", "This account is under compliance review."),
        (
            "Forbidden",
            "Your account has exceeded its contact limit, so it was paused.",
        ),
        (
            "User action not permitted",
            "User does not have access to the requested operation",
        ),
    ] {
        let charity = Charity::new(Kind::Sqlite, world(20, 302)).await;
        charity.suspend(Some((title, detail)));
        let error = charity.deliver().await.unwrap_err();
        assert!(!matches!(error, PluginError::Refused(_)), "{error}");
        let fault = error.fault();
        assert!(fault.text.contains(detail), "{}", fault.text);
        let hint = fault.hint.unwrap();
        assert!(
            hint.contains("reload")
                && hint.contains("by itself")
                && !hint.starts_with("put a valid key"),
            "{hint}"
        );
        charity.suspend(None);
        charity.sync().await;
        charity.assert_complete(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_revives_what_a_suspended_account_had_stopped() {
    let charity = Charity::new(Kind::Sqlite, world(20, 303)).await;
    charity.configure();
    charity.suspend(Some(("User Disabled", "This account has been disabled.")));
    let daemon = Daemon::start(&charity.site, TOKEN).await;
    until("health tells", LONG, async || {
        daemon
            .get("/api/v1/health")
            .await
            .body
            .contains("has been disabled")
    })
    .await;
    // Long enough for its own next try to be far away.
    let calls = || charity.harm().total_calls();
    until("it was tried again", Duration::from_secs(150), async || {
        calls() >= 2
    })
    .await;
    charity.suspend(None);
    let output = charity.site.run(&["reload"]);
    assert!(output.status.success());
    until("it goes on", Duration::from_secs(60), async || {
        charity.subscribed().len() == charity.consented().len()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_reads_like_a_reason_is_none() {
    let switches = Switches {
        fake: vec!["compliance.account.suspended".to_owned()],
        ..Switches::default()
    };
    let charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(40, 304)
        },
    )
    .await;
    let person = charity.givers(1).await[0];
    charity.edit(
        person,
        "email_address",
        "\"compliance.account.suspended@contact-limit.org\"",
    );
    let done = charity.sync().await;
    assert_eq!((done.rejected, done.deferred), (1, 0), "{done:?}");
    assert!(
        charity
            .fate(person)
            .await
            .starts_with("rejected: Mailchimp takes this address for fake"),
        "{}",
        charity.fate(person).await
    );
}
