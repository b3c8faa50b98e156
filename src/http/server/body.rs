//! Bodies on their way, noted for the deadlines of their connection: a request's while a handler
//! waits for it, and the end of an answer's.

use super::connection::Connection;
use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A request's body.
pub(super) struct Incoming {
    body: hyper::body::Incoming,
    connection: Arc<Connection>,
    is_wanted: bool,
}

impl Incoming {
    pub(super) fn new(body: hyper::body::Incoming, connection: Arc<Connection>) -> Incoming {
        Incoming {
            body,
            connection,
            is_wanted: false,
        }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if !self.is_wanted {
            self.is_wanted = true;
            self.connection.begin_body();
        }
        let poll = Pin::new(&mut self.body).poll_frame(context);
        if matches!(poll, Poll::Ready(None | Some(Err(_)))) {
            self.connection.end_body();
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.connection.end_body();
    }
}

/// An answer's body.
pub(super) struct Outgoing {
    body: axum::body::Body,
    connection: Arc<Connection>,
}

impl Outgoing {
    pub(super) fn new(body: axum::body::Body, connection: Arc<Connection>) -> Outgoing {
        Outgoing { body, connection }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.connection.end_work();
    }
}
