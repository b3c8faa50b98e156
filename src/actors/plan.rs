//! How often and how patiently everything is done: what the actors take from the configuration, and
//! what is fixed.

use crate::config::Config;
use crate::entities::Entity;
use crate::plugin::{FirstPush, GuardSettings};
use crate::store::Retention;
use crate::supervision::RestartPolicy;
use crate::sync::Settings;
use std::time::Duration;

/// How often one feed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// For changes.
    pub changes: Duration,
    /// For reading the whole list.
    pub reconcile: Duration,
}

/// The plan of a process; replaced as a whole when the configuration is read again.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How runs behave.
    pub engine: Settings,
    /// How often supporters, campaigns, recurring plans and transactions are read, in the order of
    /// [`Entity::ALL`].
    pub every: [Every; Entity::COUNT],
    /// How often the last months of transactions are read again, for changes that move no time of
    /// change (refunds, perhaps).
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
    pub restarts: RestartPolicy,
    /// How often plugins look at the other side though nothing changed here: people leave there,
    /// and tags change with time.
    pub plugins_every: Duration,
    /// How long is kept what only tells of the past.
    pub retention: Retention,
    /// How much harm plugins may do unasked.
    pub guard: GuardSettings,
    /// What each organization adds to the span over which the first runs after a start are spread.
    pub spread: Duration,
}

impl Plan {
    /// By the configuration.
    pub fn of(config: &Config) -> Plan {
        let sync = &config.sync;
        let every = |entity| Every {
            changes: sync.changes.of(entity),
            reconcile: sync.reconcile.of(entity),
        };
        let overlap = chrono::TimeDelta::from_std(sync.overlap).unwrap_or(chrono::TimeDelta::MAX);
        Plan {
            engine: Settings {
                overlap,
                absent_share: config.guard.absent_share,
                ..Settings::default()
            },
            every: Entity::ALL.map(every),
            guard: guard(&config.guard),
            retention: retention(&config.retention),
            ..Plan::default()
        }
    }

    /// How often a feed is read.
    pub fn every(&self, entity: Entity) -> Every {
        self.every[entity as usize]
    }
}

fn guard(config: &crate::config::Guard) -> GuardSettings {
    GuardSettings {
        audience_share: config.audience_share,
        audience_min: config.audience_min,
        first_push: match config.first_push {
            crate::config::FirstPush::Ask => FirstPush::Ask,
            crate::config::FirstPush::Send => FirstPush::Send,
        },
        additions_share: config.additions_share,
        additions_min: config.additions_min,
        daily_additions: config.daily_additions,
        ..GuardSettings::default()
    }
}

/// 0 is for ever.
fn retention(config: &crate::config::Retention) -> Retention {
    let kept = |time: Duration| {
        (!time.is_zero())
            .then(|| chrono::TimeDelta::from_std(time).ok())
            .flatten()
    };
    Retention {
        runs_without_changes: kept(config.runs_without_changes),
        runs: kept(config.runs),
        alerts: kept(config.alerts),
        harms: kept(config.harms),
        before_images: kept(config.before_images),
        audit: kept(config.audit),
    }
}

impl Default for Plan {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Plan {
            engine: Settings::default(),
            every: [Every {
                changes: Duration::from_secs(900),
                reconcile: day,
            }; Entity::COUNT],
            window_every: day,
            window: chrono::TimeDelta::days(90),
            turn: Duration::from_secs(10),
            patience: Duration::from_secs(1_200),
            lease: Duration::from_secs(15),
            look: Duration::from_secs(5),
            restarts: RestartPolicy::default(),
            // With a delivery's own time, whoever leaves there is known within five minutes.
            plugins_every: Duration::from_secs(240),
            retention: Retention::default(),
            guard: GuardSettings::default(),
            spread: Duration::from_millis(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::jittered;

    #[test]
    fn whoever_leaves_there_is_looked_for_within_five_minutes_without_a_webhook() {
        let longest = (0..1_000)
            .map(|_| jittered(Plan::default().plugins_every))
            .max();
        assert!(
            longest < Some(Duration::from_secs(270)),
            "{longest:?}: half a minute is left for the look itself"
        );
    }
}
