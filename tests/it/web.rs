//! A running daemon as its visitors meet it: over HTTP and over its socket.

use crate::backend::Kind;
use crate::site::{ORGANIZATION, Running, Site, world};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The token of most tests.
pub const TOKEN: &str = "a-token-for-tests";

/// A daemon that serves.
pub struct Daemon {
    pub process: Running,
    pub base: String,
    client: reqwest::Client,
    socket: reqwest::Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks until the answer is yes.
pub async fn until(what: &str, within: Duration, mut yes: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !yes().await {
        assert!(begin.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Daemon {
    /// Starts one, with the token unless it is empty, and waits until it answers. Reading is open,
    /// so that a test can tell those who may order from those who may only read.
    pub async fn start(site: &Site, token: &str) -> Daemon {
        Daemon::start_with(
            site,
            token,
            &[("CLASSY_SYNC__HTTP__OPEN_ON_LOOPBACK", "true")],
        )
        .await
    }

    /// Starts one with the token, unless it is empty, and variables.
    pub async fn start_with(site: &Site, token: &str, variables: &[(&str, &str)]) -> Daemon {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = site.command(&["run"]);
        command.envs(variables.iter().copied());
        if !token.is_empty() {
            command.env("CLASSY_SYNC_HTTP_TOKEN", token);
        }
        let log = std::fs::File::create(site.path().join("log")).unwrap();
        let process = Running(
            command
                .stdout(log)
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap(),
        );
        let builder = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
        };
        let socket = builder()
            .unix_socket(site.path().join("classy-sync.sock"))
            .build()
            .unwrap();
        let mut base = String::new();
        until("the daemon answers", Duration::from_secs(60), async || {
            let Ok(answer) = socket.get("http://daemon/api/v1/status").send().await else {
                return false;
            };
            base = format!(
                "http://{}",
                read(answer).await.json()["http"]
                    .as_str()
                    .unwrap_or_default()
            );
            true
        })
        .await;
        Daemon {
            process,
            base,
            client: builder().build().unwrap(),
            socket,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(reqwest::Method::GET, path, &[], "").await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(reqwest::Method::POST, path, headers, "").await
    }

    pub async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send().await.unwrap()).await
    }

    /// The same by the control socket.
    pub async fn by_socket(&self, method: reqwest::Method, path: &str) -> Answer {
        read(
            self.socket
                .request(method, format!("http://daemon{path}"))
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Listens to its events until a text was heard; answers with all that was.
    pub async fn hear(&self, until: &str, within: Duration) -> String {
        let mut stream = self
            .client
            .get(format!("{}/api/v1/events", self.base))
            .send()
            .await
            .unwrap();
        let mut heard = String::new();
        let listen = async {
            while !heard.contains(until) {
                heard.push_str(&String::from_utf8_lossy(
                    &stream.chunk().await.unwrap().unwrap(),
                ));
            }
        };
        tokio::time::timeout(within, listen)
            .await
            .unwrap_or_else(|_| panic!("not heard: {until}"));
        heard
    }

    /// What it wrote to its log.
    pub fn log(site: &Site) -> String {
        std::fs::read_to_string(site.path().join("log")).unwrap()
    }
}

async fn read(answer: reqwest::Response) -> Answer {
    let status = answer.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    };
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    Answer {
        status,
        headers,
        body: answer.text().await.unwrap(),
    }
}

pub const LONG: Duration = Duration::from_secs(40);

pub async fn loaded(kind: Kind, seed: u64) -> (Site, Daemon) {
    let site = Site::new(kind, world(80, seed)).await;
    let daemon = Daemon::start(&site, TOKEN).await;
    until("it is loaded", LONG, async || {
        site.is_read(ORGANIZATION).await
    })
    .await;
    (site, daemon)
}
