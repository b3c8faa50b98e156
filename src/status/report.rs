//! How runs ended, in the words of `sync --output json`: the same from a process of its own and
//! from the daemon.

use crate::domain::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One feed's run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct FeedReport {
    pub entity: String,
    pub mode: String,
    /// `complete`, `incomplete` (read to the end, but records are known to be lacking), `stopped`
    /// or `failed`.
    pub outcome: String,
    pub error: Option<String>,
    pub hint: Option<String>,
    /// The kind of failure, see [`FaultKind`].
    pub fault: Option<String>,
    /// What is known to be lacking, in words.
    #[serde(default)]
    pub lacks: Option<String>,
    /// Stored records of which the source says neither that they are there nor that they are gone.
    #[serde(default)]
    pub undecided: u64,
    /// What else a person should know.
    #[serde(default)]
    pub notes: Vec<String>,
    pub requests: u64,
    pub pages: u64,
    pub bytes: u64,
    pub seen: u64,
    pub inserted: u64,
    pub updated: u64,
    pub restored: u64,
    #[serde(default)]
    pub upgraded: u64,
    pub unchanged: u64,
    pub older: u64,
    pub rejected: u64,
    pub absent: u64,
    pub watermark: Option<String>,
    pub reconciled_at: Option<String>,
    pub reconcile: Option<Reconcile>,
    pub duration_ms: u64,
}

/// What a first push would do to the other side as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct ForecastReport {
    pub contacts: u64,
    pub contacts_after: u64,
    pub confirmation_mails: u64,
    pub people_who_gain_tags: u64,
    pub tags_gained: u64,
    /// For people.
    pub text: String,
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
    /// What waits, by kind of harm.
    #[serde(default)]
    pub holds: BTreeMap<String, u64>,
    /// What the first push would do, when it waits.
    #[serde(default)]
    pub forecast: Option<ForecastReport>,
    pub rejected: u64,
    /// What keeps people waiting on the other side.
    #[serde(default)]
    pub trouble: Option<String>,
    pub duration_ms: u64,
}

impl PluginReport {
    /// The failure, when there was one.
    pub fn fault(&self) -> Option<Fault> {
        fault_of(
            self.fault.as_deref(),
            self.error.as_deref(),
            self.hint.as_deref(),
        )
    }
}

fn fault_of(kind: Option<&str>, text: Option<&str>, hint: Option<&str>) -> Option<Fault> {
    let kind = kind
        .and_then(|word| word.parse().ok())
        .unwrap_or(FaultKind::Bug);
    Some(Fault {
        kind,
        text: text?.to_owned(),
        hint: hint.map(str::to_owned),
    })
}

/// What the last reconcile found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields of the documented JSON")]
pub struct Reconcile {
    pub missing: u64,
    pub stale: u64,
    pub restored: u64,
    pub absent: u64,
}

impl FeedReport {
    /// Of a run that did not come to its end.
    pub fn failed(entity: &str, mode: &str, fault: Fault) -> FeedReport {
        FeedReport {
            entity: entity.to_owned(),
            mode: mode.to_owned(),
            outcome: "failed".to_owned(),
            ..FeedReport::default()
        }
        .with(Some(fault))
    }

    /// The same with a failure, when there was one.
    #[must_use]
    pub fn with(mut self, fault: Option<Fault>) -> FeedReport {
        if let Some(Fault { kind, text, hint }) = fault {
            self.fault = Some(kind.to_string());
            self.error = Some(text);
            self.hint = hint;
        }
        self
    }

    /// The failure, when there was one.
    pub fn fault(&self) -> Option<Fault> {
        fault_of(
            self.fault.as_deref(),
            self.error.as_deref(),
            self.hint.as_deref(),
        )
    }

    /// Whether it read to its end, whatever it is known to lack.
    pub fn is_complete(&self) -> bool {
        self.outcome == "complete" || self.outcome == "incomplete"
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
        fault_of(
            self.fault.as_deref(),
            self.error.as_deref(),
            self.hint.as_deref(),
        )
    }
}
