//! How totals are written to the rows that they belong to.

use super::tx::PageTx;
use crate::entities::record::Kind;
use crate::store::Error;
use crate::store::statement::{document, update};

/// The beginning of a row's object; whoever writes its fields closes it.
pub(super) fn opening(id: i64) -> Vec<u8> {
    format!("{{\"id\":{id}").into_bytes()
}

/// Sets `fields` of the rows that `changed` are the objects of.
pub(super) async fn save(
    page: &PageTx<'_>,
    table: &str,
    changed: &[Vec<u8>],
    fields: &[(&str, Kind)],
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    page.require_packet(changed.iter().map(|object| object.len() + 1).sum())
        .await?;
    let values = [
        document(changed.iter().map(Vec::as_slice)),
        page.organization_id.into(),
    ];
    page.execute(
        "writing totals",
        &update(page.dialect, table, fields),
        values,
    )
    .await?;
    Ok(())
}
