//! Writes the records that are new or differ, and marks those that are gone.

use super::diff::{BatchDiff, Write, read_stored};
use super::tx::PageTx;
use crate::domain::Time;
use crate::entities::record::Kind;
use crate::entities::{Entity, Record};
use crate::store::Error;
use crate::store::bulk_insert::{BulkInsert, GROUP_BYTES, SizedStatement};
use crate::store::column_value::ColumnValue;
use crate::store::dialect::Field;
use crate::store::row::has_stubs;
use crate::store::statement::{document, replace, update};
use crate::store::value::Stored;
use sea_orm::ConnectionTrait;
use std::marker::PhantomData;

/// Writes what the comparison found to be written.
pub(super) async fn upsert<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    if diff.writes.is_empty() {
        return Ok(());
    }
    let columns = Columns::<R>::new(page);
    let mut next_seq = None;
    if R::ENTITY == Entity::Supporters {
        next_seq = Some(page.reserve_change_seqs(diff.writes.len()).await?);
    }
    let (new, known): (Vec<_>, Vec<_>) = diff
        .writes
        .iter()
        .enumerate()
        .partition(|(_, write)| write.before.is_none());
    let whole = page.dialect.is_false("is_stub");
    let mut also = vec!["absent_since = NULL"];
    if has_stubs(R::ENTITY) {
        also.push(whole.as_str());
    }
    let kept = ["id", "organization_id", "first_seen_at"];
    let key = "id, organization_id";
    let replaced = replace(page.dialect, key, &columns.fields, &kept, &also);
    let most_bytes = page.largest_statement().await?.min(GROUP_BYTES);
    // A row that appeared since we looked makes the insert fail and the transaction be tried again.
    for (writes, on_conflict) in [(new, ""), (known, replaced.as_str())] {
        let insert = BulkInsert {
            dialect: page.dialect,
            table: R::ABOUT.table,
            fields: &columns.fields,
            first_shared: columns.first_shared,
            on_conflict,
            most_bytes,
        };
        let value = |row: usize, column: usize| {
            let (index, write) = writes[row];
            columns.value(write, next_seq.map(|first| first + index as i64), column)
        };
        for SizedStatement { statement, bytes } in insert.statements(writes.len(), value) {
            page.require_packet(bytes).await?;
            let done = page.tx.execute_raw(statement).await;
            done.map_err(|error| Error::query("writing records", error))?;
        }
    }
    Ok(())
}

/// The columns of a record's row: the id, those from the source, and our own.
struct Columns<R> {
    fields: Vec<Field<'static>>,
    /// From here on all rows have the same.
    first_shared: usize,
    organization_id: i64,
    now: Time,
    record: PhantomData<R>,
}

impl<R: Record> Columns<R> {
    fn new(page: &PageTx<'_>) -> Self {
        let mut fields = vec![("id", Kind::Int)];
        fields.extend(R::COLUMNS.iter().map(|column| (column.name, column.kind())));
        fields.push(("fingerprint", Kind::Int));
        let of_people = R::ENTITY == Entity::Supporters;
        fields.extend(of_people.then_some(("change_seq", Kind::Int)));
        let first_shared = fields.len();
        fields.extend([
            ("organization_id", Kind::Int),
            ("schema_version", Kind::Int),
            ("last_sync_at", Kind::Time),
        ]);
        fields.extend(of_people.then_some(("first_seen_at", Kind::Time)));
        Columns {
            fields,
            first_shared,
            organization_id: page.organization_id,
            now: page.now,
            record: PhantomData,
        }
    }

    /// What a row has in the column at this place of the fields.
    fn value<'v>(
        &self,
        write: &'v Write<'_, R>,
        change_seq: Option<i64>,
        place: usize,
    ) -> ColumnValue<'v> {
        if place == 0 {
            return ColumnValue::Int(write.row.id());
        }
        if let Some(column) = R::COLUMNS.get(place - 1) {
            return ColumnValue::of(column, write.row);
        }
        match self.fields.get(place).map(|(name, _)| *name) {
            Some("organization_id") => ColumnValue::Int(self.organization_id),
            Some("fingerprint") => ColumnValue::Int(write.fingerprint),
            Some("schema_version") => ColumnValue::Int(R::ENTITY.schema_version()),
            Some("change_seq") => change_seq.map_or(ColumnValue::Null, ColumnValue::Int),
            _ => ColumnValue::Time(self.now),
        }
    }
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
    let stamp = page.dialect.time_text(page.now);
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
    let text = update(page.dialect, R::ABOUT.table, &fields);
    let values = [
        document(objects.iter().map(Vec::as_slice)),
        page.organization_id.into(),
    ];
    page.execute("marking absent records", &text, values)
        .await?;
    Ok(stored.into_values().collect())
}
