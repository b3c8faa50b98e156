//! The four kinds of record that are kept in step, and their spellings.

use std::fmt;
use std::str::FromStr;

/// A kind of record. The order of the variants is the order of a first load: parents before children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// A person, as one organization knows them.
    Supporters,
    /// A page that raises money.
    Campaigns,
    /// A promise to give again and again.
    RecurringPlans,
    /// A gift, a ticket, a refund.
    Transactions,
}

impl Entity {
    /// All four, parents before children.
    pub const ALL: [Entity; 4] = [Entity::Supporters, Entity::Campaigns, Entity::RecurringPlans, Entity::Transactions];

    /// The name in tables, configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Entity::Supporters => "supporters",
            Entity::Campaigns => "campaigns",
            Entity::RecurringPlans => "recurring_plans",
            Entity::Transactions => "transactions",
        }
    }

    /// The path segment at Classy, in lists and for single records (contract 3.1, 3.2).
    pub const fn path(self) -> &'static str {
        match self {
            Entity::RecurringPlans => "recurring-donation-plans",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Entity {
    type Err = String;

    /// Accepts the table name and, because people type it, the path with dashes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Entity::ALL
            .into_iter()
            .find(|entity| entity.as_str() == text || entity.path() == text || entity.as_str().replace('_', "-") == text)
            .ok_or_else(|| format!("no such entity: '{text}' (supporters, campaigns, recurring_plans, transactions)"))
    }
}
