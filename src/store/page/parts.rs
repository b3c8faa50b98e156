//! A batch that the database does not take, for a reason in one of its values: halved until the
//! record is found. That one is rejected with the database's reason, all others are stored, and the
//! checkpoint goes with the last transaction.

use super::commit::{commit_whole, takes_any};
use crate::domain::{Item, Reject, RejectReason};
use crate::entities::Record;
use crate::store::batch::{Batch, Committed, Late, Reading};
use crate::store::{Error, Fence, TenantStore};
use std::collections::HashSet;
use std::ops::Range;

/// When so many records were rejected and none was taken, the database may take no record at all,
/// whatever it says: then it is not the records.
const REJECTED: usize = 20;

/// Stores what can be stored of a batch that failed as a whole.
///
/// # Errors
/// As the whole; and the database's reason when it takes no record at all, or fails without any.
pub(super) async fn commit_in_parts<R: Record>(
    store: &TenantStore,
    fence: &Fence,
    batch: &Batch<R>,
    error: Error,
) -> Result<Committed, Error> {
    tracing::warn!(entity = %R::ENTITY, records = batch.items.len(), error = %error, "a batch is stored in parts, since the database does not take it");
    let (mut committed, mut late) = (Committed::default(), Late::default());
    let (mut rejected, mut stored) = (Vec::new(), HashSet::new());
    let mut is_known_to_take = false;
    // The first part last, so that it is the next.
    let mut parts = vec![(0..batch.items.len(), Some(error))];
    while let Some((part, failed)) = parts.pop() {
        let error = match failed {
            Some(error) => error,
            None => {
                match commit_whole(store, fence, &part_of(batch, part.clone(), &stored)).await {
                    Ok((done, found)) => {
                        committed.counts.add(&done.counts);
                        late.add(found);
                        stored.extend(batch.items[part].iter().filter_map(good_id));
                        continue;
                    }
                    Err(error) if error.is_of_data() => error,
                    Err(error) => return Err(error),
                }
            }
        };
        if part.len() > 1 {
            let middle = part.start + part.len() / 2;
            parts.extend([(middle..part.end, None), (part.start..middle, None)]);
            continue;
        }
        let Some(Item::Good(record)) = batch.items.get(part.start) else {
            return Err(error);
        };
        rejected.push(Item::Bad(Reject {
            source_id: Some(record.id()),
            updated_at: record.updated_at(),
            reason: RejectReason::Database,
            detail: format!("record: the database does not take it: {error}"),
            opt_out: record.opt_out(),
        }));
        if rejected.len() >= REJECTED && stored.is_empty() && !is_known_to_take {
            is_known_to_take = takes_any::<R>(store, fence, record.id()).await?;
            if !is_known_to_take {
                return Err(error);
            }
        }
    }
    let (rest, _) = commit_whole(store, fence, &rest_of(batch, rejected, late)).await?;
    committed.counts.add(&rest.counts);
    committed.state = rest.state;
    Ok(committed)
}

fn good_id<R: Record>(item: &Item<R>) -> Option<i64> {
    if let Item::Good(record) = item {
        Some(record.id())
    } else {
        None
    }
}

/// A part of the records, and nothing else of the batch.
fn part_of<R: Record>(batch: &Batch<R>, part: Range<usize>, stored: &HashSet<i64>) -> Batch<R> {
    let fingerprints = part.end.min(batch.fingerprints.len());
    let reading = match &batch.reading {
        Reading::Changes => Reading::Changes,
        // Of the same record twice in a batch the newer version counts, also when its part came
        // first.
        Reading::Full { but } => Reading::Full {
            but: but.union(stored).copied().collect(),
        },
    };
    Batch {
        fingerprints: batch
            .fingerprints
            .get(part.start..fingerprints)
            .unwrap_or_default()
            .to_vec(),
        reading,
        expected_before: batch.expected_before,
        ..Batch::of(batch.items.get(part).unwrap_or_default().to_vec())
    }
}

/// All of the batch but its records: what was rejected, the checkpoint, and who is suspected or
/// gone.
fn rest_of<R: Record>(batch: &Batch<R>, rejected: Vec<Item<R>>, late: Late) -> Batch<R> {
    let mut state = batch.state.clone();
    if let Some(pass) = state.as_mut().and_then(|state| state.pass.as_mut()) {
        late.add_to(pass);
    }
    Batch {
        state,
        suspects: batch.suspects.clone(),
        absent: batch.absent.clone(),
        forget_suspects: batch.forget_suspects,
        ..Batch::of(rejected)
    }
}
