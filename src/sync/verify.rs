//! The end of a full pass: every stored record that no page showed is asked for singly before it is called gone.

use super::window::advance;
use super::{Error, Run, Sink, Source};
use crate::domain::{FeedState, Pass, Reconciled, Record, RunEnd};
use crate::store::Batch;
use futures_util::{StreamExt, TryStreamExt, stream};

/// So few missing records are never taken for a fault, whatever share they are.
const FEW: u64 = 10;

/// Ids in one transaction.
const CHUNK: usize = 1_000;

impl<R, S, K> Run<'_, R, S, K>
where
    R: Record,
    S: Source<R>,
    K: Sink<R>,
{
    pub(super) async fn verify(&mut self, mut state: FeedState, pass: Pass) -> Result<RunEnd, Error> {
        let suspects = self.sink.suspects().await?;
        self.refuse_mass_absence(&mut state, suspects.len() as u64).await?;
        let mut absent = Vec::new();
        let mut found = Vec::new();
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
        }
        let first_pass = state.first_pass_at.is_none();
        state.first_pass_at = state.first_pass_at.or(Some(pass.started_at));
        state.watermark = if first_pass { advance(state.watermark, Some(pass.started_at), pass.started_at) } else { state.watermark };
        state.reconciled = Some(Reconciled { at: pass.started_at, missing: pass.missing, stale: pass.stale, absent: absent.len() as u64 });
        state.pass = None;
        let mut batch = Batch::of(found).at(state);
        batch.absent = absent;
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Ok(RunEnd::Complete)
    }

    /// Ends the pass without marking anything when too much is missing.
    async fn refuse_mass_absence(&mut self, state: &mut FeedState, missing: u64) -> Result<(), Error> {
        let stored = self.sink.count().await?;
        if missing <= FEW || (missing as f64) <= self.settings.absent_share * stored as f64 {
            return Ok(());
        }
        state.pass = None;
        let mut batch = Batch::of(Vec::new()).at(state.clone());
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Err(Error::MassAbsence { entity: R::ENTITY, missing, stored })
    }
}
