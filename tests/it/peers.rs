//! Those whom a daemon calls, and those who stand between it and them: a webhook that hears, a
//! wire that can be cut, a front that answers instead.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// Somebody who is called: keeps what was sent, and answers with a status that can be changed.
#[derive(Clone)]
pub struct Listener {
    pub url: String,
    heard: Arc<Mutex<Vec<String>>>,
    status: Arc<AtomicU16>,
}

impl Listener {
    pub async fn start() -> Listener {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/secret-path", tcp.local_addr().unwrap());
        let listener = Listener {
            url,
            heard: Arc::default(),
            status: Arc::new(AtomicU16::new(200)),
        };
        let hear = async |State(listener): State<Listener>, body: Bytes| {
            listener
                .heard
                .lock()
                .unwrap()
                .push(String::from_utf8(body.to_vec()).unwrap());
            StatusCode::from_u16(listener.status.load(Ordering::Relaxed)).unwrap()
        };
        let router = Router::new().fallback(hear).with_state(listener.clone());
        tokio::spawn(async move { axum::serve(tcp, router).await });
        listener
    }

    /// What was sent so far: the texts of notices.
    pub fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let text = |body: &String| {
            serde_json::from_str::<Value>(body)
                .ok()
                .and_then(|body| body["text"].as_str().map(str::to_owned))
        };
        heard
            .iter()
            .map(|body| text(body).unwrap_or_default())
            .collect()
    }

    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }
}

/// A way to a server that can be cut.
pub struct Wire {
    pub address: std::net::SocketAddr,
    cut: tokio::sync::watch::Sender<bool>,
}

impl Wire {
    /// To `host:port`.
    pub async fn to(server: String) -> Wire {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let (cut, is_cut) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (mut here, _) = tcp.accept().await.unwrap();
                let (server, mut is_cut) = (server.clone(), is_cut.clone());
                tokio::spawn(async move {
                    if *is_cut.borrow() {
                        return;
                    }
                    let Ok(mut there) = tokio::net::TcpStream::connect(&server).await else {
                        return;
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                        _ = is_cut.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Wire { address, cut }
    }

    pub fn cut(&self, is_cut: bool) {
        self.cut.send_replace(is_cut);
    }
}

/// Somebody in front of Classy: passes on what is asked, or answers otherwise for paths that hold a
/// word.
#[derive(Clone)]
pub struct Front {
    pub address: std::net::SocketAddr,
    server: String,
    instead: Arc<Mutex<BTreeMap<String, Instead>>>,
    asked: Arc<Mutex<Vec<String>>>,
    client: reqwest::Client,
}

/// What is answered instead.
#[derive(Clone)]
enum Instead {
    Status(u16),
    /// Asks to wait for so many seconds.
    Limited(u64),
    /// A web page that refuses.
    Blocked,
    /// A good answer with this body.
    Says(&'static str),
    /// Never anything.
    Nothing,
}

impl Front {
    /// In front of `http://host:port`, at an address or any.
    pub async fn at(address: &str, server: &str) -> Front {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tcp = tokio::net::TcpListener::bind(address).await.unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let (address, server) = (tcp.local_addr().unwrap(), server.to_owned());
        let front = Front {
            address,
            server,
            instead: Arc::default(),
            asked: Arc::default(),
            client,
        };
        let router = Router::new()
            .fallback(Front::pass)
            .with_state(front.clone());
        tokio::spawn(async move { axum::serve(tcp, router).await });
        front
    }

    /// What is asked with this word in its path is answered so; with 200 it is passed on again.
    pub fn answer(&self, word: &str, status: u16) {
        if status == 200 {
            self.instead.lock().unwrap().remove(word);
        } else {
            self.answer_instead(word, Instead::Status(status));
        }
    }

    /// Whoever asks for this is to wait for so many seconds.
    pub fn limit(&self, word: &str, seconds: u64) {
        self.answer_instead(word, Instead::Limited(seconds));
    }

    /// Whoever asks for this is told this.
    pub fn say(&self, word: &str, body: &'static str) {
        self.answer_instead(word, Instead::Says(body));
    }

    /// Whoever asks for this is turned away by what stands in front of the source.
    pub fn block(&self, word: &str) {
        self.answer_instead(word, Instead::Blocked);
    }

    /// Whoever asks for this never hears anything.
    pub fn hush(&self, word: &str) {
        self.answer_instead(word, Instead::Nothing);
    }

    fn answer_instead(&self, word: &str, instead: Instead) {
        self.instead
            .lock()
            .unwrap()
            .insert(word.to_owned(), instead);
    }

    /// How often something with this word in its path was asked for.
    pub fn asked(&self, word: &str) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|path| path.contains(word))
            .count()
    }

    /// One that would be somewhere else.
    pub fn moved(&self, address: std::net::SocketAddr) -> Front {
        Front {
            address,
            ..self.clone()
        }
    }

    /// The same address with the front's host.
    pub fn url(&self, url: &str) -> String {
        let mut url = url::Url::parse(url).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    async fn pass(
        State(front): State<Front>,
        request: axum::extract::Request,
    ) -> axum::response::Response {
        use axum::response::IntoResponse;
        let (parts, body) = request.into_parts();
        let path = parts
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default();
        front.asked.lock().unwrap().push(path.clone());
        let instead = front
            .instead
            .lock()
            .unwrap()
            .iter()
            .find(|(word, _)| path.contains(word.as_str()))
            .map(|(_, instead)| instead.clone());
        match instead {
            Some(Instead::Status(status)) => {
                return (StatusCode::from_u16(status).unwrap(), "{\"error\":\"no\"}")
                    .into_response();
            }
            Some(Instead::Limited(seconds)) => {
                let headers = [("retry-after", seconds.to_string())];
                return (
                    StatusCode::TOO_MANY_REQUESTS,
                    headers,
                    "{\"error\":\"wait\"}",
                )
                    .into_response();
            }
            Some(Instead::Blocked) => {
                return (
                    StatusCode::FORBIDDEN,
                    [("content-type", "text/html")],
                    "<html>no</html>",
                )
                    .into_response();
            }
            Some(Instead::Says(body)) => {
                return ([("content-type", "application/json")], body).into_response();
            }
            Some(Instead::Nothing) => std::future::pending().await,
            None => {}
        }
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let mut request = front
            .client
            .request(parts.method, format!("{}{path}", front.server))
            .body(body);
        for (name, value) in parts.headers.iter().filter(|(name, _)| {
            !["host", "accept-encoding", "content-length"].contains(&name.as_str())
        }) {
            request = request.header(name, value);
        }
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut passed = (status, answer.bytes().await.unwrap_or_default()).into_response();
        for (name, value) in headers.iter().filter(|(name, _)| {
            !["content-length", "transfer-encoding", "content-encoding"].contains(&name.as_str())
        }) {
            passed.headers_mut().insert(name, value.clone());
        }
        passed
    }
}
