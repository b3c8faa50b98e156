//! The page transaction: rows, stubs, totals, change feed, audit, rejects and checkpoint, together or not at all.

use super::batch::{Batch, Committed};
use super::decide::{self, Decision};
use super::row::{Kind, Row, has_stubs};
use super::statement::{document, insert, sql, update, upsert};
use super::totals::Touched;
use super::value::Stored;
use super::{Error, Fence, TenantStore, audit, checkpoint, lease, parents, rejects, seq, totals};
use crate::clock;
use crate::domain::{Entity, FeedState, Remedy};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};
use std::time::Duration;

/// Times that a transaction is tried when the database asks for it (deadlock, busy, serialization).
const TRIES: u32 = 8;

/// What every step of a page transaction needs.
pub(super) struct Step<'a> {
    pub(super) tx: &'a DatabaseTransaction,
    pub(super) backend: DbBackend,
    pub(super) organization_id: i64,
    pub(super) entity: Entity,
    pub(super) now: crate::domain::Time,
}

impl TenantStore {
    /// Writes a batch in one transaction, after checking that the fence still holds.
    ///
    /// The same content as stored is left untouched; an older version never replaces a newer one.
    ///
    /// # Errors
    /// [`Error::FenceLost`] when another process took the organization over; database errors, after as many tries as make sense.
    pub async fn commit<R: Row>(&self, fence: &Fence, batch: &Batch<R>) -> Result<Committed, Error> {
        let mut tried = 1;
        loop {
            match self.commit_once(fence, batch).await {
                Err(error) if tried < TRIES && matches!(error.remedy(), Remedy::Retry { .. }) => {
                    tracing::debug!(tried, error = %error, "the page transaction is tried again");
                    tokio::time::sleep(Duration::from_millis((10_u64 << tried) + u64::from(rand::random::<u8>()))).await;
                    tried += 1;
                }
                other => return other,
            }
        }
    }

    async fn commit_once<R: Row>(&self, fence: &Fence, batch: &Batch<R>) -> Result<Committed, Error> {
        let tx = self.store.begin_write().await?;
        let step =
            Step { tx: &tx, backend: self.store.backend(), organization_id: self.organization_id, entity: R::ENTITY, now: clock::now() };
        lease::check(&tx, step.backend, self.organization_id, fence).await?;
        let committed = write(&step, batch).await?;
        tx.commit().await.map_err(Error::commit)?;
        Ok(committed)
    }
}

async fn write<R: Row>(step: &Step<'_>, batch: &Batch<R>) -> Result<Committed, Error> {
    let mut committed = Committed { state: batch.state.clone(), ..Committed::default() };
    let mut decision = decide::decide(step, batch).await?;
    parents::resolve(step, &mut decision).await?;
    if decision.takes_over_stubs() {
        parents::release_stubs(step, &decision).await?;
    }
    upsert_rows(step, &decision).await?;
    audit::changes(step, &decision).await?;
    rejects::settle(step, &decision).await?;
    let gone = mark_absent::<R>(step, &batch.absent).await?;
    let whole = batch.forget_suspects && batch.state.as_ref().is_some_and(|state| state.pass.is_none());
    totals::refresh(step, &Touched::of(&decision.writes, &gone), whole).await?;

    committed.counts = decision.counts();
    committed.counts.absent = batch.absent.len() as u64;
    if let Some(state) = &mut committed.state {
        count_late(state, &decision, batch);
        checkpoint::save(step, state).await?;
    }
    checkpoint::suspects(step, &batch.suspects, batch.forget_suspects).await?;
    Ok(committed)
}

/// Inserts into `missing` and updates into `stale` what the incremental should have brought before.
fn count_late<R: Row>(state: &mut FeedState, decision: &Decision<'_, R>, batch: &Batch<R>) {
    let (Some(pass), Some(before)) = (&mut state.pass, batch.expected_before) else { return };
    for write in &decision.writes {
        if write.row.updated_at().is_none_or(|at| at < before) {
            match write.before {
                None => pass.missing += 1,
                Some(ref stored) if stored.is_stub => pass.missing += 1,
                Some(_) => pass.stale += 1,
            }
        }
    }
}

async fn upsert_rows<R: Row>(step: &Step<'_>, decision: &Decision<'_, R>) -> Result<(), Error> {
    if decision.writes.is_empty() {
        return Ok(());
    }
    let table = R::table();
    let mut fields = vec![("id", Kind::Int)];
    fields.extend(table.columns.iter().map(|column| (column.name, column.kind())));
    fields.extend([("organization_id", Kind::Int), ("fingerprint", Kind::Int), ("last_sync_at", Kind::Time)]);
    let supporters = R::ENTITY == Entity::Supporters;
    let mut next_seq = None;
    if supporters {
        fields.extend([("change_seq", Kind::Int), ("first_seen_at", Kind::Time)]);
        next_seq = Some(seq::reserve(step, decision.writes.len()).await?);
    }
    let objects = decision.objects(step, next_seq);
    let (new, known): (Vec<_>, Vec<_>) = objects.iter().zip(&decision.writes).partition(|(_, write)| write.before.is_none());
    let mut also = vec!["absent_since = NULL"];
    if has_stubs(R::ENTITY) {
        also.push(if step.backend == DbBackend::Postgres { "is_stub = FALSE" } else { "is_stub = 0" });
    }
    // A row that appeared since we looked makes the insert fail and the transaction be tried again.
    let statements = [
        (new, insert(step.backend, table.name, &fields)),
        (known, upsert(step.backend, table.name, "id", &fields, &["id", "first_seen_at"], &also)),
    ];
    for (rows, text) in statements {
        if !rows.is_empty() {
            let document = document(rows.iter().map(|(object, _)| object.as_slice()));
            step.tx.execute_raw(sql(step.backend, &text, [document])).await.map_err(|error| Error::query("writing records", error))?;
        }
    }
    Ok(())
}

/// Marks rows as gone at the source; returns them as they were.
async fn mark_absent<R: Row>(step: &Step<'_>, ids: &[i64]) -> Result<Vec<Stored>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let stored = decide::read_stored::<R>(step, ids.iter().copied()).await?;
    let stamp = super::row::time_text(step.now, step.backend);
    let mut fields = vec![("absent_since", Kind::Time)];
    let mut next_seq = None;
    if R::ENTITY == Entity::Supporters {
        fields.push(("change_seq", Kind::Int));
        next_seq = Some(seq::reserve(step, ids.len()).await?);
    }
    let objects = ids
        .iter()
        .enumerate()
        .map(|(index, id)| {
            let seq = next_seq.map_or(String::new(), |first| format!(",\"change_seq\":{}", first + index as i64));
            format!("{{\"id\":{id},\"absent_since\":\"{stamp}\"{seq}}}").into_bytes()
        })
        .collect::<Vec<_>>();
    let text = update(step.backend, R::table().name, &fields);
    step.tx
        .execute_raw(sql(step.backend, &text, [document(objects.iter().map(Vec::as_slice)), step.organization_id.into()]))
        .await
        .map_err(|error| Error::query("marking absent records", error))?;
    Ok(stored.into_values().collect())
}
