//! What the handlers share.

use crate::actors::{Handle, Shared};
use crate::domain::FaultKind;
use crate::store;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long the database may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks for the configuration to be read again; answered with the number of organizations, or with what is wrong.
pub type ReloadRequest = oneshot::Sender<Result<usize, String>>;

/// What the daemon gives the server.
#[derive(Debug, Clone)]
pub struct Control {
    /// Speaks to the tree.
    pub handle: Handle,
    /// Whether new work is taken.
    pub ready: Arc<AtomicBool>,
    /// Where requests to reload go.
    pub reloads: mpsc::Sender<ReloadRequest>,
    /// Where `http.listen` really is; its port may have been chosen by the system.
    pub address: Option<SocketAddr>,
}

/// By which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The control socket.
    Socket,
    /// TCP on loopback.
    Loopback,
    /// TCP elsewhere.
    Network,
}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) control: Control,
    pub(super) way: Way,
    /// Streams of events that are open.
    pub(super) streams: Arc<AtomicUsize>,
}

impl Site {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.control.handle.shared()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.control.ready.load(Ordering::Relaxed) && self.control.handle.is_alive() && self.shared().health().stale().is_none()
    }

    /// Asks the database, on the runtime where its connections live, and not for ever.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, store::Error>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let asked = self.shared().runtime.spawn(timeout(PATIENCE, question));
        match asked.await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.kind(), error.to_string()).hint(error.hint())),
            Ok(Err(_)) => {
                let text = format!("the database did not answer within {} s", PATIENCE.as_secs());
                Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Database, text))
            }
            Err(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, FaultKind::Bug, "the question to the database broke")),
        }
    }
}

/// Why a request is not answered as asked: JSON for programs.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    kind: FaultKind,
    pub(super) text: String,
    hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: FaultKind, text: impl Into<String>) -> Refusal {
        Refusal { status, kind, text: text.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Refusal {
        self.hint = hint;
        self
    }

    pub(super) fn unknown(classy_id: i64) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, FaultKind::Partial, format!("there is no organization {classy_id} here"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal { status, kind, text, hint } = self;
        (status, Json(json!({ "error": text, "fault": kind.as_str(), "hint": hint }))).into_response()
    }
}
