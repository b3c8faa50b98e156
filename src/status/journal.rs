//! Runs that read to their end, kept until they are measured: written by feeds, read by whoever
//! watches.

use super::report::FeedReport;
use crate::clock;
use crate::domain::Mode;
use crate::entities::EndedRun;
use crate::entities::Entity;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// More are forgotten, the oldest first: a baseline can do without a few.
const MOST: usize = 10_000;

/// The runs that nobody measured yet, the oldest first.
#[derive(Debug, Default)]
pub struct Journal(Mutex<VecDeque<EndedRun>>);

impl Journal {
    /// Keeps a run that read to its end; others say nothing of a feed's pace.
    pub fn note(&self, classy_id: i64, entity: Entity, report: &FeedReport) {
        let mode = [Mode::Full, Mode::Incremental]
            .into_iter()
            .find(|mode| mode.as_str() == report.mode);
        let Some(mode) = mode.filter(|_| report.is_complete()) else {
            return;
        };
        let FeedReport {
            requests,
            seen,
            duration_ms,
            ..
        } = *report;
        let took = Duration::from_millis(duration_ms);
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push_back(EndedRun {
            classy_id,
            entity,
            mode,
            took,
            requests,
            seen,
            at: clock::now(),
        });
        while ended.len() > MOST {
            ended.pop_front();
        }
    }

    /// Takes all that were noted.
    pub fn take(&self) -> VecDeque<EndedRun> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
