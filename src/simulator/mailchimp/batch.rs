//! One batch of operations: what was asked, how far it is, what came out (contract 6).

use super::time;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Results are kept for seven days, their address is good for ten minutes.
pub(super) const KEPT_S: i64 = 7 * 86_400;
pub(super) const ADDRESS_S: i64 = 600;

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: String,
}

/// What became of one.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) id: String,
    pub(super) status: u16,
    pub(super) response: String,
}

/// A batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: String,
    pub(super) operations: Vec<Operation>,
    pub(super) done: Vec<Done>,
    pub(super) begun: Instant,
    pub(super) takes: Duration,
    pub(super) submitted: i64,
    pub(super) downloads: u32,
    /// Addresses of the results, and until when each is good.
    pub(super) addresses: BTreeMap<String, i64>,
}

impl Batch {
    /// Half-way through its time it is carried out, at the end it is finished.
    pub(super) fn state(&self) -> &'static str {
        let part = self.begun.elapsed().as_secs_f64() / self.takes.as_secs_f64().max(0.001);
        match part {
            _ if part >= 1.0 && !self.done.is_empty() => "finished",
            _ if part >= 0.8 => "finalizing",
            _ if part >= 0.4 => "started",
            _ if part >= 0.2 => "preprocessing",
            _ => "pending",
        }
    }

    pub(super) fn render(&self, address: &str) -> Value {
        let state = self.state();
        let finished = state == "finished";
        json!({
            "id": self.id,
            "status": state,
            "total_operations": self.operations.len(),
            "finished_operations": self.done.len(),
            "errored_operations": self.done.iter().filter(|done| done.status >= 400).count(),
            "submitted_at": time::text(self.submitted),
            "completed_at": if finished { time::text(self.submitted + self.takes.as_secs() as i64) } else { String::new() },
            "response_body_url": if finished { address } else { "" },
            "_links": [],
        })
    }
}
