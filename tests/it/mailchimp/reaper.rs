//! Stands between the program and Mailchimp. In the middle of a call it ends the program as
//! `kill -9` does, cuts an answer in half, or lets a person do something at Mailchimp meanwhile.

use super::Charity;
use crate::site::Running;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What happens to a call.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    /// The program dies before anything is done.
    KillBefore,
    /// All is done, and the program dies before it hears of it.
    KillAfter,
    /// The program hears the answer, and dies so many milliseconds later.
    KillLater(u64),
    /// Half of the answer arrives, as if it were all.
    Half,
    /// Somebody leaves by the link in a mail just before.
    Leaves(String),
}

/// Which call it happens to.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// So many calls pass before.
    pub(super) after: usize,
    /// Only calls that change something count.
    pub(super) writes_only: bool,
    pub(super) turn: Turn,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Killed,
    Code(Option<i32>),
}

/// See the module.
pub(super) struct Reaper {
    /// For `base_url`.
    pub(super) url: String,
    inner: Arc<Inner>,
}

struct Inner {
    target: String,
    audience: String,
    http: reqwest::Client,
    state: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    plan: Option<Plan>,
    victim: Option<Running>,
    is_killed: bool,
    /// Somebody left meanwhile.
    left: Option<String>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap()
    }

    fn kill(&self) {
        let mut state = self.state();
        let Some(victim) = state.victim.as_mut() else {
            return;
        };
        if victim.try_wait().unwrap().is_none() {
            victim.kill().unwrap();
            state.is_killed = true;
        }
    }

    /// What is to happen to this call.
    fn turn(&self, is_write: bool) -> Option<Turn> {
        let mut state = self.state();
        let plan = state.plan.as_mut()?;
        if plan.writes_only && !is_write {
            return None;
        }
        if plan.after > 0 {
            plan.after -= 1;
            return None;
        }
        state.plan.take().map(|plan| plan.turn)
    }
}

impl Reaper {
    pub(super) async fn new(charity: &Charity) -> Reaper {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = charity
            .site
            .simulator
            .mailchimp_url()
            .trim_end_matches("/3.0")
            .to_owned();
        let (http, audience) = (reqwest::Client::new(), charity.audience.clone());
        let inner = Arc::new(Inner {
            target,
            audience,
            http,
            state: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/3.0", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Reaper { url, inner }
    }

    /// Watches a process to its end; answers with who left by a mail's link meanwhile, too.
    pub(super) async fn watch(
        &self,
        process: Running,
        plan: Option<Plan>,
    ) -> (Ending, Option<String>) {
        *self.inner.state() = Watched {
            plan,
            victim: Some(process),
            is_killed: false,
            left: None,
        };
        let begun = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let mut state = self.inner.state();
            if let Some(status) = state
                .victim
                .as_mut()
                .and_then(|process| process.try_wait().unwrap())
            {
                let ending = if state.is_killed {
                    Ending::Killed
                } else {
                    Ending::Code(status.code())
                };
                let left = state.left.take();
                *state = Watched::default();
                return (ending, left);
            }
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "it comes to no end"
            );
        }
    }
}

async fn pass(
    State(it): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let turn = it.turn(method != Method::GET);
    match &turn {
        Some(Turn::KillBefore) => {
            it.kill();
            return Response::builder().status(500).body(Body::empty()).unwrap();
        }
        Some(Turn::Leaves(email)) => {
            let order =
                serde_json::json!({ "audience": it.audience, "acts": [{ "unsubscribe": email }] })
                    .to_string();
            let said = it
                .http
                .post(format!("{}/__sim/mailchimp/people", it.target))
                .body(order)
                .send()
                .await
                .unwrap();
            if said.status().is_success() {
                it.state().left = Some(email.clone());
            }
        }
        _ => {}
    }
    // The double may end the connection in the middle, and so does this one.
    let broken = || Response::builder().status(502).body(Body::empty()).unwrap();
    let Ok(answer) = it
        .http
        .request(method, format!("{}{uri}", it.target))
        .headers(headers)
        .body(body)
        .send()
        .await
    else {
        return broken();
    };
    let status = answer.status();
    let Ok(bytes) = answer.bytes().await else {
        return broken();
    };
    let bytes = match turn {
        Some(Turn::KillAfter) => {
            it.kill();
            return Response::builder().status(500).body(Body::empty()).unwrap();
        }
        Some(Turn::KillLater(milliseconds)) => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                it.kill();
            });
            bytes
        }
        Some(Turn::Half) => bytes.slice(..bytes.len() / 2),
        _ => bytes,
    };
    Response::builder()
        .status(status)
        .body(Body::from(bytes))
        .unwrap()
}
