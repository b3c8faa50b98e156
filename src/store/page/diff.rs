//! How a batch differs from what is stored: found by comparing fingerprints before anything is
//! written.

use super::tx::PageTx;
use crate::domain::{Item, Reject, RejectReason, RunCounts};
use crate::entities::Record;
use crate::entities::record::{Get, Kind};
use crate::store::Error;
use crate::store::batch::Batch;
use crate::store::dialect::Dialect;
use crate::store::row::{Fingerprint, has_stubs};
use crate::store::statement::ids_document;
use crate::store::value::{self, Stored, StoredRow};
use std::collections::HashMap;

/// A row that will be written.
pub(super) struct Write<'a, R> {
    pub(super) row: &'a R,
    pub(super) fingerprint: i64,
    /// What was stored, a stub included.
    pub(super) before: Option<Stored>,
}

impl<R: Record> Write<'_, R> {
    /// Whether the source went back to an older version.
    pub(super) fn is_restored(&self) -> bool {
        self.before.as_ref().is_some_and(|stored| {
            !stored.is_stub && !stored.is_absent && is_stale_version(self.row, stored)
        })
    }

    /// Whether it is the version that is stored, of which more is stored now.
    pub(super) fn is_upgraded(&self) -> bool {
        let is_same = |stored: &Stored| self.row.updated_at() == stored.updated_at;
        self.before.as_ref().is_some_and(|stored| {
            stored.is_outdated && !stored.is_stub && !stored.is_absent && is_same(stored)
        })
    }
}

/// What is to be done with every item of a batch.
pub(super) struct BatchDiff<'a, R> {
    pub(super) writes: Vec<Write<'a, R>>,
    /// Ids as stored already, with whether their stored row is whole.
    pub(super) unchanged: Vec<i64>,
    pub(super) rejects: Vec<Reject>,
    seen: u64,
    stale_versions: u64,
}

impl<R: Record> BatchDiff<'_, R> {
    /// Every record seen in exactly one of the counts.
    pub(super) fn counts(&self) -> RunCounts {
        let inserted = self
            .writes
            .iter()
            .filter(|write| write.before.as_ref().is_none_or(|stored| stored.is_stub))
            .count() as u64;
        RunCounts {
            seen: self.seen,
            inserted,
            updated: self.writes.len() as u64 - inserted,
            restored: self
                .writes
                .iter()
                .filter(|write| write.is_restored())
                .count() as u64,
            upgraded: self
                .writes
                .iter()
                .filter(|write| write.is_upgraded())
                .count() as u64,
            unchanged: self.seen
                - self.writes.len() as u64
                - self.stale_versions
                - self.rejects.len() as u64,
            older: self.stale_versions,
            rejected: self.rejects.len() as u64,
            ..RunCounts::default()
        }
    }
}

