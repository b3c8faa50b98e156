//! What is to be done with each record of a batch: found by comparing fingerprints before anything is written.

use super::batch::Batch;
use super::page::Step;
use super::row::{Get, Kind, Row, RowText, has_stubs, time_text, write_int, write_key, write_text};
use super::statement::{as_bigint, ids_document, lookup, quoted, sql, unpack};
use super::value::Stored;
use super::{Error, value};
use crate::domain::{Item, Money, Reject, RejectReason, RunCounts};
use sea_orm::{ConnectionTrait, DbBackend};
use std::borrow::Cow;
use std::collections::HashMap;

/// SQLite's REAL holds fifteen significant digits: eleven before the point, four after.
const SQLITE_LIMIT: i64 = 100_000_000_000;

/// A row that will be written.
pub(super) struct Write<'a, R> {
    pub(super) row: R,
    pub(super) text: Cow<'a, RowText>,
    /// What was stored, a stub included.
    pub(super) before: Option<Stored>,
}

/// The fate of every item of a batch.
pub(super) struct Decision<'a, R> {
    pub(super) writes: Vec<Write<'a, R>>,
    /// Ids as stored already, with whether their stored row is whole.
    pub(super) unchanged: Vec<i64>,
    pub(super) rejects: Vec<Reject>,
    seen: u64,
    older: u64,
    refused: u64,
}

impl<R: Row> Decision<'_, R> {
    /// Every record seen in exactly one of the counts.
    pub(super) fn counts(&self) -> RunCounts {
        let inserted = self.writes.iter().filter(|write| write.before.as_ref().is_none_or(|stored| stored.is_stub)).count() as u64;
        RunCounts {
            seen: self.seen,
            inserted,
            updated: self.writes.len() as u64 - inserted,
            unchanged: self.seen - self.writes.len() as u64 - self.older - self.refused,
            older: self.older,
            rejected: self.refused,
            ..RunCounts::default()
        }
    }

    /// Whether a stub of another organization turns out to be ours.
    pub(super) fn takes_over_stubs(&self) -> bool {
        self.writes.iter().any(|write| write.before.as_ref().is_some_and(|stored| stored.is_foreign))
    }

    /// The rows to write, as JSON objects.
    pub(super) fn objects(&self, step: &Step<'_>, first_seq: Option<i64>) -> Vec<Vec<u8>> {
        let stamp = time_text(step.now, step.backend);
        let object = |(index, write): (usize, &Write<'_, R>)| {
            let mut out = Vec::with_capacity(write.text.columns.len() + 192);
            out.extend_from_slice(&write.text.columns);
            write_key("organization_id", &mut out);
            write_int(step.organization_id, &mut out);
            write_key("fingerprint", &mut out);
            write_int(write.text.fingerprint, &mut out);
            write_key("last_sync_at", &mut out);
            write_text(&stamp, &mut out);
            if let Some(first) = first_seq {
                write_key("change_seq", &mut out);
                write_int(first + index as i64, &mut out);
                write_key("first_seen_at", &mut out);
                write_text(&stamp, &mut out);
            }
            out.push(b'}');
            out
        };
        self.writes.iter().enumerate().map(object).collect()
    }
}

