//! The world: organizations with their records, and a clock that can be moved.

use super::classy::List;
use super::fault::Fault;
use super::home::Home;
use super::webhook::News;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::UnboundedSender;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// People.
    Supporters,
    /// Pages that raise money.
    Campaigns,
    /// Promises.
    Plans,
    /// Gifts.
    Transactions,
}

impl Kind {
    /// All four.
    pub const ALL: [Kind; 4] = [Kind::Supporters, Kind::Campaigns, Kind::Plans, Kind::Transactions];

    /// The path segment.
    pub const fn path(self) -> &'static str {
        match self {
            Kind::Supporters => "supporters",
            Kind::Campaigns => "campaigns",
            Kind::Plans => "recurring-donation-plans",
            Kind::Transactions => "transactions",
        }
    }

    /// The word for one of them in the API's answers.
    pub const fn entity(self) -> &'static str {
        match self {
            Kind::Supporters => "supporter",
            Kind::Campaigns => "campaign",
            Kind::Plans => "recurring_donation_plan",
            Kind::Transactions => "transaction",
        }
    }

    /// The kind of a path segment.
    pub fn of(path: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.path() == path)
    }
}

/// One organization.
#[derive(Debug)]
pub struct Organization {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it shows at the token endpoint.
    pub client_id: String,
    /// And the secret.
    pub client_secret: String,
    /// The key of its account at Mailchimp.
    pub mailchimp_key: String,
    /// Its audience there.
    pub mailchimp_audience: String,
    /// Its records.
    pub lists: BTreeMap<Kind, List>,
    /// What its records have in common.
    pub(super) home: Arc<Home>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// By id.
    pub organizations: BTreeMap<i64, Organization>,
    /// What goes wrong. Those that live in the data begin with [`World::set_faults`] only.
    pub faults: Vec<Fault>,
    /// Seconds that the source's clock is ahead of this machine's.
    pub clock_offset: i64,
    /// Where the next random number comes from.
    pub(super) random: u64,
    /// Who is told of changes.
    pub(super) news: UnboundedSender<News>,
}

impl World {
    /// The source's clock, in seconds since 1970.
    pub fn now(&self) -> i64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        machine + self.clock_offset
    }

    /// The next random number, the same after the same seed.
    pub fn roll(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        super::fault::mix(self.random)
    }

    /// A list.
    pub fn list(&mut self, organization: i64, kind: Kind) -> Option<&mut List> {
        self.organizations.get_mut(&organization)?.lists.get_mut(&kind)
    }

    /// Whether something goes wrong in this way.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}
