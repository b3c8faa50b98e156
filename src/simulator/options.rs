//! How the world and its server are, and what of it can be turned while they run.

use super::fault::Fault;
use super::mailchimp::Switches;
use super::webhook::Webhook;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// How the world and its server are.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// The same seed makes the same world.
    pub seed: u64,
    /// Classy's ids.
    pub organizations: Vec<i64>,
    /// Supporters of each organization; the other lists follow in the contract's proportions.
    pub supporters: usize,
    /// The organizations have a past that people believe, which fits together: names, seasons,
    /// goals, donors who stay and leave. The first one has `supporters`, others fewer. Without it
    /// everything is drawn evenly, odd records among the rest.
    pub story: bool,
    /// Seconds that the source's clock is ahead of this machine's at the start.
    pub clock_offset: i64,
    /// What goes wrong at the start.
    pub faults: Vec<Fault>,
    /// How long each answer takes.
    pub latency: Duration,
    /// How much longer a list of supporters takes; it is the slow one.
    pub supporters_latency: Duration,
    /// How long a token lives.
    pub token_life: Duration,
    /// Data requests a minute that each application may make, in a bucket as large; 0 is no limit
    /// and no headers.
    pub requests_per_minute: u32,
    /// What every request must carry as `x-integration-id` to get past the edge.
    pub integration_id: Option<String>,
    /// Where changes are told, if anywhere.
    pub webhook: Option<Webhook>,
    /// How Mailchimp behaves where it may behave in two ways.
    pub mailchimp: Switches,
    /// All organizations have their audiences in one Mailchimp account.
    pub shared_account: bool,
    /// Contacts of each audience that were there before and are nobody's business.
    pub strangers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            organizations: vec![10001],
            supporters: 200,
            story: false,
            clock_offset: 0,
            faults: Vec::new(),
            latency: Duration::ZERO,
            supporters_latency: Duration::ZERO,
            token_life: Duration::from_secs(7_200),
            requests_per_minute: 0,
            integration_id: None,
            webhook: None,
            mailchimp: Switches::default(),
            shared_account: false,
            strangers: 24,
        }
    }
}

/// What can be turned at run time, as `/__sim/options` shows it and takes it; what is not named
/// stays.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dials {
    latency_ms: u64,
    supporters_latency_ms: u64,
    token_life_s: u64,
    requests_per_minute: u32,
    integration_id: Option<String>,
    webhook: Option<Webhook>,
}

impl Options {
    pub(super) fn dials(&self) -> Dials {
        Dials {
            latency_ms: self.latency.as_millis() as u64,
            supporters_latency_ms: self.supporters_latency.as_millis() as u64,
            token_life_s: self.token_life.as_secs(),
            requests_per_minute: self.requests_per_minute,
            integration_id: self.integration_id.clone(),
            webhook: self.webhook.clone(),
        }
    }

    pub(super) fn turn(&mut self, dials: Dials) {
        self.latency = Duration::from_millis(dials.latency_ms);
        self.supporters_latency = Duration::from_millis(dials.supporters_latency_ms);
        self.token_life = Duration::from_secs(dials.token_life_s);
        self.requests_per_minute = dials.requests_per_minute;
        self.integration_id = dials.integration_id;
        self.webhook = dials.webhook;
    }
}
