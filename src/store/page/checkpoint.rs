//! Writes the checkpoint of the feed and the suspects of its pass, together with the rows that they
//! tell of.

use super::tx::PageTx;
use crate::clock;
use crate::domain::FeedState;
use crate::entities::record::Kind;
use crate::store::Error;
use crate::store::batch::Batch;
use crate::store::checkpoint::{ABSENT, COLUMNS, values};
use crate::store::statement::{document, insert_missing};

/// Ids named in one statement.
const NAMED_IDS: usize = 500;

/// Writes the checkpoint in the page transaction.
pub(super) async fn save(page: &PageTx<'_>, state: &FeedState) -> Result<(), Error> {
    let doing = "writing the checkpoint";
    let names = || {
        COLUMNS
            .into_iter()
            .chain([ABSENT])
            .map(|name| page.dialect.quoted(name))
    };
    let mut values = values(state);
    values.extend([
        clock::now().into(),
        page.organization_id.into(),
        page.entity.as_str().into(),
    ]);
    let set = names()
        .enumerate()
        .map(|(index, name)| format!("{name} = ${}", index + 1))
        .collect::<Vec<_>>()
        .join(", ");
    let next = COLUMNS.len() + 2;
    let text = format!(
        "UPDATE checkpoints SET {set}, updated_at = ${next} WHERE organization_id = ${} AND entity = ${}",
        next + 1,
        next + 2
    );
    let updated = page.execute(doing, &text, values.clone()).await?;
    if updated == 0 {
        let names = names().collect::<Vec<_>>().join(", ");
        let marks = (1..=values.len())
            .map(|index| format!("${index}"))
            .collect::<Vec<_>>()
            .join(", ");
        let text = format!(
            "INSERT INTO checkpoints ({names}, updated_at, organization_id, entity) VALUES ({marks})"
        );
        page.execute(doing, &text, values).await?;
    }
    Ok(())
}

/// Keeps the suspects of the pass in progress: those of an earlier walk are forgotten, those that
/// were decided go, those that could not be decided stay with the reason.
pub(super) async fn keep_suspects<R>(page: &PageTx<'_>, batch: &Batch<R>) -> Result<(), Error> {
    let doing = "writing suspects";
    let key = || [page.organization_id.into(), page.entity.as_str().into()];
    const OURS: &str = "organization_id = $1 AND entity = $2";
    if batch.forget_suspects {
        // Those that an earlier pass could not decide are asked for again by this one.
        let text = format!("DELETE FROM absence_suspects WHERE {OURS} AND reason IS NULL");
        page.execute(doing, &text, key()).await?;
    }
    for ids in batch.decided.chunks(NAMED_IDS) {
        let ids = ids
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let text = format!("DELETE FROM absence_suspects WHERE {OURS} AND source_id IN ({ids})");
        page.execute(doing, &text, key()).await?;
    }
    let undecided = batch.undecided.iter().map(|(id, _)| *id);
    let ids: Vec<i64> = batch.suspects.iter().copied().chain(undecided).collect();
    if !ids.is_empty() {
        let fields = [
            ("organization_id", Kind::Int),
            ("entity", Kind::Text),
            ("source_id", Kind::Int),
        ];
        let (organization, entity) = (page.organization_id, page.entity);
        let object = |id: &i64| {
            format!(r#"{{"organization_id":{organization},"entity":"{entity}","source_id":{id}}}"#)
                .into_bytes()
        };
        let objects: Vec<Vec<u8>> = ids.iter().map(object).collect();
        let text = insert_missing(page.dialect, "absence_suspects", "source_id", &fields);
        let document = document(objects.iter().map(Vec::as_slice));
        page.execute(doing, &text, [document]).await?;
    }
    for (id, reason) in &batch.undecided {
        let text = "UPDATE absence_suspects SET reason = $1, since = COALESCE(since, $2) \
                    WHERE organization_id = $3 AND entity = $4 AND source_id = $5";
        let values = [reason.as_str().into(), page.now.into()]
            .into_iter()
            .chain(key())
            .chain([(*id).into()]);
        page.execute(doing, text, values).await?;
    }
    Ok(())
}
