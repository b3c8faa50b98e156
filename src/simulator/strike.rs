//! Which faults strike which requests, and what is left of an answer then. They strike by chance,
//! seeded, and never the same path twice in a row: a client that tries again politely gets through.

use super::fault::{Fault, mix};
use super::reply::{self, Reply};
use axum::http::{HeaderValue, header};
use std::collections::HashMap;
use std::net::SocketAddr;

/// Those that strike single requests.
const SINGLE: [Fault; 11] = [
    Fault::RateLimit,
    Fault::ServerErrors,
    Fault::Slow,
    Fault::TruncatedBody,
    Fault::Reset,
    Fault::Html200,
    Fault::WrongShape200,
    Fault::Redirect,
    Fault::EdgeBlock,
    Fault::InvalidJson,
    Fault::Hang,
];

/// Decides which fault strikes a request.
#[derive(Debug, Default)]
pub(super) struct Striker {
    seed: u64,
    count: u64,
    struck: HashMap<String, bool>,
}

/// A fault, and which of its shapes it has this time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    pub(super) fault: Fault,
    pub(super) dice: u64,
}

impl Striker {
    pub(super) fn new(seed: u64) -> Self {
        Striker {
            seed,
            ..Striker::default()
        }
    }

    /// One of the active faults that strike single requests, or none: about one request in four,
    /// never the same path twice in a row.
    pub(super) fn strike(&mut self, active: &[Fault], path: &str) -> Option<Strike> {
        self.strike_with(&SINGLE, active, path)
    }

    /// The same among other faults.
    pub(super) fn strike_with(
        &mut self,
        single: &[Fault],
        active: &[Fault],
        path: &str,
    ) -> Option<Strike> {
        let candidates: Vec<Fault> = single
            .iter()
            .copied()
            .filter(|fault| active.contains(fault))
            .collect();
        if candidates.is_empty() {
            return None;
        }
        self.count += 1;
        let roll = mix(self.seed ^ self.count);
        let before = self.struck.insert(path.to_owned(), false).unwrap_or(false);
        if before || roll % 4 != 0 {
            return None;
        }
        self.struck.insert(path.to_owned(), true);
        Some(Strike {
            fault: candidates[(roll >> 8) as usize % candidates.len()],
            dice: roll >> 32,
        })
    }
}

impl Strike {
    /// The answer as the fault leaves it. `stranger` is where redirects lead.
    pub(super) fn spoil(
        self,
        active: &[Fault],
        status: u16,
        body: String,
        stranger: SocketAddr,
        now: i64,
    ) -> Reply {
        let half = |body: &str| -> String { body.chars().take(body.chars().count() / 2).collect() };
        match self.fault {
            Fault::RateLimit => reply::too_many(active, 1, now),
            Fault::ServerErrors => match self.dice % 5 {
                0 => reply::json(500, String::new()),
                1 => reply::page(502, "<html><body>Bad gateway</body></html>"),
                2 => reply::page(503, "<html><body>Temporarily unavailable</body></html>"),
                3 => reply::page(504, "<html><body>Gateway time-out</body></html>"),
                _ => reply::page(
                    520,
                    "<html><body>Web server is returning an unknown error</body></html>",
                ),
            },
            Fault::TruncatedBody => reply::json(status, half(&body)),
            Fault::Reset => {
                let mut reply = reply::json(status, String::new());
                *reply.body_mut() = reply::broken_off(half(&body));
                reply
            }
            Fault::Html200 => reply::page(
                200,
                "<!DOCTYPE html><html><body>We will be back soon.</body></html>",
            ),
            Fault::WrongShape200 if self.dice % 2 == 0 => {
                reply::json(200, "{\"error\":\"please try again\"}".to_owned())
            }
            Fault::WrongShape200 => reply::json(200, "{\"data\":null,\"total\":0}".to_owned()),
            Fault::InvalidJson => reply::json(
                200,
                body.replacen("null", "undefined", 1).replacen(':', "=", 1),
            ),
            Fault::EdgeBlock => reply::blocked(),
            Fault::Redirect => {
                let mut reply =
                    reply::json(if self.dice % 2 == 0 { 302 } else { 307 }, String::new());
                if let Ok(place) = HeaderValue::try_from(format!("http://{stranger}/elsewhere")) {
                    reply.headers_mut().insert(header::LOCATION, place);
                }
                reply
            }
            _ => reply::json(status, body),
        }
    }
}
