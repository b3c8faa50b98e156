//! Runs that read to their end, kept until they are measured: written by feeds, read by whoever watches.

use super::FeedReport;
use crate::clock;
use crate::domain::{Entity, Mode};
use crate::health::Ended;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// More are forgotten, the oldest first: a baseline can do without a few.
const MOST: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub struct Journal(Mutex<VecDeque<Ended>>);

impl Journal {
    /// Notes a run.
    pub(super) fn note(&self, classy_id: i64, entity: Entity, report: &FeedReport) {
        let mode = [Mode::Full, Mode::Incremental].into_iter().find(|mode| mode.as_str() == report.mode);
        let Some(mode) = mode.filter(|_| report.is_complete()) else { return };
        let FeedReport { requests, seen, duration_ms, .. } = *report;
        let took = Duration::from_millis(duration_ms);
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push_back(Ended { classy_id, entity, mode, took, requests, seen, at: clock::now() });
        while ended.len() > MOST {
            ended.pop_front();
        }
    }

    /// Takes all that were noted.
    pub(super) fn take(&self) -> VecDeque<Ended> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
