//! The state of the Mailchimp half: accounts, audiences, switches, and the ledger of harm.

use super::audience::Audience;
use super::batch::Batch;
use super::harm::Harm;
use super::switches::Switches;
use super::webhook::Event;
use crate::simulator::strike::Striker;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::UnboundedSender;

/// An account: one user with one key.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its key, with the data centre behind the dash.
    pub api_key: String,
    /// The key is good no more.
    pub revoked: bool,
    /// The user may read only.
    pub read_only: bool,
    /// Why the account may do nothing at the moment, by title and detail.
    pub suspended: Option<(String, String)>,
    pub(super) in_flight: usize,
    pub(super) batches: BTreeMap<String, Batch>,
}

/// Everything there is at Mailchimp.
#[derive(Debug)]
pub struct Mailchimp {
    /// Which of two possible ways it behaves.
    pub switches: Switches,
    /// What was done through the API.
    pub ledger: Harm,
    /// By id.
    pub audiences: BTreeMap<String, Audience>,
    /// In the order of the organizations.
    pub accounts: Vec<Account>,
    pub(in crate::simulator) clock_offset: i64,
    pub(in crate::simulator) striker: Striker,
    pub(super) news: UnboundedSender<Event>,
    pub(super) count: u64,
}

impl Mailchimp {
    /// The world's clock, in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() as i64);
        machine + self.clock_offset
    }

    /// The account of a key, wherever it says it is.
    pub(super) fn account(&self, key: &str) -> Option<usize> {
        self.accounts
            .iter()
            .position(|account| account.api_key == key && !account.revoked)
    }

    /// A number that was not there before.
    pub(super) const fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// The ledger as JSON, with what each audience costs.
    pub(super) fn ledger_json(&self) -> Value {
        let mut out = serde_json::to_value(&self.ledger).unwrap_or_default();
        out["contacts_billed"] = self
            .audiences
            .iter()
            .map(|(id, audience)| (id.clone(), json!(audience.billed())))
            .collect();
        out["harm"] = json!(self.ledger.found());
        out
    }
}
