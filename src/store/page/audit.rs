//! Notes what a stored consent, e-mail or amount was before the batch.

use super::diff::BatchDiff;
use super::tx::PageTx;
use crate::entities::Record;
use crate::store::value::Value;
use crate::store::{Error, audit};
use serde_json::json;

/// Notes every change of an audited column of a row that was stored.
pub(super) async fn record_changes<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    let at = page.dialect.time_text(page.now);
    let noun = R::ABOUT.singular;
    let mut objects = Vec::new();
    for write in &diff.writes {
        let Some(before) = write.before.as_ref().filter(|stored| !stored.is_stub) else {
            continue;
        };
        let audited = R::COLUMNS
            .iter()
            .filter_map(|column| Some((column, column.audit?)));
        for ((column, action), was) in audited.zip(&before.audited) {
            let is = Value::of(&column.get, write.row);
            // A column that was not stored before: that nobody agreed then is no news.
            let is_new_column =
                before.is_outdated && *was == Value::Null && is == Value::Bool(false);
            if is != *was && !is_new_column {
                let detail = json!({ "column": column.name, "from": was.json(), "to": is.json() });
                let object = json!({
                    "at": at, "actor": "sync", "organization_id": page.organization_id, "action": format!("{noun}.{action}"),
                    "subject": format!("{noun}:{}", write.row.id()), "detail": detail.to_string(),
                });
                objects.push(object.to_string().into_bytes());
            }
        }
    }
    page.require_packet(objects.iter().map(|object| object.len() + 1).sum())
        .await?;
    audit::insert(page.tx, page.dialect, &objects).await
}
