//! Speaking to a running daemon, through the socket beside its pid file.

use super::exit::{Code, Failure};
use crate::daemon::{HeldBy, socket_of};
use crate::domain::{Fault, FaultKind, Task};
use crate::files::SocketPath;
use crate::status::{Order, OrganizationReport, PluginChoice};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// A body larger than this is no answer of ours.
const LARGEST: usize = 64 * 1024 * 1024;

/// So long one that lives may take to say so.
const ALIVE: Duration = Duration::from_secs(5);

/// So long one that is just starting may take until anything answers at its socket.
const STARTING: Duration = Duration::from_secs(2);

/// How often it is tried meanwhile.
const TRY: Duration = Duration::from_millis(100);

/// So long one that says that it is busy is asked again: with ten thousand organizations a start
/// takes some seconds.
const BUSY: Duration = Duration::from_secs(60);

/// A daemon that answers.
pub(super) struct Daemon {
    client: reqwest::Client,
    /// The way to its socket.
    _path: SocketPath,
}

/// What came of reading the configuration again.
pub(super) struct Reloaded {
    pub(super) organizations: u64,
    /// Organizations' files that are wrong; these stay as they were.
    pub(super) wrong: Vec<String>,
    /// Keys whose new values are in force only after a restart.
    pub(super) restart: Vec<String>,
}

/// Whether a daemon holds a pid file.
fn is_daemon(pid_file: &Path) -> bool {
    matches!(HeldBy::of(pid_file), Ok(Some(held)) if held.is_daemon())
}

/// What is wrong when a daemon holds the pid file and does not answer; `None` where there is none.
pub(super) fn silence(pid_file: &Path) -> Option<String> {
    match HeldBy::of(pid_file) {
        Ok(Some(held)) if held.is_daemon() => Some(format!(
            "{}: nothing is known to be synced. It may be stopped (`kill -CONT {pid}` lets it go on) or stuck (`kill -9 {pid}` ends it, \
             nothing is lost, and `classy-sync run` starts another)",
            absence(pid_file),
            pid = held.pid
        )),
        _ => None,
    }
}

/// Why no daemon answers: there is none, or somebody is at work who cannot be spoken to.
pub(super) fn absence(pid_file: &Path) -> String {
    match HeldBy::of(pid_file) {
        Ok(Some(held)) if held.is_daemon() => {
            format!(
                "{held} is at work, and nobody answers at {}",
                socket_of(pid_file).display()
            )
        }
        Ok(Some(held)) => format!("no daemon is running; {held} is at work"),
        _ => "no daemon is running".to_owned(),
    }
}

impl Daemon {
    /// The daemon of a pid file, if one answers at the socket beside it. Whoever holds the lock as a
    /// daemon may be just starting and is waited for; one that is stopped (SIGSTOP) accepts
    /// connections, too, and says nothing.
    pub(super) async fn of(pid_file: &Path) -> Option<Daemon> {
        let daemon = Daemon::behind(&socket_of(pid_file))?;
        let begin = Instant::now();
        loop {
            let alive = daemon.call(reqwest::Method::GET, "/livez", None);
            match tokio::time::timeout_at(begin + ALIVE, alive).await {
                Ok(Ok(_)) => return Some(daemon),
                Ok(Err(_)) if begin.elapsed() < STARTING && is_daemon(pid_file) => {
                    tokio::time::sleep(TRY).await;
                }
                Ok(Err(_)) | Err(_) => return None,
            }
        }
    }

    fn behind(socket: &Path) -> Option<Daemon> {
        let path = SocketPath::of(socket).ok()?;
        let client =
            crate::net::client(|builder| builder.unix_socket(path.get().to_owned()).no_proxy())
                .ok()?;
        Some(Daemon {
            client,
            _path: path,
        })
    }

    /// What is going on, with all organizations: those beyond the summary come by pages.
    pub(super) async fn status(&self) -> Result<Value, Failure> {
        let mut status = self.get("/api/v1/status").await?;
        let mut more = status["organizations_more"]
            .take()
            .as_str()
            .map(str::to_owned);
        while let Some(path) = more.take() {
            let page = self.get(&path).await?;
            let last = page
                .as_array()
                .and_then(|page| page.last())
                .and_then(|one| one["classy_id"].as_i64());
            more = last.map(|last| format!("/api/v1/organizations?limit=75&after={last}"));
            if let (Some(all), Value::Array(page)) = (status["organizations"].as_array_mut(), page)
            {
                all.extend(page);
            }
        }
        Ok(status)
    }

