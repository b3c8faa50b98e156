//! What Mailchimp carries out after nobody waits for it any more, does and is silent about, or does
//! while it tells nothing of the audience: whoever says no meanwhile is reached all the same.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use classy_sync::plugin::{GuardSettings, PluginError};
use classy_sync::simulator::Act;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// How a batch that is held back looks to whoever sent it.
#[derive(Clone, Copy)]
enum Held {
    /// No answer: the process is killed as it waits.
    Silent,
    /// An error of the network in front.
    Answered(u16),
    /// It is carried out at once, and the answer says nothing of this address.
    LeavesOut(&'static str),
}

/// Batches that Mailchimp was given and has not carried out.
#[derive(Clone)]
struct Pending {
    http: reqwest::Client,
    target: String,
    calls: Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>,
    arrived: Arc<Notify>,
}

impl Pending {
    async fn forward(
        &self,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        sent: Bytes,
    ) -> (u16, Bytes) {
        let request = self.http.request(method, format!("{}{uri}", self.target));
        let answer = request.headers(headers).body(sent).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap())
    }

    async fn hold(
        &self,
        how: Held,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        sent: Bytes,
    ) -> (u16, Bytes) {
        let is_batch = method == Method::POST && uri.path().split('/').count() == 4;
        if !is_batch {
            return self.forward(method, &uri.to_string(), headers, sent).await;
        }
        if let Held::LeavesOut(email) = how {
            let (status, bytes) = self.forward(method, &uri.to_string(), headers, sent).await;
            let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
            for list in ["new_members", "updated_members"] {
                let named = answer[list].as_array_mut().unwrap();
                named.retain(|member| member["email_address"] != email);
            }
            return (status, answer.to_string().into());
        }
        self.calls
            .lock()
            .unwrap()
            .push((uri.to_string(), headers, sent));
        self.arrived.notify_one();
        match how {
            Held::Answered(status) => (status, Bytes::from_static(b"<html>Bad gateway</html>")),
            _ => std::future::pending().await,
        }
    }

    /// Mailchimp gets to the first of them.
    async fn carry_out(&self) {
        let (uri, headers, sent) = self.calls.lock().unwrap().remove(0);
        let (status, _) = self.forward(Method::POST, &uri, headers, sent).await;
        assert_eq!(status, 200);
    }
}