/// Compares a batch with what is stored.
pub(super) async fn decide<'a, R: Row>(step: &Step<'_>, batch: &'a Batch<R>) -> Result<Decision<'a, R>, Error> {
    let items = &batch.items;
    let mut decision =
        Decision { writes: Vec::new(), unchanged: Vec::new(), rejects: Vec::new(), seen: items.len() as u64, older: 0, refused: 0 };
    let mut newest: HashMap<i64, (&R, Option<&RowText>)> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Bad(reject) => decision.refuse(reject.clone()),
            Item::Good(row) => match newest.get(&row.id()) {
                // The same person twice in one batch: the newer version, of equals the one asked for later.
                Some((other, _)) if other.updated_at() > row.updated_at() => {}
                _ => {
                    newest.insert(row.id(), (row, batch.texts.get(index).and_then(Option::as_ref)));
                }
            },
        }
    }
    let mut rows: Vec<(&R, Option<&RowText>)> = newest.into_values().collect();
    // In key order, so that two transactions meet their rows in the same order.
    rows.sort_unstable_by_key(|(row, _)| row.id());
    if rows.is_empty() {
        return Ok(decision);
    }
    let mut stored = read_stored::<R>(step, rows.iter().map(|(row, _)| row.id())).await?;
    for (row, text) in rows {
        if step.backend == DbBackend::Sqlite
            && let Some(column) = too_large(row)
        {
            decision.refuse(refused(row, RejectReason::AmountTooLarge, format!("{column}: more than SQLite holds exactly (11 digits)")));
            continue;
        }
        let text = text.map_or_else(|| Cow::Owned(RowText::of(row, step.backend)), Cow::Borrowed);
        let before = stored.remove(&row.id());
        match &before {
            Some(stored) if stored.is_foreign && !stored.is_stub => {
                decision.refuse(refused(row, RejectReason::ForeignId, "id: stored for another organization".to_owned()));
            }
            // A record that was gone and is served again is what the source says now, whatever its date.
            Some(stored) if !stored.is_stub && !stored.is_absent && older(row, stored) => decision.older += 1,
            Some(stored) if !stored.is_stub && !stored.is_absent && stored.fingerprint == Some(text.fingerprint) => {
                decision.unchanged.push(row.id());
            }
            _ => decision.writes.push(Write { row: row.clone(), text, before }),
        }
    }
    Ok(decision)
}

impl<R> Decision<'_, R> {
    fn refuse(&mut self, reject: Reject) {
        self.refused += 1;
        self.rejects.push(reject);
    }
}

/// A version without a time of change is what the source says now: it is not older than anything.
fn older<R: Row>(row: &R, stored: &Stored) -> bool {
    matches!((row.updated_at(), stored.updated_at), (Some(new), Some(old)) if new < old)
}

fn refused<R: Row>(row: &R, reason: RejectReason, detail: String) -> Reject {
    Reject { source_id: Some(row.id()), updated_at: row.updated_at(), reason, detail }
}

fn too_large<R: Row>(row: &R) -> Option<&'static str> {
    let limit = Money::new(SQLITE_LIMIT.into()).ok()?;
    R::table().columns.iter().find_map(|column| match column.get {
        Get::Money(get) => get(row).filter(|amount| amount.decimal().abs() >= limit.decimal()).map(|_| column.name),
        _ => None,
    })
}

pub(super) async fn read_stored<R: Row>(step: &Step<'_>, ids: impl Iterator<Item = i64>) -> Result<HashMap<i64, Stored>, Error> {
    let table = R::table();
    let stub = if has_stubs(R::ENTITY) { "CASE WHEN t.is_stub THEN 1 ELSE 0 END" } else { "0" };
    let flags = as_bigint(step.backend, &format!("{stub} + CASE WHEN t.absent_since IS NULL THEN 0 ELSE 2 END"));
    let mut columns = format!("t.id, t.organization_id, t.fingerprint, t.source_updated_at, {flags} AS flags");
    for column in table.columns.iter().filter(|column| column.audit.is_some()) {
        let name = format!("t.{}", quoted(step.backend, column.name));
        let value = if column.kind() == Kind::Money { super::statement::money_text(step.backend, &name) } else { name };
        columns.push_str(&format!(", {value} AS {}", quoted(step.backend, column.name)));
    }
    for link in table.links {
        columns.push_str(&format!(", t.{}", link.column));
    }
    let (source, join) = (unpack(step.backend, &[("id", Kind::Int)]), lookup(step.backend));
    let text = format!("SELECT {columns} FROM {source} {join} {} AS t ON t.id = j.id", table.name);
    let rows = step
        .tx
        .query_all_raw(sql(step.backend, &text, [ids_document(ids)]))
        .await
        .map_err(|error| Error::query("reading stored records", error))?;
    rows.iter()
        .map(|row| value::stored::<R>(row, step.organization_id))
        .collect::<Result<HashMap<_, _>, _>>()
        .map_err(|error| Error::query("reading stored records", error))
}
