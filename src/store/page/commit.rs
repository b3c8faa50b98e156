//! One page transaction: the order of its steps, and how often it is tried.

use super::diff::{BatchDiff, compare};
use super::totals::Touched;
use super::tx::PageTx;
use super::{audit, checkpoint, parents, refusals, rejects, rows, totals};
use crate::domain::Item;
use crate::entities::Record;
use crate::net::retry;
use crate::store::batch::{Batch, Committed, Late};
use crate::store::fenced::TransactionTries;
use crate::store::{Error, Fence, TenantStore};

/// One transaction, tried again as often as makes sense.
pub(super) async fn commit_whole<R: Record>(
    store: &TenantStore,
    fence: &Fence,
    batch: &Batch<R>,
) -> Result<(Committed, Late), Error> {
    retry(TransactionTries::of_repeatable(), || {
        commit_once(store, fence, batch)
    })
    .await
}

async fn commit_once<R: Record>(
    store: &TenantStore,
    fence: &Fence,
    batch: &Batch<R>,
) -> Result<(Committed, Late), Error> {
    let tx = store.begin_fenced(fence).await?;
    let page = PageTx::new(&tx, store, R::ENTITY);
    let (committed, late) = write_batch(&page, batch).await?;
    tx.commit().await.map_err(Error::commit)?;
    store.store.written().add(
        R::ENTITY,
        committed.counts.inserted + committed.counts.updated,
    );
    Ok((committed, late))
}

/// Whether the database takes any record of this kind: one that says nothing but its id, which is
/// undone.
pub(super) async fn takes_any<R: Record>(
    store: &TenantStore,
    fence: &Fence,
    id: i64,
) -> Result<bool, Error> {
    let tx = store.begin_fenced(fence).await?;
    let page = PageTx::new(&tx, store, R::ENTITY);
    let written = write_batch(&page, &Batch::of(vec![Item::Good(R::of_id(id))])).await;
    tx.rollback()
        .await
        .map_err(|error| Error::query("undoing a record that was tried", error))?;
    match written {
        Ok(_) => Ok(true),
        Err(error) if error.is_of_data() => Ok(false),
        Err(error) => Err(error),
    }
}

/// See [`TenantStore::refresh_totals`].
pub(super) async fn refresh_totals<R: Record>(
    store: &TenantStore,
    fence: &Fence,
    after: i64,
) -> Result<Option<i64>, Error> {
    retry(TransactionTries::of_repeatable(), || async {
        let tx = store.begin_fenced(fence).await?;
        let page = PageTx::new(&tx, store, R::ENTITY);
        let next = totals::refresh_next(&page, after).await?;
        tx.commit().await.map_err(Error::commit)?;
        Ok(next)
    })
    .await
}

/// The steps, in the order that they need: links before rows, since foreign keys are checked at
/// once; totals after everything that they are summed from; the checkpoint last, since it says that
/// all of this is stored.
async fn write_batch<R: Record>(
    page: &PageTx<'_>,
    batch: &Batch<R>,
) -> Result<(Committed, Late), Error> {
    let diff = compare(page, batch).await?;
    parents::resolve_links(page, &diff).await?;
    rows::upsert(page, &diff).await?;
    audit::record_changes(page, &diff).await?;
    rejects::record_rejects(page, &diff).await?;
    refusals::keep_refusals(page, &diff).await?;
    let gone = rows::mark_absent::<R>(page, &batch.absent).await?;
    let ended = batch
        .state
        .as_ref()
        .filter(|state| batch.forget_suspects && state.pass.is_none());
    let pass_is_over = ended.is_some();
    if ended.is_some_and(|state| state.shortfall.is_none()) {
        rejects::resolve_nameless(page).await?;
    }
    let touched = Touched::of(&diff.writes, &gone);
    let leaves_totals = batch.is_of_first_pass() && touched.may_wait(page.entity);
    if !leaves_totals {
        totals::refresh(page, &touched, pass_is_over).await?;
    }

    let mut counts = diff.counts();
    counts.absent = batch.absent.len() as u64;
    let late = count_late(&diff, batch);
    let mut state = batch.state.clone();
    if let Some(state) = &mut state {
        if let Some(pass) = &mut state.pass {
            late.add_to(pass);
        }
        checkpoint::save(page, state).await?;
    }
    checkpoint::keep_suspects(page, batch).await?;
    let committed = Committed {
        counts,
        state,
        leaves_totals,
    };
    Ok((committed, late))
}

/// Counts into `missing` and `stale` what the incremental should have brought before, and into
/// `restored` what it could not.
fn count_late<R: Record>(diff: &BatchDiff<'_, R>, batch: &Batch<R>) -> Late {
    let mut late = Late::default();
    let Some(before) = batch.expected_before else {
        return late;
    };
    for write in &diff.writes {
        if write.is_restored() {
            late.restored += 1;
        } else if !write.is_upgraded() && write.row.updated_at().is_none_or(|at| at < before) {
            match write.before {
                None => late.missing += 1,
                Some(ref stored) if stored.is_stub => late.missing += 1,
                Some(_) => late.stale += 1,
            }
        }
    }
    late
}
