//! The world: organizations with their records, and a clock that can be moved.

use super::classy::List;
use super::classy::keys::{self, About};
use super::fault::Fault;
use super::home::Home;
use super::webhook::News;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::UnboundedSender;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $keys:ident,)*) => {
        /// A kind of record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// How many there are.
            pub(super) const COUNT: usize = [$(stringify!($kind)),*].len();

            /// All of them.
            pub const ALL: [Kind; Kind::COUNT] = [$(Kind::$kind),*];

            /// What sets it apart in the API.
            pub(super) const fn about(self) -> &'static About {
                match self {
                    $(Kind::$kind => &keys::$keys::ABOUT,)*
                }
            }
        }
    };
}

// A kind's ids lie where its place in this list says: a new one goes to the end.
kinds! {
    /// People.
    Supporters: supporter,
    /// Pages that raise money.
    Campaigns: campaign,
    /// Promises.
    Plans: plan,
    /// Gifts.
    Transactions: transaction,
    /// What money is given for.
    Designations: designation,
    /// People's own pages for a campaign.
    FundraisingPages: fundraising_page,
}

impl Kind {
    /// The path segment.
    pub const fn path(self) -> &'static str {
        self.about().path
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
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs() as i64);
        machine + self.clock_offset
    }

    /// The next random number, the same after the same seed.
    pub fn roll(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        super::fault::mix(self.random)
    }

    /// A list.
    pub fn list(&mut self, organization: i64, kind: Kind) -> Option<&mut List> {
        self.organizations
            .get_mut(&organization)?
            .lists
            .get_mut(&kind)
    }

    /// Whether something goes wrong in this way.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}
