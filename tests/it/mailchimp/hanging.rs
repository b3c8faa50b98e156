//! A Mailchimp that does not answer, or refuses to be read, keeps nobody's opt-out away.

use super::Charity;
use super::answers::Instead;
use crate::backend::Kind;
use crate::site::world;
use axum::http::Method;
use chrono::Utc;
use std::time::Duration;

impl Charity {
    /// Whether somebody is unsubscribed in less time than one request may take.
    async fn is_off(&self, email: &str) -> bool {
        let off = async {
            while self.status(email) != "unsubscribed" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(40), off)
            .await
            .is_ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_goes_out_while_a_look_at_the_audience_hangs() {
    let one = async |text: &'static str| {
        let mut charity = Charity::new(Kind::Sqlite, world(60, 147)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        let email = charity.email(person);
        charity.opt(person, false);
        charity.read();
        charity
            .does_not_do("", Instead::Hangs(Method::GET, text))
            .await;
        let heard = charity.is_off(&email);
        tokio::select! {
            _ = charity.deliver() => panic!("{text}: it was answered"),
            heard = heard => assert!(heard, "{text}"),
        }
        charity.assert_harmless();
    };
    futures_util::future::join_all(["/members?", "?fields=id"].map(one)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_is_read_while_a_batch_hangs_goes_out_beside_it() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 149)).await;
    charity.sync().await;
    let people = charity.givers(3).await;
    let email = charity.email(people[0]);
    charity.edit(people[1], "first_name", "\"Renata\"");
    charity.read();
    charity
        .does_not_do("", Instead::Hangs(Method::POST, "/lists/"))
        .await;
    let read = async {
        // The batch is under way by then; what a daemon reads beside it is written here by hand.
        tokio::time::sleep(Duration::from_secs(2)).await;
        charity
            .site
            .execute("UPDATE organizations SET change_seq = change_seq + 1")
            .await;
        charity
            .site
            .execute(&format!(
                "UPDATE supporters SET email_opt_in = 0, change_seq = (SELECT MAX(change_seq) FROM organizations) WHERE id = {}",
                people[0]
            ))
            .await;
        charity.is_off(&email).await
    };
    tokio::select! {
        _ = charity.deliver() => panic!("it was answered"),
        heard = read => assert!(heard),
    }
    charity.assert_harmless();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_goes_out_though_the_audience_may_not_be_read() {
    let one = async |(seed, text, status, is_suspended): (u64, &'static str, u16, bool)| {
        let mut charity = Charity::new(Kind::Sqlite, world(60, seed)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        charity.opt(person, false);
        charity.read();
        if is_suspended {
            let (store, tenant) = charity.store().await;
            let key = charity.ledger_key();
            tenant
                .suspend_plugin(&key, "for a look", Utc::now())
                .await
                .unwrap();
            store.close().await.unwrap();
        }
        charity
            .does_not_do("", Instead::ReadsFail(text, status))
            .await;
        charity.deliver().await.unwrap_err();
        assert_eq!(
            charity.status(&charity.email(person)),
            "unsubscribed",
            "{text} {status} {is_suspended}"
        );
        charity.assert_harmless();
    };
    let cases = [
        (150, "/members?", 403, false),
        (151, "/members?", 404, false),
        (152, "status=archived", 403, false),
        (153, "?fields=id", 403, false),
        (154, "?fields=id", 404, false),
        (155, "?fields=id", 404, true),
        (156, "/members?", 404, true),
    ];
    futures_util::future::join_all(cases.map(one)).await;
}
