//! What answers at the port, from the first moment on: whether the process lives, until everything
//! else is ready to be asked.

use crate::domain::FaultKind;
use crate::http::site::Refusal;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SetOnce;
use tokio::time::timeout;

/// So long a request waits for the process to have started before it is told to come again: most
/// starts are over by then.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the process lives.
const ALIVE: &str = "/livez";

/// The routes of a process that starts, and those of one that has started.
#[derive(Debug, Clone)]
pub(super) struct StartupRoutes {
    starting: TowerToHyperService<Router>,
    complete: Arc<SetOnce<TowerToHyperService<Router>>>,
}

impl StartupRoutes {
    /// Only whether the process lives is answered: with ten thousand organizations it takes some
    /// seconds to read their files, and whoever asks meanwhile must not take it for dead.
    pub(super) fn new() -> StartupRoutes {
        let starting = Router::new()
            .route(ALIVE, get(async || "ok"))
            .fallback(not_yet);
        StartupRoutes {
            starting: TowerToHyperService::new(starting),
            complete: Arc::default(),
        }
    }

    /// From now on everything is answered, on connections that are open already as well.
    pub(super) fn complete(&self, router: Router) {
        // It is done once; a second time would change nothing.
        let _ = self.complete.set(TowerToHyperService::new(router));
    }

    pub(super) async fn answer(&self, request: Request) -> Result<Response, Infallible> {
        if self.complete.get().is_none() && request.uri().path() != ALIVE {
            let _ = timeout(PATIENCE, self.complete.wait()).await;
        }
        self.complete
            .get()
            .unwrap_or(&self.starting)
            .call(request)
            .await
    }
}

async fn not_yet() -> Response {
    let text = "it is starting: ask again in a moment";
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, FaultKind::Busy, text);
    ([(RETRY_AFTER, "2")], refusal).into_response()
}
