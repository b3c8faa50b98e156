//! The end of a full pass: every stored record that no page showed is asked for singly before it is called gone.
//!
//! When more are missing than the guard takes for deletions, the list is not believed and nothing is marked.

use super::window::advance;
use super::{Error, Run, Sink, Source};
use crate::domain::{FeedState, Pass, Reconciled, Record, RunEnd};
use crate::store::Batch;
use futures_util::{StreamExt, TryStreamExt, stream};

/// So few missing records are never taken for a fault, whatever share they are.
const FEW: u64 = 5;

/// Ids asked for between two looks at the stop token.
const CHUNK: usize = 100;

/// How much may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    stored: u64,
    /// So many may be gone.
    gone: u64,
    /// So many may be missing from the list, and are asked for singly: twice as many, since a list may lack what is there.
    pub(super) missing: u64,
}

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    pub(super) async fn guard(&self) -> Result<Guard, Error> {
        let stored = self.sink.count().await?;
        let gone = FEW.max((self.settings.absent_share * stored as f64) as u64);
        Ok(Guard { stored, gone, missing: 2 * gone })
    }

    pub(super) async fn verify(&mut self, mut state: FeedState, pass: Pass) -> Result<RunEnd, Error> {
        let guard = self.guard().await?;
        let suspects = self.sink.suspects().await?;
        let (mut absent, mut found) = (Vec::new(), Vec::new());
        for chunk in suspects.chunks(CHUNK) {
            if self.stop.is_cancelled() {
                return Ok(RunEnd::Stopped);
            }
            self.counts.requests += chunk.len() as u64;
            let source = self.source;
            let answers: Vec<_> = stream::iter(chunk.iter().copied())
                .map(|id| async move { Ok::<_, crate::classy::Error>((id, source.one(id).await?)) })
                .buffered(source.concurrency().max(1))
                .try_collect()
                .await?;
            for (id, answer) in answers {
                match answer {
                    None => absent.push(id),
                    Some(item) => found.push(item),
                }
            }
            if absent.len() as u64 > guard.gone {
                return Err(self.refuse(state, absent.len() as u64, guard).await?);
            }
        }
        if state.first_pass_at.is_none() {
            state.first_pass_at = Some(pass.started_at);
            state.watermark = advance(state.watermark, Some(pass.started_at), pass.started_at);
        }
        state.reconciled = Some(Reconciled { at: pass.started_at, missing: pass.missing, stale: pass.stale, absent: absent.len() as u64 });
        state.pass = None;
        let mut batch = Batch::of(found).at(state);
        batch.absent = absent;
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Ok(RunEnd::Complete)
    }

    /// Ends the pass without marking anything, and says why.
    pub(super) async fn refuse(&mut self, mut state: FeedState, missing: u64, guard: Guard) -> Result<Error, Error> {
        state.pass = None;
        let mut batch = Batch::of(Vec::new()).at(state);
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Ok(Error::MassAbsence { entity: R::ENTITY, missing, stored: guard.stored })
    }
}