    /// Reads something, whatever the answer's status.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let (_, body) = self.call(reqwest::Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::new(Code::Bug, error))
    }

    /// Orders something.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        let (status, body) = self.call(reqwest::Method::POST, path, None).await?;
        let answer: Value =
            serde_json::from_slice(&body).map_err(|error| Failure::new(Code::Bug, error))?;
        if status == 200 {
            Ok(answer)
        } else {
            Err(fault(&answer).into())
        }
    }

    /// Syncs one organization and answers when it is done.
    pub(super) async fn sync(
        &self,
        classy_id: i64,
        order: &Order,
    ) -> Result<OrganizationReport, Failure> {
        let mut wanted = json!({ "entities": order.entities.iter().map(ToString::to_string).collect::<Vec<_>>(), "reason": "cli" });
        match &order.plugins {
            PluginChoice::None => wanted["no_plugins"] = true.into(),
            PluginChoice::One(name) => wanted["plugin"] = name.as_str().into(),
            PluginChoice::All => {}
        }
        match order.task {
            Task::Full => wanted["full"] = true.into(),
            Task::Since(from) => wanted["since"] = from.to_rfc3339().into(),
            Task::CatchUp | Task::Changes | Task::Recent(_) => {}
        }
        if order.entities.is_empty() {
            wanted["no_feeds"] = true.into();
        }
        let path = format!("/api/v1/organizations/{classy_id}/sync");
        let (status, body) = self
            .call(reqwest::Method::POST, &path, Some(wanted.to_string()))
            .await?;
        let bug = |error: serde_json::Error| Failure::new(Code::Bug, error);
        if status == 200 {
            return serde_json::from_slice(&body).map_err(bug);
        }
        Ok(OrganizationReport::failed(
            classy_id,
            "",
            fault(&serde_json::from_slice(&body).map_err(bug)?),
        ))
    }

    /// Lets it read its configuration again.
    pub(super) async fn reload(&self) -> Result<Reloaded, Failure> {
        let answer = self.post("/api/v1/reload").await?;
        let texts = |key: &str| {
            let texts = answer[key].as_array().into_iter().flatten();
            texts
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        Ok(Reloaded {
            organizations: answer["organizations"].as_u64().unwrap_or_default(),
            wrong: texts("wrong"),
            restart: texts("restart"),
        })
    }

    /// Lets it look at what was changed in the database. Answers with why it does not act by it
    /// yet, if so.
    pub(super) async fn notify_changed(&self) -> Result<Option<String>, Failure> {
        Ok(self.post("/api/v1/look").await?["reason"]
            .as_str()
            .map(str::to_owned))
    }

    async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let failed = |error: reqwest::Error| {
            Failure::new(Code::Remote, format!("the daemon does not answer: {error}"))
        };
        // The host is never looked up: the socket is the way.
        let request = self.client.request(method, format!("http://daemon{path}"));
        let request = body.map_or(request.try_clone(), |body| Some(request.body(body)));
        let request =
            request.ok_or_else(|| Failure::new(Code::Bug, "a request that cannot be sent"))?;
        let begin = Instant::now();
        let mut response = loop {
            let once = request
                .try_clone()
                .ok_or_else(|| Failure::new(Code::Bug, "a request that cannot be sent twice"))?;
            let response = once.send().await.map_err(failed)?;
            match comes_again(&response) {
                Some(wait) if begin.elapsed() + wait < BUSY => tokio::time::sleep(wait).await,
                _ => break response,
            }
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Failure::new(
                    Code::Remote,
                    "the daemon's answer is too large",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

/// When to ask again, of a daemon that did not take a request: it is starting, or all its places are
/// taken.
fn comes_again(response: &reqwest::Response) -> Option<Duration> {
    let wait = response.headers().get(reqwest::header::RETRY_AFTER)?;
    let seconds = wait.to_str().ok()?.parse().ok()?;
    (response.status() == 503).then(|| Duration::from_secs(seconds))
}

fn fault(answer: &Value) -> Fault {
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    Fault {
        kind: text("fault")
            .and_then(|word| word.parse().ok())
            .unwrap_or(FaultKind::Bug),
        text: text("error").unwrap_or_else(|| "the daemon refused".to_owned()),
        hint: text("hint"),
    }
}
