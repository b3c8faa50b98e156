//! The parts that a run goes through, in their order: what changed goes before a pass that may
//! fail, and follows one that was walked.

use super::key_walk::Swept;
use super::run::Outcome;
use super::{Error, Run, Sink, Source};
use crate::classy;
use crate::domain::{RunEnd, Task};
use crate::entities::Record;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    /// Does the task. Cancelling the token stops it at the next page boundary; dropping the future
    /// at any moment is safe.
    pub async fn execute(mut self, task: Task) -> Outcome {
        let result = match self.perform(task).await {
            Err(Error::Source(classy::Error::LetGo)) => Ok(RunEnd::Stopped),
            result => result,
        };
        let result = self.refresh_left_totals(result).await;
        Outcome {
            counts: self.counts,
            result,
            notes: self.notes,
            unread_keys: self.unread_keys,
        }
    }

    /// A first pass that ends before its end, or looks for changes before it is done, leaves exact
    /// totals behind, too. One that was only stopped goes on soon.
    async fn refresh_left_totals(
        &mut self,
        result: Result<RunEnd, Error>,
    ) -> Result<RunEnd, Error> {
        if !self.left_totals || matches!(result, Ok(RunEnd::Stopped)) {
            return result;
        }
        let refreshed = self.refresh_totals(self.counts.seen).await;
        let end = result?;
        refreshed.map(|()| end)
    }

    async fn perform(&mut self, task: Task) -> Result<RunEnd, Error> {
        let state = self.sink.load().await?;
        self.is_wary = state.has_unread();
        let passes = match task {
            Task::Since(from) => return self.repair(from).await,
            Task::Recent(from) => return self.recent(from).await,
            Task::Changes => false,
            Task::CatchUp => state.needs_pass(R::ABOUT.schema_version),
            Task::Full => true,
        };
        // A pass that an earlier run began may fail again, wherever it stands: what changed does
        // not wait for it.
        if passes && state.pass.is_some() {
            match self.sweep(false).await {
                Ok(Swept::Stopped) => return Ok(RunEnd::Stopped),
                Err(error) if !error.is_of_this_feed() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        let mut failed = None;
        if passes {
            match self.pass().await {
                Ok(RunEnd::Stopped) => return Ok(RunEnd::Stopped),
                Err(error) if !error.is_of_this_feed() => return Err(error),
                passed => failed = passed.err(),
            }
        }
        let mut swept = self.sweep(passes && failed.is_none()).await;
        if matches!(swept, Ok(Swept::Ahead)) {
            if self.pass().await? == RunEnd::Stopped {
                return Ok(RunEnd::Stopped);
            }
            swept = self.sweep(true).await;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        match swept? {
            Swept::Stopped => Ok(RunEnd::Stopped),
            Swept::Done | Swept::Ahead if self.sink.load().await?.is_short() => {
                Ok(RunEnd::Incomplete)
            }
            Swept::Done | Swept::Ahead => Ok(RunEnd::Complete),
        }
    }
}
