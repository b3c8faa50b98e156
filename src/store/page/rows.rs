//! Writes the records that are new or differ, and marks those that are gone.

use super::diff::{BatchDiff, read_stored};
use super::tx::PageTx;
use crate::entities::record::Kind;
use crate::entities::{Entity, Record};
use crate::store::Error;
use crate::store::row::{has_stubs, time_text};
use crate::store::statement::{document, insert, update, upsert as upsert_text};
use crate::store::value::Stored;
use sea_orm::DbBackend;

/// Writes what the comparison found to be written.
pub(super) async fn upsert<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    if diff.writes.is_empty() {
        return Ok(());
    }
    let mut fields = vec![("id", Kind::Int)];
    fields.extend(R::COLUMNS.iter().map(|column| (column.name, column.kind())));
    fields.extend([
        ("organization_id", Kind::Int),
        ("fingerprint", Kind::Int),
        ("schema_version", Kind::Int),
        ("last_sync_at", Kind::Time),
    ]);
    let mut next_seq = None;
    if R::ENTITY == Entity::Supporters {
        fields.extend([("change_seq", Kind::Int), ("first_seen_at", Kind::Time)]);
        next_seq = Some(page.reserve_change_seqs(diff.writes.len()).await?);
    }
    let objects = diff.objects(page, next_seq);
    let (new, known): (Vec<_>, Vec<_>) = objects
        .iter()
        .zip(&diff.writes)
        .partition(|(_, write)| write.before.is_none());
    let mut also = vec!["absent_since = NULL"];
    if has_stubs(R::ENTITY) {
        also.push(if page.backend == DbBackend::Postgres {
            "is_stub = FALSE"
        } else {
            "is_stub = 0"
        });
    }
    // A row that appeared since we looked makes the insert fail and the transaction be tried again.
    let kept = ["id", "organization_id", "first_seen_at"];
    let statements = [
        (new, insert(page.backend, R::ABOUT.table, &fields)),
        (
            known,
            upsert_text(
                page.backend,
                R::ABOUT.table,
                "id, organization_id",
                &fields,
                &kept,
                &also,
            ),
        ),
    ];
    for (rows, text) in statements {
        if !rows.is_empty() {
            page.require_packet(rows.iter().map(|(object, _)| object.len() + 1).sum())
                .await?;
            let document = document(rows.iter().map(|(object, _)| object.as_slice()));
            page.execute("writing records", &text, [document]).await?;
        }
    }
    Ok(())
}

/// Marks rows as gone at the source; returns them as they were.
pub(super) async fn mark_absent<R: Record>(
    page: &PageTx<'_>,
    ids: &[i64],
) -> Result<Vec<Stored>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let stored = read_stored::<R>(page, ids.iter().copied()).await?;
    let stamp = time_text(page.now, page.backend);
    let mut fields = vec![("absent_since", Kind::Time)];
    let mut next_seq = None;
    if R::ENTITY == Entity::Supporters {
        fields.push(("change_seq", Kind::Int));
        next_seq = Some(page.reserve_change_seqs(ids.len()).await?);
    }
    let objects = ids
        .iter()
        .enumerate()
        .map(|(index, id)| {
            let seq = next_seq.map_or(String::new(), |first| {
                format!(",\"change_seq\":{}", first + index as i64)
            });
            format!("{{\"id\":{id},\"absent_since\":\"{stamp}\"{seq}}}").into_bytes()
        })
        .collect::<Vec<_>>();
    let text = update(page.backend, R::ABOUT.table, &fields);
    let values = [
        document(objects.iter().map(Vec::as_slice)),
        page.organization_id.into(),
    ];
    page.execute("marking absent records", &text, values)
        .await?;
    Ok(stored.into_values().collect())
}