/// Compares a batch with what is stored.
pub(super) async fn compare<'a, R: Record>(
    page: &PageTx<'_>,
    batch: &'a Batch<R>,
) -> Result<BatchDiff<'a, R>, Error> {
    let items = &batch.items;
    let mut diff = BatchDiff {
        writes: Vec::new(),
        unchanged: Vec::new(),
        rejects: Vec::new(),
        seen: items.len() as u64,
        stale_versions: 0,
    };
    let mut newest: HashMap<i64, (&R, Option<&Fingerprint>)> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Bad(reject) => diff.rejects.push(reject.clone()),
            Item::Good(row) => match newest.get(&row.id()) {
                // The same person twice in one batch: the newer version, of equals the one asked
                // for later.
                Some((other, _)) if other.updated_at() > row.updated_at() => {}
                _ => {
                    newest.insert(
                        row.id(),
                        (row, batch.fingerprints.get(index).and_then(Option::as_ref)),
                    );
                }
            },
        }
    }
    let mut rows: Vec<(&R, Option<&Fingerprint>)> = newest.into_values().collect();
    // In key order, so that two transactions meet their rows in the same order.
    rows.sort_unstable_by_key(|(row, _)| row.id());
    if rows.is_empty() {
        return Ok(diff);
    }
    let mut stored = read_stored::<R>(page, rows.iter().map(|(row, _)| row.id())).await?;
    let mut scratch = Vec::new();
    for (row, made) in rows {
        if let Some(detail) = too_large(row, page.dialect) {
            diff.rejects.push(Reject {
                source_id: Some(row.id()),
                updated_at: row.updated_at(),
                reason: RejectReason::AmountTooLarge,
                detail,
                opt_out: row.opt_out(),
            });
            continue;
        }
        let fingerprint = made.map_or_else(
            || Fingerprint::of(row, page.dialect, &mut scratch).value,
            |made| made.value,
        );
        let before = stored.remove(&row.id());
        match &before {
            // A record that was gone and is served again is what the source says now, whatever its
            // date.
            Some(stored)
                if !stored.is_stub
                    && !stored.is_absent
                    && is_stale_version(row, stored)
                    && !batch.reading.believes(row.id()) =>
            {
                diff.stale_versions += 1;
            }
            Some(stored)
                if !stored.is_stub
                    && !stored.is_absent
                    && stored.fingerprint == Some(fingerprint) =>
            {
                diff.unchanged.push(row.id());
            }
            _ => diff.writes.push(Write {
                row,
                fingerprint,
                before,
            }),
        }
    }
    Ok(diff)
}

/// Whether a newer version is stored. One without a time of change is what the source says now: it
/// is not older than anything.
fn is_stale_version<R: Record>(row: &R, stored: &Stored) -> bool {
    matches!((row.updated_at(), stored.updated_at), (Some(new), Some(old)) if new < old)
}

/// The first amount that is too large, as the reason of a rejection tells it.
fn too_large<R: Record>(row: &R, dialect: Dialect) -> Option<String> {
    R::COLUMNS.iter().find_map(|column| match column.get {
        Get::Money(get) => {
            let is_summed = R::SUMMED == Some(column.name);
            let refused = get(row).and_then(|amount| value::refusal(amount, is_summed, dialect))?;
            Some(format!("{}: {refused}", column.name))
        }
        _ => None,
    })
}

/// What is stored of these ids.
pub(super) async fn read_stored<R: Record>(
    page: &PageTx<'_>,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Stored>, Error> {
    let stub = if has_stubs(R::ENTITY) {
        "CASE WHEN t.is_stub THEN 1 ELSE 0 END"
    } else {
        "0"
    };
    let version = R::ENTITY.schema_version();
    let outdated = format!("CASE WHEN t.schema_version < {version} THEN 4 ELSE 0 END");
    let flags = page.dialect.as_bigint(&format!(
        "{stub} + CASE WHEN t.absent_since IS NULL THEN 0 ELSE 2 END + {outdated}"
    ));
    let mut columns = format!("t.id, t.fingerprint, t.source_updated_at, {flags} AS flags");
    for column in R::COLUMNS.iter().filter(|column| column.audit.is_some()) {
        let name = format!("t.{}", page.dialect.quoted(column.name));
        let value = if column.kind() == Kind::Money {
            page.dialect.money_text(&name)
        } else {
            name
        };
        columns.push_str(&format!(
            ", {value} AS {}",
            page.dialect.quoted(column.name)
        ));
    }
    for link in R::LINKS {
        columns.push_str(&format!(", t.{}", link.column));
    }
    let text = format!(
        "SELECT {columns} FROM {} {}",
        page.dialect.unpack(&[("id", Kind::Int)]),
        page.dialect.found_by_id(R::ABOUT.table, "t", 2)
    );
    let doing = "reading stored records";
    let values = [ids_document(ids), page.organization_id.into()];
    let rows: Vec<StoredRow<R>> = page.query(doing, &text, values).await?;
    Ok(rows.into_iter().map(StoredRow::into_pair).collect())
}
