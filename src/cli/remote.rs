//! Speaking to a running daemon, through the socket beside its pid file.

use super::exit::{Code, Failure};
use crate::actors::{Order, OrganizationReport, PluginChoice};
use crate::domain::{Fault, FaultKind};
use crate::sync::Task;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// A body larger than this is no answer of ours.
const LARGEST: usize = 64 * 1024 * 1024;

/// Tenths of a second that a daemon may take to start.
const STARTING: u32 = 20;

/// A daemon that answers.
pub(super) struct Daemon {
    client: reqwest::Client,
}

impl Daemon {
    /// The daemon behind a socket, if one answers there.
    pub(super) async fn at(socket: &Path) -> Option<Daemon> {
        // The builder wants a provider, though nothing here is encrypted. One that is there already serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().unix_socket(socket.to_owned()).no_proxy().build().ok()?;
        let daemon = Daemon { client };
        daemon.call(reqwest::Method::GET, "/livez", None).await.ok()?;
        Some(daemon)
    }

    /// The same, with patience for one that is just starting.
    pub(super) async fn waited_for(socket: &Path) -> Option<Daemon> {
        for _ in 0..STARTING {
            if let Some(daemon) = Daemon::at(socket).await {
                return Some(daemon);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    /// What is going on.
    pub(super) async fn status(&self) -> Result<Value, Failure> {
        self.get("/api/v1/status").await
    }

    /// Reads something, whatever the answer's status.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let (_, body) = self.call(reqwest::Method::GET, path, None).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::new(Code::Bug, error))
    }

    /// Orders something.
    pub(super) async fn post(&self, path: &str) -> Result<Value, Failure> {
        let (status, body) = self.call(reqwest::Method::POST, path, None).await?;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| Failure::new(Code::Bug, error))?;
        if status == 200 { Ok(answer) } else { Err(fault(&answer).into()) }
    }

    /// Syncs one organization and answers when it is done.
    pub(super) async fn sync(&self, classy_id: i64, order: &Order) -> Result<OrganizationReport, Failure> {
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
        let path = format!("/api/v1/organizations/{classy_id}/sync");
        let (status, body) = self.call(reqwest::Method::POST, &path, Some(wanted.to_string())).await?;
        let bug = |error: serde_json::Error| Failure::new(Code::Bug, error);
        if status == 200 {
            return serde_json::from_slice(&body).map_err(bug);
        }
        Ok(OrganizationReport::failed(classy_id, "", fault(&serde_json::from_slice(&body).map_err(bug)?)))
    }

    /// Lets it read its configuration again; answers with the number of organizations.
    pub(super) async fn reload(&self) -> Result<u64, Failure> {
        Ok(self.post("/api/v1/reload").await?["organizations"].as_u64().unwrap_or_default())
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<String>) -> Result<(u16, Vec<u8>), Failure> {
        let failed = |error: reqwest::Error| Failure::new(Code::Remote, format!("the daemon does not answer: {error}"));
        // The host is never looked up: the socket is the way.
        let request = self.client.request(method, format!("http://daemon{path}"));
        let request = body.map_or(request.try_clone(), |body| Some(request.body(body)));
        let request = request.ok_or_else(|| Failure::new(Code::Bug, "a request that cannot be sent"))?;
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Failure::new(Code::Remote, "the daemon's answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

fn fault(answer: &Value) -> Fault {
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    Fault {
        kind: text("fault").and_then(|word| word.parse().ok()).unwrap_or(FaultKind::Bug),
        text: text("error").unwrap_or_else(|| "the daemon refused".to_owned()),
        hint: text("hint"),
    }
}
