//! A record that cannot be stored may say all the same that its person may not be mailed: that
//! counts, for them and at the address that it names, though nothing else of it does.

use super::diff::{BatchDiff, read_stored};
use super::parents::make_stubs;
use super::tx::PageTx;
use crate::domain::{Address, RejectReason};
use crate::entities::Record;
use crate::entities::consent::Consent;
use crate::entities::record::Kind;
use crate::store::row::{write_key, write_text};
use crate::store::statement::{document, update};
use crate::store::value::{Stored, Value};
use crate::store::{Error, audit};
use serde_json::json;
use std::collections::BTreeMap;

/// What becomes of somebody who refuses.
struct Change {
    /// The consent that is taken back.
    was: Value,
    /// The address of before and the one that the record names, where that is another one.
    moved: Option<(Value, Address)>,
    is_stub: bool,
}

/// Takes back the consent of whoever refuses in a record that was rejected. Of somebody who was
/// never stored there is a stub then, which says no more than that.
pub(super) async fn keep_refusals<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    let Some(consent) = R::CONSENT else {
        return Ok(());
    };
    let ours = diff
        .rejects
        .iter()
        .filter(|reject| reject.reason != RejectReason::ForeignOrganization);
    let refusers: BTreeMap<i64, _> = ours
        .filter_map(|reject| {
            let opt_out = reject.opt_out.as_ref()?;
            Some((
                reject.source_id?,
                (reject.updated_at, opt_out.address.clone()),
            ))
        })
        .collect();
    if refusers.is_empty() {
        return Ok(());
    }
    make_stubs(page, R::ENTITY, &refusers.keys().copied().collect()).await?;
    let stored = read_stored::<R>(page, refusers.keys().copied()).await?;
    let mut changed: BTreeMap<i64, Change> = BTreeMap::new();
    for (id, row) in stored {
        let Some((updated_at, address)) = refusers.get(&id) else {
            continue;
        };
        let is_older = updated_at
            .zip(row.updated_at)
            .is_some_and(|(new, old)| new < old);
        let change = change::<R>(&row, &consent, address.as_ref());
        let is_news = change.was != Value::Bool(false) || change.moved.is_some() || row.is_absent;
        if !is_older && is_news {
            changed.insert(id, change);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    write::<R>(page, &consent, &changed).await?;
    note::<R>(page, &consent, &changed).await
}

fn change<R: Record>(row: &Stored, consent: &Consent, address: Option<&Address>) -> Change {
    let audited = |name: &str| {
        let place = R::COLUMNS
            .iter()
            .filter(|one| one.audit.is_some())
            .position(|one| one.name == name);
        place
            .and_then(|place| row.audited.get(place).cloned())
            .unwrap_or(Value::Null)
    };
    let before = audited(consent.address);
    let had = match &before {
        Value::Text(text) => Address::parse(text),
        _ => None,
    };
    Change {
        was: audited(consent.column),
        moved: address
            .filter(|address| had.as_ref() != Some(address))
            .map(|address| (before, address.clone())),
        is_stub: row.is_stub,
    }
}

/// No version of the record has this fingerprint, so the next good one is written whatever it says;
/// a stub has none.
async fn write<R: Record>(
    page: &PageTx<'_>,
    consent: &Consent,
    changed: &BTreeMap<i64, Change>,
) -> Result<(), Error> {
    let first = page.reserve_change_seqs(changed.len()).await?;
    let opening = |(index, (id, change)): (usize, (&i64, &Change))| {
        let seq = first + index as i64;
        let fingerprint = if change.is_stub { "null" } else { "0" };
        let mut object = format!(
            r#"{{"id":{id},"{}":0,"fingerprint":{fingerprint},"change_seq":{seq}"#,
            consent.column
        )
        .into_bytes();
        if let Some((_, address)) = &change.moved {
            write_key(consent.address, &mut object);
            write_text(address.as_str(), &mut object);
            write_key(consent.address_lookup, &mut object);
            write_text(address.key(), &mut object);
        }
        object.push(b'}');
        object
    };
    let (moving, staying): (Vec<_>, Vec<_>) = changed
        .iter()
        .enumerate()
        .partition(|(_, (_, change))| change.moved.is_some());
    let own = [
        (consent.column, Kind::Bool),
        ("fingerprint", Kind::Int),
        ("change_seq", Kind::Int),
        // Served again: there.
        ("absent_since", Kind::Time),
    ];
    let address = [
        (consent.address, Kind::Text),
        (consent.address_lookup, Kind::Text),
    ];
    for (people, fields) in [
        (moving, [&own[..], &address].concat()),
        (staying, own.to_vec()),
    ] {
        let objects: Vec<Vec<u8>> = people.into_iter().map(opening).collect();
        if objects.is_empty() {
            continue;
        }
        let text = update(page.dialect, R::ABOUT.table, &fields);
        let values = [
            document(objects.iter().map(Vec::as_slice)),
            page.organization_id.into(),
        ];
        page.execute("keeping refusals", &text, values).await?;
    }
    Ok(())
}

/// In the audit trail.
async fn note<R: Record>(
    page: &PageTx<'_>,
    consent: &Consent,
    changed: &BTreeMap<i64, Change>,
) -> Result<(), Error> {
    let (at, noun) = (page.dialect.time_text(page.now), R::ABOUT.singular);
    let action = |column: &str| {
        let found = R::COLUMNS.iter().find(|one| one.name == column);
        found.and_then(|one| one.audit).unwrap_or_default()
    };
    let entry = |id: &i64, column: &str, from: serde_json::Value, to: serde_json::Value| {
        let detail = json!({ "column": column, "from": from, "to": to, "of": "a record that could not be stored" });
        let object = json!({
            "at": at, "actor": "sync", "organization_id": page.organization_id,
            "action": format!("{noun}.{}", action(column)), "subject": format!("{noun}:{id}"), "detail": detail.to_string(),
        });
        object.to_string().into_bytes()
    };
    let mut entries = Vec::new();
    for (id, change) in changed {
        if change.was != Value::Bool(false) {
            entries.push(entry(id, consent.column, change.was.json(), json!(false)));
        }
        if let Some((before, address)) = &change.moved {
            entries.push(entry(
                id,
                consent.address,
                before.json(),
                json!(address.as_str()),
            ));
        }
    }
    audit::insert(page.tx, page.dialect, &entries).await
}
