//! How often and how patiently everything is done: what the actors take from the configuration, and what is fixed.

use crate::config::Config;
use crate::domain::Entity;
use crate::kernel::Policy;
use crate::plugin::GuardSettings;
use crate::sync::Settings;
use std::time::Duration;

/// How often one feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// For changes.
    pub changes: Duration,
    /// Whole.
    pub reconcile: Duration,
}

/// The plan of a process; replaced as a whole when the configuration is read again.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How runs behave.
    pub engine: Settings,
    /// How often supporters, campaigns, recurring plans and transactions are read, in the order of [`Entity::ALL`].
    pub every: [Every; 4],
    /// How often the last months of transactions are read again, for changes that move no time of change (refunds, perhaps).
    pub window_every: Duration,
    /// How far back that goes.
    pub window: chrono::TimeDelta,
    /// How long a run may go on while another organization waits.
    pub turn: Duration,
    /// How long a run may go without a step before it counts as frozen.
    pub patience: Duration,
    /// How long a lease runs unless renewed; a third of it is the pace of renewals.
    pub lease: Duration,
    /// How often the pulse of runs is looked at.
    pub look: Duration,
    /// How patient one is with actors that die.
    pub restarts: Policy,
    /// How often plugins look at the other side though nothing changed here: people leave there, and tags change with time.
    pub plugins_every: Duration,
    /// How much harm plugins may do unasked.
    pub guard: GuardSettings,
    /// What each organization adds to the span over which the first runs after a start are spread.
    pub spread: Duration,
}

impl Plan {
    /// By the configuration.
    pub fn of(config: &Config) -> Plan {
        let sync = &config.sync;
        let every = |entity| match entity {
            Entity::Supporters => Every { changes: sync.supporters, reconcile: sync.reconcile.supporters },
            Entity::Campaigns => Every { changes: sync.campaigns, reconcile: sync.reconcile.campaigns },
            Entity::RecurringPlans => Every { changes: sync.recurring_plans, reconcile: sync.reconcile.recurring_plans },
            Entity::Transactions => Every { changes: sync.transactions, reconcile: sync.reconcile.transactions },
        };
        let overlap = chrono::TimeDelta::from_std(sync.overlap).unwrap_or(chrono::TimeDelta::MAX);
        Plan {
            engine: Settings { overlap, absent_share: config.guard.absent_share, ..Settings::default() },
            every: Entity::ALL.map(every),
            guard: GuardSettings { audience_share: config.guard.audience_share, audience_min: config.guard.audience_min },
            ..Plan::default()
        }
    }

    /// How often a feed is read.
    pub fn every(&self, entity: Entity) -> Every {
        let [supporters, campaigns, plans, transactions] = self.every;
        match entity {
            Entity::Supporters => supporters,
            Entity::Campaigns => campaigns,
            Entity::RecurringPlans => plans,
            Entity::Transactions => transactions,
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Plan {
            engine: Settings::default(),
            every: [Every { changes: Duration::from_secs(900), reconcile: day }; 4],
            window_every: day,
            window: chrono::TimeDelta::days(90),
            turn: Duration::from_secs(10),
            patience: Duration::from_secs(1_200),
            lease: Duration::from_secs(15),
            look: Duration::from_secs(5),
            restarts: Policy::default(),
            plugins_every: Duration::from_secs(900),
            guard: GuardSettings::default(),
            spread: Duration::from_millis(20),
        }
    }
}
