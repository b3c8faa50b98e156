//! How runs ended, in the words of `sync --output json`: the same from a process of its own and from the daemon.

use crate::domain::{Fault, FaultKind, RunCounts};
use crate::plugin::Delivered;
use crate::sync::FeedOutcome;
use serde::{Deserialize, Serialize};

/// One feed's run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct FeedReport {
    pub entity: String,
    pub mode: String,
    /// `complete`, `stopped` or `failed`.
    pub outcome: String,
    pub error: Option<String>,
    pub hint: Option<String>,
    /// The kind of failure, see [`FaultKind`].
    pub fault: Option<String>,
    pub requests: u64,
    pub pages: u64,
    pub bytes: u64,
    pub seen: u64,
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub older: u64,
    pub rejected: u64,
    pub absent: u64,
    pub watermark: Option<String>,
    pub reconciled_at: Option<String>,
    pub reconcile: Option<Reconcile>,
    pub duration_ms: u64,
}

/// One plugin's delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct PluginReport {
    pub plugin: String,
    /// `complete`, `waiting` (the feeds were not read once yet), `stopped` or `failed`.
    pub outcome: String,
    pub error: Option<String>,
    pub hint: Option<String>,
    /// The kind of failure, see [`FaultKind`].
    pub fault: Option<String>,
    pub delivered: u64,
    pub skipped: u64,
    pub deferred: u64,
    /// Waiting for approval.
    pub held: u64,
    pub rejected: u64,
    pub duration_ms: u64,
}

impl PluginReport {
    /// Of a delivery that came to its end, or to a failure.
    pub fn of(plugin: &str, result: Result<Delivered, Fault>, took: std::time::Duration) -> PluginReport {
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let report = PluginReport { plugin: plugin.to_owned(), duration_ms, ..PluginReport::default() };
        match result {
            Ok(Delivered { waits, is_partial, delivered, skipped, deferred, held, rejected }) => {
                let outcome = match (waits, is_partial) {
                    (true, _) => "waiting",
                    (_, true) => "stopped",
                    _ => "complete",
                };
                PluginReport { outcome: outcome.to_owned(), delivered, skipped, deferred, held, rejected, ..report }
            }
            Err(Fault { kind, text, hint }) => {
                PluginReport { outcome: "failed".to_owned(), fault: Some(kind.to_string()), error: Some(text), hint, ..report }
            }
        }
    }

    /// The failure, when there was one.
    pub fn fault(&self) -> Option<Fault> {
        fault_of(self.fault.as_deref(), self.error.as_deref(), self.hint.as_deref())
    }
}

fn fault_of(kind: Option<&str>, text: Option<&str>, hint: Option<&str>) -> Option<Fault> {
    let kind = kind.and_then(|word| word.parse().ok()).unwrap_or(FaultKind::Bug);
    Some(Fault { kind, text: text?.to_owned(), hint: hint.map(str::to_owned) })
}

/// What the last reconcile found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct Reconcile {
    pub missing: u64,
    pub stale: u64,
    pub absent: u64,
}

impl FeedReport {
    /// Of a run that came to its end.
    pub fn of(outcome: &FeedOutcome) -> FeedReport {
        let RunCounts { requests, pages, bytes, seen, inserted, updated, unchanged, older, rejected, absent } = outcome.counts;
        let fault = outcome.result.as_ref().err().map(crate::sync::Error::fault);
        let found = outcome.state.reconciled.as_ref();
        FeedReport {
            entity: outcome.entity.to_string(),
            mode: outcome.mode.to_string(),
            outcome: outcome.word().to_owned(),
            requests,
            pages,
            bytes,
            seen,
            inserted,
            updated,
            unchanged,
            older,
            rejected,
            absent,
            watermark: outcome.state.watermark.map(|at| at.to_rfc3339()),
            reconciled_at: found.map(|found| found.at.to_rfc3339()),
            reconcile: found.map(|found| Reconcile { missing: found.missing, stale: found.stale, absent: found.absent }),
            duration_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
            ..FeedReport::default()
        }
        .with(fault)
    }

    /// Of a run that did not come to its end.
    pub fn failed(entity: &str, mode: &str, fault: Fault) -> FeedReport {
        FeedReport { entity: entity.to_owned(), mode: mode.to_owned(), outcome: "failed".to_owned(), ..FeedReport::default() }
            .with(Some(fault))
    }

    fn with(mut self, fault: Option<Fault>) -> FeedReport {
        if let Some(Fault { kind, text, hint }) = fault {
            self.fault = Some(kind.to_string());
            self.error = Some(text);
            self.hint = hint;
        }
        self
    }

    /// The failure, when there was one.
    pub fn fault(&self) -> Option<Fault> {
        fault_of(self.fault.as_deref(), self.error.as_deref(), self.hint.as_deref())
    }

    /// Whether it read to its end.
    pub fn is_complete(&self) -> bool {
        self.outcome == "complete"
    }
}

/// What was done for one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct OrganizationReport {
    pub classy_id: i64,
    pub name: String,
    pub requests: u64,
    pub token_requests: u64,
    /// Why nothing was done.
    pub error: Option<String>,
    pub hint: Option<String>,
    pub fault: Option<String>,
    pub feeds: Vec<FeedReport>,
    #[serde(default)]
    pub plugins: Vec<PluginReport>,
}

impl OrganizationReport {
    /// Of an organization for which nothing could be done.
    pub fn failed(classy_id: i64, name: &str, fault: Fault) -> OrganizationReport {
        let Fault { kind, text, hint } = fault;
        OrganizationReport {
            classy_id,
            name: name.to_owned(),
            error: Some(text),
            hint,
            fault: Some(kind.to_string()),
            ..OrganizationReport::default()
        }
    }

    /// Why nothing was done.
    pub fn fault(&self) -> Option<Fault> {
        fault_of(self.fault.as_deref(), self.error.as_deref(), self.hint.as_deref())
    }
}
