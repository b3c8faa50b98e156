//! A source of scripted answers in place of the network: paused time and sockets do not go
//! together.

use super::{Reader, Reply, Request, Transport};
use crate::classy::error::Error;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

type Answer = Box<dyn FnMut(&Seen) -> Result<Reply, Error> + Send>;

/// A request as it was seen.
#[derive(Debug, Clone)]
pub(in crate::classy) struct Seen {
    pub(in crate::classy) url: String,
    pub(in crate::classy) bearer: Option<String>,
    pub(in crate::classy) at: Instant,
}

/// The answers, and what was asked.
pub(in crate::classy) struct Script {
    answer: Mutex<Answer>,
    pub(in crate::classy) seen: Mutex<Vec<Seen>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    pub(super) async fn answer(
        &self,
        request: Request<'_>,
        reader: Option<&mut dyn Reader>,
    ) -> Result<Reply, Error> {
        // Others get their turn, as they would while bytes travel.
        tokio::task::yield_now().await;
        let bearer = request
            .headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        let seen = Seen {
            url: request.url.to_string(),
            bearer,
            at: Instant::now(),
        };
        self.seen.lock().unwrap().push(seen.clone());
        let mut reply = (self.answer.lock().unwrap())(&seen)?;
        if let Some(reader) = reader.filter(|_| reply.status == 200) {
            // In pieces, as bytes travel.
            let body = std::mem::take(&mut reply.body);
            let _ = body.chunks(11).try_for_each(|piece| reader.take(piece));
        }
        Ok(reply)
    }
}

impl Transport {
    /// A transport that answers as it is told.
    pub(in crate::classy) fn scripted(
        answer: impl FnMut(&Seen) -> Result<Reply, Error> + Send + 'static,
    ) -> (Transport, Arc<Script>) {
        let script = Arc::new(Script {
            answer: Mutex::new(Box::new(answer)),
            seen: Mutex::default(),
        });
        (Transport(super::Line::Script(script.clone())), script)
    }
}

impl Reply {
    /// An answer with these headers.
    pub(in crate::classy) fn scripted(
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Reply {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect();
        Reply {
            status,
            headers,
            body: body.as_bytes().to_vec(),
            bytes: body.len() as u64,
        }
    }
}
