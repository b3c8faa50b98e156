//! The end of a full pass: every stored record that no page showed is asked for singly before it is
//! called gone.
//!
//! When more are missing than the guard takes for deletions, the list is not believed and nothing
//! is marked. A record of which the source says neither that it is there nor that it is gone stays
//! a suspect, counted and shown, until a later pass gets an answer.

use super::{Error, Run, Sink, Source};
use crate::domain::{Answer, Doubt, FeedState, Pass, Reconciled, RunEnd, SHORT_PASSES, Shortfall};
use crate::entities::Record;
use crate::store::{Batch, Reading};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashSet;

/// So few missing records are never taken for a fault, whatever share they are.
const FEW: u64 = 5;

/// Ids asked for between two looks at the stop token.
const CHUNK: usize = 100;

/// Undecided records after which a pass asks for no more: each may have cost several tries.
const UNDECIDED: usize = 200;

/// How much may be missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    stored: u64,
    /// So many may be gone.
    gone: u64,
    /// So many may be missing from the list, and are asked for singly: twice as many, since a list
    /// may lack what is there.
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
        Ok(Guard {
            stored,
            gone,
            missing: 2 * gone,
        })
    }

    pub(super) async fn verify(
        &mut self,
        mut state: FeedState,
        pass: Pass,
    ) -> Result<RunEnd, Error> {
        let guard = self.guard().await?;
        let suspects = self.sink.suspects().await?;
        let missing = (suspects.len() as u64).saturating_sub(pass.unread);
        if missing > guard.missing {
            return Err(self.refuse(state, &pass, missing, guard).await?);
        }
        let (mut absent, mut found, mut undecided) = (Vec::new(), Vec::new(), Vec::new());
        for chunk in suspects.chunks(CHUNK) {
            if self.stop.is_cancelled() {
                return Ok(RunEnd::Stopped);
            }
            if undecided.len() >= UNDECIDED {
                undecided.extend(chunk.iter().map(|id| (*id, Doubt::NotAsked)));
                continue;
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
                    Answer::Gone => absent.push(id),
                    Answer::Stored(item) => found.push(item),
                    Answer::Undecided(doubt) => undecided.push((id, doubt)),
                }
            }
            if absent.len() as u64 > guard.gone {
                return Err(self
                    .refuse(state, &pass, absent.len() as u64, guard)
                    .await?);
            }
        }
        let shortfall = self
            .shortfall(&state, &pass, absent.len() as u64, &undecided)
            .await?;
        let is_short = shortfall.as_ref().is_some_and(Shortfall::is_short);
        if state.first_pass_at.is_none() {
            // Whoever waits for the first pass reads them as soon as it is done.
            self.refresh_totals(pass.met).await?;
        }
        // Whatever changed since the pass began, reading what changed has to find, also when the
        // pass fell short.
        state.watermark = state.watermark.or(Some(pass.seen_at));
        if shortfall
            .as_ref()
            .is_none_or(|short| !short.is_short() || short.passes >= SHORT_PASSES)
        {
            state.first_pass_at = state.first_pass_at.or(Some(pass.started_at));
            state.schema_version = pass.schema_version;
            state.reconciled = Some(Reconciled {
                at: pass.started_at,
                missing: pass.missing,
                stale: pass.stale,
                restored: pass.restored,
                absent: absent.len() as u64,
            });
        }
        state.swept_at = state.swept_at.or(Some(pass.started_at));
        state.shortfall = shortfall;
        state.pass = None;
        let open: Vec<i64> = undecided.iter().map(|(id, _)| *id).collect();
        let mut batch = Batch::of(found).at(state);
        // Asked for after everything that the walk stored.
        batch.reading = Reading::Full {
            but: HashSet::new(),
        };
        batch.decided = suspects
            .into_iter()
            .filter(|id| !open.contains(id))
            .collect();
        batch.absent = absent;
        batch.undecided = undecided
            .into_iter()
            .map(|(id, doubt)| (id, doubt.to_string()))
            .collect();
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Ok(if is_short {
            RunEnd::Incomplete
        } else {
            RunEnd::Complete
        })
    }

    /// What this pass could not bring, after one that may have fallen short as well.
    async fn shortfall(
        &self,
        state: &FeedState,
        pass: &Pass,
        gone: u64,
        undecided: &[(i64, Doubt)],
    ) -> Result<Option<Shortfall>, Error> {
        let unmet = if pass.met < pass.total {
            // What another walk of this pass met, or was asked for singly, is stored and counts,
            // too.
            let above = self
                .sink
                .ids_between(pass.max_id, i64::MAX, pass.total)
                .await?
                .len() as u64;
            let stored = self
                .sink
                .count()
                .await?
                .saturating_sub(gone + above + undecided.len() as u64);
            pass.total
                .saturating_sub(pass.met.max(stored + pass.refused))
        } else {
            0
        };
        let unread = pass.unread.min(unmet);
        let unmet = unmet - unread;
        if unmet + unread + undecided.len() as u64 == 0 {
            return Ok(None);
        }
        let first = undecided
            .first()
            .map(|(id, doubt)| format!("record {id}: {doubt}"));
        let counted = || format!("{} of {} were met", pass.met, pass.total);
        let reason = if unread > 0 {
            pass.note.clone()
        } else if unmet > 0 {
            counted()
        } else {
            first.unwrap_or_default()
        };
        let before = state.shortfall.as_ref().filter(|before| before.is_short());
        let (since, passes) = before.map_or((pass.started_at, 1), |before| {
            (before.since, before.passes.saturating_add(1))
        });
        Ok(Some(Shortfall {
            since,
            passes,
            unmet,
            unread,
            undecided: undecided.len() as u64,
            reason,
        }))
    }

    /// Ends the pass without marking anything, and says why. What it showed is stored, and of what it
    /// lacked it stays known that nothing is known.
    async fn refuse(
        &mut self,
        mut state: FeedState,
        pass: &Pass,
        missing: u64,
        guard: Guard,
    ) -> Result<Error, Error> {
        let error = Error::MassAbsence {
            entity: R::ENTITY,
            missing,
            stored: guard.stored,
        };
        state.pass = None;
        state.watermark = state.watermark.or(Some(pass.seen_at));
        let before = state.shortfall.take();
        state.shortfall = Some(Shortfall {
            since: before
                .as_ref()
                .map_or(pass.started_at, |before| before.since),
            passes: before.map_or(1, |before| before.passes.saturating_add(1)),
            unmet: 0,
            unread: 0,
            undecided: missing,
            reason: error.to_string(),
        });
        let mut batch = Batch::of(Vec::new()).at(state);
        batch.forget_suspects = true;
        self.commit(batch).await?;
        Ok(error)
    }
}
