//! A delivery is killed after Mailchimp took its people and before it heard so: of whoever was put
//! there only the ledger knows, also when they leave or take another address before the next one,
//! or when there is another `audience_id` by then.

use super::Charity;
use super::moving::three;
use crate::backend::{Kind, kinds};
use crate::site::world;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use classy_sync::simulator::Act;
use std::sync::Arc;
use tokio::sync::Notify;

/// Delivers, and is killed when Mailchimp has done what the first batch says.
async fn deliver_and_die(charity: &mut Charity) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = charity
        .site
        .simulator
        .mailchimp_url()
        .trim_end_matches("/3.0")
        .to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    charity.via = Some(format!("http://{}/3.0", listener.local_addr().unwrap()));
    let (http, done) = (reqwest::Client::new(), Arc::new(Notify::new()));
    let is_done = Arc::clone(&done);
    let router = Router::new().fallback(
        move |method: Method, uri: Uri, headers: HeaderMap, sent: Bytes| {
            let (http, target, done) = (http.clone(), target.clone(), Arc::clone(&is_done));
            async move {
                let is_batch = method == Method::POST && uri.path().split('/').count() == 4;
                let answer = http
                    .request(method, format!("{target}{uri}"))
                    .headers(headers)
                    .body(sent)
                    .send()
                    .await
                    .unwrap();
                if is_batch {
                    done.notify_one();
                    std::future::pending::<()>().await;
                }
                let status = answer.status();
                Response::builder()
                    .status(status)
                    .body(Body::from(answer.bytes().await.unwrap()))
                    .unwrap()
            }
        },
    );
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    tokio::select! {
        () = done.notified() => {}
        end = charity.deliver() => panic!("{end:?}"),
    }
    charity.via = None;
    charity.end_lease().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_reaches_whoever_was_added_to_an_earlier_audience_without_an_answer() {
    for kind in kinds() {
        let (mut charity, audiences) = three(kind, 179).await;
        let people = charity.givers(4).await;
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.read();
        deliver_and_die(&mut charity).await;
        assert!(
            emails
                .iter()
                .all(|email| charity.status(email) == "subscribed"),
            "{kind:?}"
        );
        // One leaves before anybody looks; another one has another address at Classy by then.
        charity.act(Act::Unsubscribe(emails[1].clone()));
        charity.edit(people[2], "email_address", "\"moved.on@example.org\"");
        charity.audience.clone_from(&audiences[1]);
        charity.move_in().await;
        assert_eq!(charity.status(&emails[0]), "subscribed");
        assert_eq!(
            charity.status(&emails[1]),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
        charity.opt(people[0], false);
        charity.opt(people[2], false);
        charity.sync().await;
        let first = |email: &str| charity.status_in(&audiences[0], email);
        assert_eq!(
            first(&emails[0]),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            first(&emails[2]),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[2]).await
        );
        assert_eq!(
            (first(&emails[3]), charity.status(&emails[3])),
            ("subscribed", "subscribed")
        );
        charity.assert_complete(&[people[1]]).await;
        // Whoever comes by a form afterwards is there by their own doing.
        assert!(
            charity
                .site
                .simulator
                .mailchimp()
                .act(&audiences[0], &Act::SignUp(emails[0].clone()))
        );
        charity.touch(people[0]);
        charity.sync().await;
        assert_eq!(
            charity.status_in(&audiences[0], &emails[0]),
            "subscribed",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_or_takes_another_address_before_anybody_heard_of_them_is_known_by_the_others_of_the_call()
 {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 198)).await;
        let people = charity.givers(4).await;
        for (id, name) in people.iter().zip(["Anselm", "Berta", "Conrad", "Dora"]) {
            charity.edit(*id, "first_name", &format!("{name:?}"));
        }
        let emails: Vec<String> = people.iter().map(|id| charity.email(*id)).collect();
        charity.read();
        deliver_and_die(&mut charity).await;
        assert!(
            emails
                .iter()
                .all(|email| charity.status(email) == "subscribed"),
            "{kind:?}"
        );
        charity.act(Act::Erase(emails[0].clone()));
        charity.edit(people[0], "email_address", "\"another.one@example.org\"");
        charity.act(Act::Rename {
            email: emails[1].clone(),
            to: "berta.now@example.net".to_owned(),
        });
        charity.act(Act::Erase(emails[2].clone()));
        // This one only has another address at Classy.
        charity.edit(people[3], "email_address", "\"dora@example.org\"");
        charity.sync().await;
        assert_eq!(
            charity.status("another.one@example.org"),
            "nobody",
            "{kind:?}: {}",
            charity.fate(people[0]).await
        );
        assert_eq!(
            (
                charity.status(&emails[1]),
                charity.status("berta.now@example.net")
            ),
            ("nobody", "subscribed"),
            "{kind:?}"
        );
        assert_eq!(charity.status(&emails[2]), "nobody");
        assert_eq!(
            (
                charity.status(&emails[3]),
                charity.status("dora@example.org")
            ),
            ("nobody", "subscribed")
        );
        charity.assert_complete(&people[..3]).await;
        // The renamed contact is ours: it is kept in step, and an opt-out reaches it.
        charity.give(people[1], "20000");
        charity.sync().await;
        assert!(
            charity
                .tags("berta.now@example.net")
                .contains(&"Classy-Transformational".to_owned()),
            "{}",
            charity.fate(people[1]).await
        );
        charity.opt(people[1], false);
        charity.sync().await;
        assert_eq!(
            charity.status("berta.now@example.net"),
            "unsubscribed",
            "{kind:?}: {}",
            charity.fate(people[1]).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_is_not_taken_for_one_who_came_back_since_somebody_else_was_sent_to_their_new_address_without_an_answer()
 {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 199)).await;
        let people = charity.givers(3).await;
        let lives_at = |charity: &Charity, id: i64, email: &str| {
            charity.edit(id, "email_address", &format!("{email:?}"))
        };
        // Two at one address, which leaves; the one for whom the contact is, is not the one who
        // moves.
        people[..2]
            .iter()
            .for_each(|id| lives_at(&charity, *id, "home@example.org"));
        charity.give(people[1], "900");
        charity.opt(people[2], false);
        charity.sync().await;
        charity.act(Act::Unsubscribe("home@example.org".to_owned()));
        charity.sync().await;
        // Somebody else owns the address to which they move, and is sent there.
        lives_at(&charity, people[0], "flat@example.org");
        charity.sync().await;
        lives_at(&charity, people[2], "flat@example.org");
        charity.opt(people[2], true);
        charity.give(people[2], "900");
        charity.read();
        deliver_and_die(&mut charity).await;
        assert_eq!(charity.status("flat@example.org"), "subscribed", "{kind:?}");
        charity.sync().await;
        lives_at(&charity, people[0], "own@example.org");
        charity.sync().await;
        assert_eq!(
            (
                charity.status("flat@example.org"),
                charity.status("own@example.org")
            ),
            ("subscribed", "nobody"),
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_added_alone_without_an_answer_and_took_another_address_is_reached_by_a_no() {
    let mut charity = Charity::new(Kind::Sqlite, world(120, 608)).await;
    charity.sync().await;
    let somebody = charity.refuser();
    charity.opt(somebody, true);
    charity.edit(somebody, "first_name", "\"Zebulon\"");
    charity.read();
    deliver_and_die(&mut charity).await;
    let email = charity.email(somebody);
    assert_eq!(charity.status(&email), "subscribed");
    let to = "zebulon@example.org".to_owned();
    charity.act(Act::Rename {
        email: email.clone(),
        to: to.clone(),
    });
    charity.deliver().await.unwrap();
    assert_eq!(charity.status(&email), "nobody", "not put there once more");
    charity.opt(somebody, false);
    charity.read();
    charity.deliver().await.unwrap();
    assert_eq!(charity.status(&to), "unsubscribed");
}
