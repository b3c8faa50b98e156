//! The checks, one file each. A new one is a file and a line in [`all`].

mod actors;
mod clock;
mod completeness;
mod database;
mod disk;
mod files;
mod freshness;
mod keys;
mod listening;
mod plugins;
mod privacy;
mod rejects;
mod runs;
mod serving;
mod slowness;
mod source;
mod threads;
mod token;

pub(super) use freshness::is_late;
pub use plugins::LOOK_AND_APPROVE;
pub(super) use source::{SOURCE, is_over, list_trouble, trouble};

use super::check::HealthCheck;

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
        Box::new(privacy::Privacy),
        Box::new(listening::Listening),
        Box::new(serving::Serving),
        Box::new(token::Token),
        Box::new(source::Source),
        Box::new(clock::Clock),
        Box::new(freshness::Freshness),
        Box::new(completeness::Completeness),
        Box::new(slowness::Slowness),
        Box::new(rejects::Rejects),
        Box::new(plugins::Plugins),
    ]
}