impl Charity {
    /// Delivers while batches are held back, and hears of none.
    async fn deliver_late(&mut self, how: Held) -> Pending {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = self.site.simulator.mailchimp_url();
        let pending = Pending {
            http: reqwest::Client::new(),
            target: target.trim_end_matches("/3.0").to_owned(),
            calls: Arc::default(),
            arrived: Arc::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.via = Some(format!("http://{}/3.0", listener.local_addr().unwrap()));
        let held = pending.clone();
        let router = Router::new().fallback(
            move |method: Method, uri: Uri, headers: HeaderMap, sent: Bytes| {
                let held = held.clone();
                async move {
                    let (status, body) = held.hold(how, method, uri, headers, sent).await;
                    Response::builder()
                        .status(status)
                        .body(Body::from(body))
                        .unwrap()
                }
            },
        );
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        if let Held::Silent = how {
            tokio::select! {
                () = pending.arrived.notified() => {}
                end = self.deliver() => panic!("{end:?}"),
            }
            self.end_lease().await;
        } else {
            let done = self.deliver().await;
            assert_eq!(done.is_ok(), matches!(how, Held::LeavesOut(_)), "{done:?}");
        }
        self.via = None;
        pending
    }
}

/// A charity that is in step, and somebody who has just said yes and was not sent yet.
async fn newcomer(kind: Kind, seed: u64) -> (Charity, i64, String) {
    let charity = Charity::new(kind, world(60, seed)).await;
    charity.sync().await;
    let somebody = charity.refuser();
    charity.opt(somebody, true);
    charity.read();
    let email = charity.email(somebody);
    (charity, somebody, email)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_reaches_whom_mailchimp_adds_after_nobody_waits_for_its_answer() {
    for kind in kinds() {
        for how in [Held::Silent, Held::Answered(502)] {
            let (mut charity, somebody, email) = newcomer(kind, 701).await;
            let pending = charity.deliver_late(how).await;
            assert_eq!(charity.status(&email), "nobody");
            charity.opt(somebody, false);
            charity.read();
            charity.deliver().await.unwrap();
            let fate = charity.fate(somebody).await;
            assert!(fate.contains("may still be carried out"), "{fate}");
            pending.carry_out().await;
            assert_eq!(charity.status(&email), "subscribed");
            charity.deliver().await.unwrap();
            assert_eq!(
                charity.status(&email),
                "unsubscribed",
                "{kind:?}: {}",
                charity.fate(somebody).await
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_mailchimp_adds_late_at_an_earlier_address_is_moved_and_not_there_twice() {
    let (mut charity, somebody, before) = newcomer(Kind::Sqlite, 702).await;
    let after = "moved.on@example.org";
    let pending = charity.deliver_late(Held::Silent).await;
    charity.edit(somebody, "email_address", &format!("{after:?}"));
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(
        charity.status(after),
        "nobody",
        "where the first one is, is not known yet"
    );
    pending.carry_out().await;
    charity.deliver().await.unwrap();
    charity.deliver().await.unwrap();
    assert_eq!(
        (charity.status(&before), charity.status(after)),
        ("nobody", "subscribed")
    );
    charity.opt(somebody, false);
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(charity.status(after), "unsubscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_was_not_carried_out_is_made_again_at_once() {
    let (mut charity, _, email) = newcomer(Kind::Sqlite, 703).await;
    charity.deliver_late(Held::Silent).await;
    charity.deliver().await.unwrap();
    assert_eq!(charity.status(&email), "subscribed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_reaches_whom_mailchimp_added_and_did_not_name_in_its_answer() {
    for kind in kinds() {
        let (mut charity, somebody, email) = newcomer(kind, 704).await;
        let other = charity.refuser();
        charity.opt(other, true);
        charity.read();
        let left_out = Box::leak(email.clone().into_boxed_str());
        charity.deliver_late(Held::LeavesOut(left_out)).await;
        assert_eq!(charity.status(&email), "subscribed");
        assert_eq!(charity.status(&charity.email(other)), "subscribed");
        charity.opt(somebody, false);
        charity.read();
        charity.deliver().await.unwrap();
        assert_eq!(
            charity.status(&email),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(somebody).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_goes_out_while_mailchimp_tells_nothing_of_the_audience() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 705)).await;
    charity.sync().await;
    // Few of all who are there, and many if nobody were there.
    charity.guard = GuardSettings {
        small_share: 0.5,
        small_min: 1,
        ..charity.guard
    };
    let people: Vec<i64> = charity.alone().into_iter().take(7).collect();
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    charity.edit(people[0], "first_name", "\"Renata\"");
    for id in &people[1..] {
        charity.opt(*id, false);
    }
    charity.read();
    let place = format!("/lists/{}", charity.audience);
    charity
        .answers_some(move |uri| {
            let path = uri.split('?').next().unwrap_or_default();
            path.ends_with(&place).then(|| "{}".to_owned())
        })
        .await;
    let refused = charity.deliver().await;
    assert!(
        matches!(refused, Err(PluginError::Unavailable(_))),
        "{refused:?}"
    );
    for email in &emails[1..] {
        assert_eq!(charity.status(email), "unsubscribed");
    }
    assert_ne!(charity.field(&emails[0], "FNAME"), "Renata");
    charity.via = None;
    charity.deliver().await.unwrap();
    assert_eq!(charity.field(&emails[0], "FNAME"), "Renata");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_contact_with_which_two_people_have_to_do_is_unsubscribed_once() {
    for kind in kinds() {
        let charity = Charity::new(kind, world(60, 706)).await;
        charity.sync().await;
        let people: Vec<i64> = charity.alone().into_iter().take(3).collect();
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.act(Act::Unsubscribe(emails[1].clone()));
        charity.sync().await;
        // They swap addresses, one of which left; who is at the other one now says no.
        charity.edit(people[0], "email_address", &format!("{:?}", emails[1]));
        charity.edit(people[1], "email_address", &format!("{:?}", emails[0]));
        charity.opt(people[1], false);
        charity.edit(people[2], "first_name", "\"Renata\"");
        charity.read();
        charity.deliver().await.unwrap();
        assert_eq!(charity.status(&emails[0]), "unsubscribed", "{kind:?}");
        assert_eq!(charity.field(&emails[2], "FNAME"), "Renata", "{kind:?}");
        let harms = "SELECT COUNT(*) AS n FROM plugin_harms WHERE kind = 'unsubscribe'";
        assert_eq!(charity.site.number(harms).await, 1, "{kind:?}");
    }
}
