//! Parents that are not there yet get a stub, so that every link is kept as the source says it, and
//! whole when the parent comes.

use super::diff::BatchDiff;
use super::tx::PageTx;
use crate::entities::record::Kind;
use crate::entities::{Entity, Record};
use crate::store::Error;
use crate::store::statement::{document, ids_document, insert_missing};
use std::collections::{BTreeSet, HashSet};

/// Makes every link of the rows to be written one that the database accepts.
pub(super) async fn resolve_links<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    for link in R::LINKS {
        let ids: BTreeSet<i64> = diff
            .writes
            .iter()
            .filter_map(|write| (link.get)(write.row))
            .collect();
        make_stubs(page, link.parent, &ids).await?;
    }
    Ok(())
}

/// Makes a stub of each of these that is not there.
pub(super) async fn make_stubs(
    page: &PageTx<'_>,
    entity: Entity,
    ids: &BTreeSet<i64>,
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let present = present(page, entity, ids).await?;
    let missing: Vec<i64> = ids
        .iter()
        .copied()
        .filter(|id| !present.contains(id))
        .collect();
    insert_stubs(page, entity, &missing).await
}

/// Of these ids those that are stored.
async fn present(
    page: &PageTx<'_>,
    parent: Entity,
    ids: &BTreeSet<i64>,
) -> Result<HashSet<i64>, Error> {
    let text = format!(
        "SELECT t.id FROM {} {}",
        page.dialect.unpack(&[("id", Kind::Int)]),
        page.dialect.found_by_id(parent.as_str(), "t", 2)
    );
    let values = [
        ids_document(ids.iter().copied()),
        page.organization_id.into(),
    ];
    let ids = page.tuples("reading parents", &text, values).await?;
    Ok(ids.into_iter().collect())
}

async fn insert_stubs(page: &PageTx<'_>, parent: Entity, ids: &[i64]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut fields = vec![
        ("id", Kind::Int),
        ("organization_id", Kind::Int),
        ("is_stub", Kind::Bool),
        ("last_sync_at", Kind::Time),
    ];
    if parent == Entity::Supporters {
        fields.push(("first_seen_at", Kind::Time));
    }
    let stamp = page.dialect.time_text(page.now);
    let objects: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| {
            let owner = page.organization_id;
            format!(r#"{{"id":{id},"organization_id":{owner},"is_stub":1,"last_sync_at":"{stamp}","first_seen_at":"{stamp}"}}"#)
                .into_bytes()
        })
        .collect();
    let text = insert_missing(page.dialect, parent.as_str(), "id", &fields);
    page.execute(
        "writing stubs",
        &text,
        [document(objects.iter().map(Vec::as_slice))],
    )
    .await?;
    Ok(())
}
