//! A record that cannot be stored may say all the same that its person may not be mailed: that
//! counts, though nothing else of it does.

use super::diff::{BatchDiff, read_stored};
use super::tx::PageTx;
use crate::domain::RejectReason;
use crate::entities::Record;
use crate::entities::record::Kind;
use crate::store::statement::{document, update};
use crate::store::value::Value;
use crate::store::{Error, audit};
use serde_json::json;
use std::collections::BTreeMap;

/// Takes back the consent of whoever refuses in a record that was rejected.
pub(super) async fn keep_refusals<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    let Some((_, column)) = R::CONSENT else {
        return Ok(());
    };
    let ours = diff
        .rejects
        .iter()
        .filter(|reject| reject.refuses && reject.reason != RejectReason::ForeignOrganization);
    let refusers: BTreeMap<i64, _> = ours
        .filter_map(|reject| Some((reject.source_id?, reject.updated_at)))
        .collect();
    if refusers.is_empty() {
        return Ok(());
    }
    let audited = || R::COLUMNS.iter().filter(|one| one.audit.is_some());
    let Some((place, action)) = audited()
        .position(|one| one.name == column)
        .zip(audited().find(|one| one.name == column))
    else {
        return Ok(());
    };
    let stored = read_stored::<R>(page, refusers.keys().copied()).await?;
    let mut changed: BTreeMap<i64, Value> = BTreeMap::new();
    for (id, row) in stored {
        let was = row.audited.get(place).cloned().unwrap_or(Value::Null);
        let is_older = refusers
            .get(&id)
            .copied()
            .flatten()
            .zip(row.updated_at)
            .is_some_and(|(new, old)| new < old);
        if !row.is_stub && !row.is_absent && !is_older && was != Value::Bool(false) {
            changed.insert(id, was);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let first = page.reserve_change_seqs(changed.len()).await?;
    // No version of the record has this fingerprint, so the next good one is written whatever it
    // says.
    let object = |(index, id): (usize, &i64)| {
        format!(
            r#"{{"id":{id},"{column}":0,"fingerprint":0,"change_seq":{}}}"#,
            first + index as i64
        )
        .into_bytes()
    };
    let objects: Vec<Vec<u8>> = changed.keys().enumerate().map(object).collect();
    let text = update(
        page.dialect,
        R::ABOUT.table,
        &[
            (column, Kind::Bool),
            ("fingerprint", Kind::Int),
            ("change_seq", Kind::Int),
        ],
    );
    let values = [
        document(objects.iter().map(Vec::as_slice)),
        page.organization_id.into(),
    ];
    page.execute("keeping refusals", &text, values).await?;
    let (at, noun) = (page.dialect.time_text(page.now), R::ABOUT.singular);
    let entry = |(id, was): (&i64, &Value)| {
        let detail = json!({ "column": column, "from": was.json(), "to": false, "of": "a record that could not be stored" });
        let object = json!({
            "at": at, "actor": "sync", "organization_id": page.organization_id,
            "action": format!("{noun}.{}", action.audit.unwrap_or_default()), "subject": format!("{noun}:{id}"), "detail": detail.to_string(),
        });
        object.to_string().into_bytes()
    };
    audit::insert(
        page.tx,
        page.dialect,
        &changed.iter().map(entry).collect::<Vec<_>>(),
    )
    .await
}
