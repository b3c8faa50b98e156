//! The checks, one file each. A new one is a file and a line in [`all`].

mod actors;
mod breaker;
mod clock;
mod database;
mod disk;
mod files;
mod freshness;
mod keys;
mod listening;
mod plugins;
mod rejects;
mod runs;
mod slowness;
mod standing;
mod threads;
mod token;

use super::check::HealthCheck;
use super::facts::{OrganizationFacts, Standing};
use std::time::Duration;

/// Every check.
pub fn all() -> Vec<Box<dyn HealthCheck>> {
    vec![
        Box::new(database::Database),
        Box::new(threads::Threads),
        Box::new(actors::Actors),
        Box::new(runs::Runs),
        Box::new(disk::Disk),
        Box::new(keys::Keys),
        Box::new(files::Files),
        Box::new(listening::Listening),
        Box::new(standing::Standing),
        Box::new(token::Token),
        Box::new(breaker::Breaker),
        Box::new(clock::Clock),
        Box::new(freshness::Freshness),
        Box::new(slowness::Slowness),
        Box::new(rejects::Rejects),
        Box::new(plugins::Plugins),
    ]
}

/// Organizations that this process serves: the others are looked at by whoever serves them.
fn served(organizations: &[OrganizationFacts]) -> impl Iterator<Item = &OrganizationFacts> {
    organizations.iter().filter(|organization| organization.standing == Standing::Served)
}

/// A span for people: `45 s`, `12 min`, `3.5 h`, `2.1 d`.
pub(super) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 1.0 => format!("{} ms", duration.as_millis()),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}
