//! What an answer of Mailchimp shows counts, and not that it came: an opt-out or a move that was
//! not carried out is no success.

use super::{Charity, in_days};
use crate::backend::{Kind, kinds};
use crate::site::world;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use chrono::{TimeDelta, Utc};
use serde_json::Value;

/// How a change of a single member is answered in Mailchimp's place.
#[derive(Clone)]
pub(super) enum Instead {
    /// 200, with the member as it is: nothing is done.
    AsItIs,
    /// 400 with this detail.
    Refused(&'static str),
    /// 200, with the member as it would be: nothing is done.
    AsIfDone,
    /// 404.
    Missing,
    /// The change is made, and its answer is lost.
    Lost,
    /// An error of this status, about the account and not about the member.
    Fails(u16),
    /// Whatever is asked by this method with this text in its address is never answered; all else is.
    Hangs(Method, &'static str),
    /// Whatever is read with this text in its address is answered with this status; all else is as ever.
    ReadsFail(&'static str, u16),
    /// Lists of members come without a status of theirs; changes are made.
    NoStatus,
    /// Lists of members count one more than they show; changes are made.
    CountsOneMore,
    /// This is done by people (as `/__sim/mailchimp/people` takes it) right before a batch whose body
    /// holds the text is let through.
    Meanwhile(&'static str),
}

fn change_body(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Bytes {
    let mut body: Value = serde_json::from_slice(bytes).unwrap();
    change(&mut body);
    body.to_string().into()
}

impl Charity {
    /// From now on nothing comes of a change of a single member whose body holds this text.
    pub(super) async fn does_not_do(&mut self, text: &'static str, instead: Instead) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = self
            .site
            .simulator
            .mailchimp_url()
            .trim_end_matches("/3.0")
            .to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.via = Some(format!("http://{}/3.0", listener.local_addr().unwrap()));
        let http = reqwest::Client::new();
        let router = Router::new().fallback(move |method: Method, uri: Uri, mut headers: HeaderMap, sent: Bytes| {
            let (http, target, instead) = (http.clone(), target.clone(), instead.clone());
            async move {
                let mut request = http.request(method.clone(), format!("{target}{uri}"));
                let is_batch = method == Method::POST && String::from_utf8_lossy(&sent).contains(text);
                if let Instead::Meanwhile(acts) = instead && is_batch {
                    let people = http.post(format!("{target}/__sim/mailchimp/people")).header("content-type", "application/json");
                    assert!(people.body(acts).send().await.unwrap().status().is_success());
                }
                if let Instead::Hangs(what, text) = &instead && method == *what && uri.to_string().contains(text) {
                    std::future::pending::<()>().await;
                }
                if let Instead::ReadsFail(text, status) = instead && method == Method::GET && uri.to_string().contains(text) {
                    let body = serde_json::json!({ "status": status, "title": "Not now" }).to_string();
                    return Response::builder().status(status).body(Body::from(body)).unwrap();
                }
                let is_change = method == Method::PATCH && String::from_utf8_lossy(&sent).contains(text);
                if is_change && !matches!(instead, Instead::NoStatus | Instead::CountsOneMore | Instead::Meanwhile(_) | Instead::Lost | Instead::Hangs(..) | Instead::ReadsFail(..)) {
                    if let Instead::Missing = instead {
                        return Response::builder().status(404).body(Body::from("{\"status\":404,\"title\":\"Resource Not Found\"}")).unwrap();
                    }
                    if let Instead::Fails(status) = instead {
                        let body = serde_json::json!({ "status": status, "title": "Forbidden" }).to_string();
                        return Response::builder().status(status).body(Body::from(body)).unwrap();
                    }
                    if let Instead::Refused(detail) = instead {
                        let body = serde_json::json!({ "status": 400, "title": "Bad Request", "detail": detail }).to_string();
                        return Response::builder().status(400).body(Body::from(body)).unwrap();
                    }
                    headers.remove("content-length");
                    request = http.get(format!("{target}{}", uri.path())).headers(headers);
                } else {
                    request = request.headers(headers).body(sent);
                }
                let answer = request.send().await.unwrap();
                let status = answer.status();
                let mut bytes = answer.bytes().await.unwrap();
                if let Instead::Lost = instead && is_change {
                    return Response::builder().status(502).body(Body::empty()).unwrap();
                }
                if let Instead::AsIfDone = instead && is_change {
                    bytes = change_body(&bytes, |body| body["status"] = "unsubscribed".into());
                }
                if let Instead::NoStatus = instead && method == Method::GET && uri.path().ends_with("/members") {
                    bytes = change_body(&bytes, |body| {
                        for member in body["members"].as_array_mut().unwrap() {
                            member.as_object_mut().unwrap().remove("status");
                        }
                    });
                }
                if let Instead::CountsOneMore = instead && method == Method::GET && uri.path().ends_with("/members") {
                    bytes = change_body(&bytes, |body| body["total_items"] = (body["total_items"].as_u64().unwrap() + 1).into());
                }
                Response::builder().status(status).body(Body::from(bytes)).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    pub(super) fn audited(&self) -> Value {
        self.configure();
        self.site.json(&["plugin", "audit"], 0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_mailchimp_does_not_carry_out_is_tried_again_and_told_until_it_is() {
    for kind in kinds() {
        for (seed, instead) in [(420, Instead::AsItIs), (421, Instead::Refused("busy"))]
            .into_iter()
            .take(if kind == Kind::Sqlite { 2 } else { 1 })
        {
            let mut charity = Charity::new(kind, world(60, seed)).await;
            // The guard lets a few go each day: one person who is tried again and again is one.
            (charity.guard.small_share, charity.guard.small_min) = (0.1, 5);
            charity.sync().await;
            let person = charity.givers(1).await[0];
            let email = charity.email(person);
            charity.opt(person, false);
            charity.does_not_do("unsubscribed", instead).await;
            charity.read();
            for hours in 0..8 {
                let done = charity
                    .deliver_at(Utc::now() + TimeDelta::hours(2 * hours))
                    .await
                    .unwrap();
                assert_eq!(
                    (done.skipped, done.held, done.rejected),
                    (0, 0, 0),
                    "{}",
                    charity.fate(person).await
                );
            }
            assert_eq!(charity.status(&email), "subscribed");
            let fate = charity.fate(person).await;
            assert!(
                fate.starts_with("deferred: opted out: Mailchimp did not unsubscribe them"),
                "{fate}"
            );
            // It is told for the audience, and with the person.
            let notices = charity.listed()["notices"].to_string();
            assert!(
                notices.contains("did not unsubscribe them when it was asked to: 1"),
                "{notices}"
            );
            let audit = charity.audited();
            let theirs = audit
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["supporter_id"] == person || row["supporter"] == person);
            let theirs = theirs.unwrap_or_else(|| panic!("{audit}"));
            assert_eq!(theirs["finding"], "without_consent");
            assert!(
                theirs["detail"]
                    .to_string()
                    .contains("tried again by the next delivery"),
                "{theirs}"
            );
            // Mailchimp works again: the first delivery after that takes them off, though nobody
            // touched them.
            charity.via = None;
            charity.read();
            charity.deliver_at(in_days(1)).await.unwrap();
            charity.assert_harmless();
            assert_eq!(
                charity.status(&email),
                "unsubscribed",
                "{}",
                charity.fate(person).await
            );
            let notices = charity.listed()["notices"].to_string();
            assert!(!notices.contains("did not unsubscribe"), "{notices}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_that_was_refused_once_is_done_by_the_very_next_delivery() {
    for (seed, instead) in [(422, Instead::AsItIs), (423, Instead::Refused("busy"))] {
        let mut charity = Charity::new(Kind::Sqlite, world(60, seed)).await;
        charity.sync().await;
        let person = charity.givers(1).await[0];
        charity.opt(person, false);
        charity.does_not_do("unsubscribed", instead).await;
        charity.sync().await;
        charity.via = None;
        charity.deliver().await.unwrap();
        assert_eq!(
            charity.status(&charity.email(person)),
            "unsubscribed",
            "{}",
            charity.fate(person).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_answer_shows_the_old_address_is_none() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 424)).await;
        charity.sync().await;
        let people = charity.givers(3).await;
        let (mover, other, refuser) = (people[0], people[1], people[2]);
        let (old, others) = (charity.email(mover), charity.email(other));
        charity.edit(mover, "email_address", "\"new@example.org\"");
        charity.edit(other, "email_address", "\"other@example.org\"");
        charity.opt(refuser, false);
        charity.edit(refuser, "email_address", &format!("\"{old}\""));
        charity.does_not_do("email_address", Instead::AsItIs).await;
        charity.sync().await;
        // Whoever has the old address refuses: it was not given up, so it is taken off. Where
        // nobody refuses, it waits for its move.
        assert_eq!(
            (charity.status(&old), charity.status(&others)),
            ("unsubscribed", "subscribed")
        );
        assert_eq!(charity.status("other@example.org"), "nobody");
        assert!(
            charity.fate(other).await.contains("shows the old address"),
            "{}",
            charity.fate(other).await
        );
        charity.via = None;
        for days in 1..3 {
            charity.deliver_at(in_days(days)).await.unwrap();
            charity.assert_harmless();
        }
        assert_eq!(charity.status(&old), "unsubscribed");
        assert_eq!(
            (charity.status(&others), charity.status("other@example.org")),
            ("nobody", "subscribed")
        );
        assert_eq!(
            charity.status("new@example.org"),
            "subscribed",
            "{}",
            charity.fate(mover).await
        );
        let taken_off: Vec<String> = charity
            .harm()
            .unsubscriptions
            .into_iter()
            .map(|mark| mark.email)
            .collect();
        assert_eq!(taken_off.iter().filter(|email| **email == old).count(), 1);
        assert!(
            !taken_off.contains(&"new@example.org".to_owned()),
            "whoever moved refuses nothing"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_of_which_nobody_heard_is_no_word_of_the_person_when_the_address_is_mended() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 425)).await;
        charity.sync().await;
        let person = charity.alone().into_iter().next().unwrap();
        let (right, wrong) = (charity.email(person), "stranger@example.org");
        charity.edit(person, "email_address", &format!("\"{wrong}\""));
        charity.does_not_do("email_address", Instead::Lost).await;
        charity.read();
        let _ = charity.deliver().await;
        charity.via = None;
        assert_eq!(charity.status(wrong), "subscribed");
        charity.edit(person, "email_address", &format!("\"{right}\""));
        charity.read();
        for days in 1..3 {
            charity.deliver_at(in_days(days)).await.unwrap();
        }
        assert_eq!(
            (charity.status(&right), charity.status(wrong)),
            ("subscribed", "nobody"),
            "{kind:?}: {}",
            charity.fate(person).await
        );
        charity.assert_harmless();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_and_never_answered_counts_all_the_same() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 432)).await;
    charity.sync().await;
    let people = charity.givers(3).await;
    people.iter().for_each(|id| charity.opt(*id, false));
    charity.read();
    charity.does_not_do("unsubscribed", Instead::Lost).await;
    let _ = charity.deliver().await;
    for id in &people {
        assert_eq!(charity.status(&charity.email(*id)), "unsubscribed");
    }
    let counted = "SELECT SUM(count) AS n FROM plugin_harms WHERE kind = 'unsubscribe'";
    assert_eq!(charity.site.number(counted).await, 3);
    charity.via = None;
    charity.deliver().await.unwrap();
    assert_eq!(charity.site.number(counted).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_and_again_is_counted_once_when_it_is_done() {
    let mut charity = Charity::new(Kind::Sqlite, world(60, 431)).await;
    (charity.guard.small_share, charity.guard.small_min) = (0.1, 5);
    charity.sync().await;
    let people = charity.givers(4).await;
    let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
    people[..2].iter().for_each(|id| charity.opt(*id, false));
    charity.read();
    let at = |minutes: i64| Utc::now() + TimeDelta::minutes(minutes);
    charity
        .does_not_do("unsubscribed", Instead::Fails(403))
        .await;
    for minutes in 0..6 {
        charity.deliver_at(at(20 * minutes)).await.unwrap_err();
    }
    charity.via = None;
    let done = charity.deliver_at(at(200)).await.unwrap();
    assert_eq!(done.held, 0, "{done:?}");
    for email in &emails[..2] {
        assert_eq!(charity.status(email), "unsubscribed");
    }
    // The same of those who move.
    for (place, id) in people.iter().enumerate().skip(2) {
        let to = format!("\"elsewhere{place}@example.org\"");
        charity.edit(*id, "email_address", &to);
    }
    charity.read();
    let refusal = Instead::Refused("elsewhere is already a list member");
    charity.does_not_do("email_address", refusal).await;
    for hours in 0..6 {
        let done = charity.deliver_at(at(300 + 120 * hours)).await.unwrap();
        assert_eq!(done.held, 0, "{hours}: {done:?}");
    }
    charity.via = None;
    let done = charity.deliver_at(at(1_200)).await.unwrap();
    assert_eq!(done.held, 0, "{done:?}");
    for place in 2..4 {
        let to = format!("elsewhere{place}@example.org");
        assert_eq!(charity.status(&to), "subscribed");
    }
}
