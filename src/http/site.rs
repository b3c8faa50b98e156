//! What the handlers share.

use super::cache::{Cache, Made};
use super::figures::{Figures, Kept};
use super::guesses::Guesses;
use super::sessions::Sessions;
use super::sources::Sources;
use super::teller::Teller;
use crate::domain::FaultKind;
use crate::status::Orders;
use crate::store;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// Questions to the database at once: the other connections are left to those who sync.
pub(super) const QUESTIONS: usize = 4;
/// How long the database may take for one answer, with the wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of reading the configuration again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// How many there are.
    pub organizations: usize,
    /// What is wrong with the files of some, which stay as they were.
    pub wrong: Vec<String>,
    /// Keys whose new values are in force only after a restart.
    pub restart: Vec<String>,
}

/// Asks for the configuration to be read again; answered with what came of it, or with what is
/// wrong with the main file.
pub type ReloadRequest = oneshot::Sender<Result<Reloaded, String>>;

/// What the daemon gives the server.
#[derive(Debug, Clone)]
pub struct Control {
    /// Carries orders out.
    pub orders: Arc<dyn Orders>,
    /// What is read.
    pub sources: Arc<Sources>,
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
    /// TCP.
    Tcp,
}

/// Who is at the other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// Absent on the control socket.
    pub(super) address: Option<IpAddr>,
    /// All places are taken by requests at work: only whether the process lives and is ready is
    /// answered.
    pub(super) is_spare: bool,
}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) control: Control,
    pub(super) way: Way,
    /// Streams of events that are open.
    pub(super) streams: Arc<AtomicUsize>,
    /// Answers that were made a moment ago.
    pub(super) cache: Cache,
    /// What is told to the streams of events.
    pub(super) teller: Teller,
    /// Turns for questions to the database.
    pub(super) questions: Arc<Semaphore>,
    /// Browsers that showed the token.
    pub(super) sessions: Arc<Sessions>,
    /// Wrong tokens.
    pub(super) guesses: Arc<Guesses>,
    /// What organizations' pages show of money and people.
    pub(super) figures: Kept,
}

impl Site {
    pub(super) fn sources(&self) -> &Arc<Sources> {
        &self.control.sources
    }

    pub(super) fn is_ready(&self) -> bool {
        self.control.ready.load(Ordering::Relaxed)
            && self.control.orders.is_alive()
            && self.sources().health().stale().is_none()
    }

    /// An answer that grows with the fleet. Whoever comes by the control socket has it as new as it
    /// can be.
    pub(super) async fn made(
        &self,
        key: &str,
        make: impl FnOnce(&Site) -> Made + Send + 'static,
    ) -> Response {
        let site = self.clone();
        let made = self
            .cache
            .answer(
                &self.sources().runtime,
                key,
                self.way != Way::Socket,
                move || make(&site),
            )
            .await;
        match made {
            Some(made) => made.into_response(),
            None => Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                FaultKind::Bug,
                "making this answer broke",
            )
            .into_response(),
        }
    }

    /// The figures of an organization, kept for a moment.
    pub(super) async fn figures_of(&self, classy_id: i64) -> Result<Arc<Figures>, Refusal> {
        let (site, store) = (self.clone(), self.sources().store.clone());
        let read = move || async move { site.ask(Figures::read(store, classy_id)).await };
        self.figures.of(classy_id, read).await
    }

    /// Asks the database, on the runtime where its connections live, and not for ever.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, store::Error>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turns = Arc::clone(&self.questions);
        let asked = self.sources().runtime.spawn(timeout(PATIENCE, async move {
            // Never closed.
            let _turn = turns.acquire_owned().await;
            question.await
        }));
        match asked.await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.kind(),
                error.to_string(),
            )
            .hint(error.hint())),
            Ok(Err(_)) => {
                let text = format!(
                    "the database did not answer within {} s",
                    PATIENCE.as_secs()
                );
                Err(Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    FaultKind::Database,
                    text,
                ))
            }
            Err(_) => Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                FaultKind::Bug,
                "the question to the database broke",
            )),
        }
    }
}

/// Why a request is not answered as asked: JSON for programs, of the same shape everywhere.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    kind: FaultKind,
    pub(super) text: String,
    hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: FaultKind, text: impl Into<String>) -> Refusal {
        Refusal {
            status,
            kind,
            text: text.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Refusal {
        self.hint = hint;
        self
    }

    pub(super) fn unknown(classy_id: i64) -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            FaultKind::Partial,
            format!("there is no organization {classy_id} here"),
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal {
            status,
            kind,
            text,
            hint,
        } = self;
        (
            status,
            Json(json!({ "error": text, "fault": kind.as_str(), "hint": hint })),
        )
            .into_response()
    }
}
