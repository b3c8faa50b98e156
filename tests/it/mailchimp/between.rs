//! Between the program and Mailchimp something happens: somebody whom Mailchimp cannot read, an
//! opt-out between two tries, a slow crowd.

use super::Charity;
use crate::backend::{Kind, kinds};
use crate::site::world;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use classy_sync::plugin::PluginError;
use classy_sync::simulator::{Act, Options, Switches};
use sea_orm::{ConnectionTrait, Database};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Answers a batch in Mailchimp's place with this status, or lets it through.
type Judge = Box<dyn Fn(&str) -> Option<u16> + Send + Sync>;

struct Between {
    /// Mailchimp itself, without the version.
    target: String,
    http: reqwest::Client,
    judge: Judge,
    /// Batches that were stopped.
    stopped: AtomicU64,
    /// Runs when the first batch is stopped.
    first: Mutex<Option<String>>,
    database: String,
}

/// Somebody between the two; answers with its address, for `base_url`.
async fn between(charity: &Charity, first: Option<String>, judge: Judge) -> (String, Arc<Between>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = charity
        .site
        .simulator
        .mailchimp_url()
        .trim_end_matches("/3.0")
        .to_owned();
    let database = charity.site.database.url.clone();
    let it = Arc::new(Between {
        target,
        http: reqwest::Client::new(),
        judge,
        stopped: AtomicU64::new(0),
        first: Mutex::new(first),
        database,
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/3.0", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass).with_state(Arc::clone(&it));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, it)
}

async fn pass(
    State(it): State<Arc<Between>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let text = String::from_utf8_lossy(&body).into_owned();
    let is_batch = method == Method::POST && uri.path().split('/').count() == 4;
    if let Some(status) = Some(&it.judge)
        .filter(|_| is_batch)
        .and_then(|judge| judge(&text))
    {
        it.stopped.fetch_add(1, Ordering::SeqCst);
        let first = it.first.lock().unwrap().take();
        if let Some(statement) = first {
            let connection = Database::connect(&it.database).await.unwrap();
            connection.execute_unprepared(&statement).await.unwrap();
            connection.close().await.unwrap();
        }
        let body = Body::from(
            "{\"title\":\"Invalid Resource\",\"detail\":\"The resource submitted could not be validated.\"}",
        );
        return Response::builder().status(status).body(body).unwrap();
    }
    let answer = it
        .http
        .request(method, format!("{}{uri}", it.target))
        .headers(headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let status = answer.status();
    Response::builder()
        .status(status)
        .body(Body::from(answer.bytes().await.unwrap()))
        .unwrap()
}

impl Charity {
    /// From now on Mailchimp answers a reading whose address holds this text with this body.
    pub(super) async fn answers_instead(&mut self, asks: &'static str, body: &'static str) {
        self.answers_some(move |uri| uri.contains(asks).then(|| body.to_owned()))
            .await;
    }

    /// From now on Mailchimp answers readings of these addresses with these bodies.
    pub(super) async fn answers_some(
        &mut self,
        instead: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
    ) {
        self.answers_some_as(move |uri| instead(uri).map(|body| (200, body)))
            .await;
    }

    /// The same with a status.
    pub(super) async fn answers_some_as(
        &mut self,
        instead: impl Fn(&str) -> Option<(u16, String)> + Clone + Send + Sync + 'static,
    ) {
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
        let router = Router::new().fallback(
            move |method: Method, uri: Uri, headers: HeaderMap, sent: Bytes| {
                let (http, target) = (http.clone(), target.clone());
                let answer = Some(uri.to_string())
                    .filter(|_| method == Method::GET)
                    .and_then(|uri| instead(&uri));
                async move {
                    if let Some((status, body)) = answer {
                        return Response::builder()
                            .status(status)
                            .body(Body::from(body))
                            .unwrap();
                    }
                    let answer = http
                        .request(method, format!("{target}{uri}"))
                        .headers(headers)
                        .body(sent)
                        .send()
                        .await
                        .unwrap();
                    let status = answer.status();
                    Response::builder()
                        .status(status)
                        .body(Body::from(answer.bytes().await.unwrap()))
                        .unwrap()
                }
            },
        );
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    }

    fn through(&mut self, url: &str) {
        self.via = Some(url.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whom_mailchimp_cannot_read_is_found_and_the_others_arrive() {
    let mut charity = Charity::new(Kind::Sqlite, world(150, 150)).await;
    let poison = charity.givers(30).await[20];
    let email = charity.email(poison);
    let needle = format!("\"{email}\"");
    let (url, it) = between(
        &charity,
        None,
        Box::new(move |body| body.contains(&needle).then_some(400)),
    )
    .await;
    charity.through(&url);
    let done = charity.sync().await;
    charity.assert_complete(&[poison]).await;
    assert_eq!(charity.status(&email), "nobody");
    assert_eq!(done.delivered as usize, charity.consented().len() - 1);
    let calls = it.stopped.load(Ordering::SeqCst);
    assert!(calls <= 9, "{calls} refused calls for one of about ninety");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_whom_mailchimp_fails_is_found_and_keeps_nobody_waiting() {
    let mut charity = Charity::new(Kind::Sqlite, world(150, 154)).await;
    let people = charity.givers(30).await;
    let (poison, other) = (people[20], people[3]);
    let needle = format!("\"{}\"", charity.email(poison));
    let judge = move |body: &str| body.contains(&needle).then_some(500);
    let (url, it) = between(&charity, None, Box::new(judge)).await;
    charity.through(&url);
    let done = charity.sync().await;
    assert_eq!(done.delivered as usize, charity.consented().len() - 1);
    assert!(it.stopped.load(Ordering::SeqCst) <= 30);
    let fate = charity.fate(poison).await;
    assert!(fate.contains("sent alone next"), "{fate}");
    // Nor the next time.
    charity.edit(other, "last_name", "\"Other\"");
    charity.sync().await;
    assert_eq!(charity.field(&charity.email(other), "LNAME"), "Other");
    charity.via = None;
    charity.sync().await;
    charity.assert_complete(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_taken_ends_the_delivery() {
    let mut charity = Charity::new(Kind::Sqlite, world(300, 151)).await;
    let (url, it) = between(&charity, None, Box::new(|_| Some(400))).await;
    charity.through(&url);
    let error = charity.deliver().await.unwrap_err();
    assert!(matches!(error, PluginError::Unexpected(_)), "{error}");
    assert!(it.stopped.load(Ordering::SeqCst) < 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_between_two_tries_is_obeyed() {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 152)).await;
        let person = charity.givers(1).await[0];
        let no = if kind == Kind::Postgres { "FALSE" } else { "0" };
        let opt_out = format!("UPDATE supporters SET email_opt_in = {no} WHERE id = {person}");
        let tries = AtomicU64::new(0);
        let once = move |_: &str| (tries.fetch_add(1, Ordering::SeqCst) == 0).then_some(500);
        let (url, _) = between(&charity, Some(opt_out), Box::new(once)).await;
        charity.through(&url);
        charity.deliver().await.unwrap();
        assert_eq!(charity.status(&charity.email(person)), "nobody");
        // What was not answered may still be carried out: until then it is not forgotten.
        let fate = charity.fate(person).await;
        assert!(fate.contains("may still be carried out"), "{fate}");
        charity.assert_complete(&[person]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_go_side_by_side_and_never_more_than_allowed() {
    let switches = Switches {
        latency_ms: 60,
        connections: 3,
        ..Switches::default()
    };
    let mut charity = Charity::new(
        Kind::Sqlite,
        Options {
            mailchimp: switches,
            ..world(1_900, 153)
        },
    )
    .await;
    charity.table = "connections = 3".to_owned();
    let done = charity.sync().await;
    assert_eq!((done.deferred, done.rejected), (0, 0));
    assert_eq!(
        charity.harm().writes.len(),
        charity.consented().len(),
        "everybody is sent once"
    );
    // Once more as if nothing had been sent: now that all tags are there, no chunk waits for
    // another.
    let connection = Database::connect(&charity.site.database.url).await.unwrap();
    for table in ["plugin_deliveries", "plugin_states"] {
        connection
            .execute_unprepared(&format!("DELETE FROM {table}"))
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    charity.sync().await;
    let harm = charity.harm();
    let most = harm.in_flight_max.values().copied().max().unwrap();
    assert!(
        (2..=3).contains(&most) && harm.refused_in_flight == 0,
        "{most} at once"
    );
    let segments = charity.site.simulator.mailchimp().audiences[&charity.audience]
        .segments
        .clone();
    let mut names: Vec<String> = segments
        .into_values()
        .map(|segment| segment.name.to_lowercase())
        .collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "no tag is made twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_an_address_that_left_is_put_there_under_no_other_one_though_the_delivery_was_cut_off()
 {
    for kind in kinds() {
        let mut charity = Charity::new(kind, world(60, 176)).await;
        let people = charity.givers(3).await;
        for id in &people[..2] {
            charity.edit(*id, "email_address", "\"home@example.org\"");
        }
        charity.sync().await;
        assert_eq!(charity.status("home@example.org"), "subscribed");
        // It leaves; the next delivery sees it, and fails at somebody else before it comes to these
        // two.
        charity.act(Act::Unsubscribe("home@example.org".to_owned()));
        charity.edit(people[2], "last_name", "\"Cut\"");
        charity.read();
        let (url, it) = between(&charity, None, Box::new(|_| Some(401))).await;
        charity.via = Some(url);
        assert!(charity.deliver().await.is_err());
        assert!(it.stopped.load(Ordering::SeqCst) > 0);
        charity.via = None;
        for (number, id) in people[..2].iter().enumerate() {
            charity.edit(
                *id,
                "email_address",
                &format!("\"moved{number}@example.org\""),
            );
        }
        charity.sync().await;
        for (number, id) in people[..2].iter().enumerate() {
            let status = charity.status(&format!("moved{number}@example.org"));
            assert_eq!(
                status,
                "nobody",
                "{kind:?} {number}: {}",
                charity.fate(*id).await
            );
        }
    }
}
