//! Records that could not be stored: kept with their reason until a good version comes.

use super::diff::BatchDiff;
use super::tx::PageTx;
use crate::domain::Reject;
use crate::entities::record::Kind;
use crate::entities::{Record, reject};
use crate::store::Error;
use crate::store::statement::ids_document;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use std::collections::{BTreeSet, HashSet};

/// Stands for the id of a row that names no record.
const NAMELESS: i64 = 0;

/// Keeps this batch's rejects and closes those whose record is good now.
pub(super) async fn record_rejects<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    resolve_healed(page, diff).await?;
    for reject in &diff.rejects {
        record(page, reject).await?;
    }
    Ok(())
}

async fn resolve_healed<R: Record>(
    page: &PageTx<'_>,
    diff: &BatchDiff<'_, R>,
) -> Result<(), Error> {
    let failed = |error| Error::query("reading rejects", error);
    let good: BTreeSet<i64> = diff
        .writes
        .iter()
        .map(|write| write.row.id())
        .chain(diff.unchanged.iter().copied())
        .collect();
    if good.is_empty() {
        return Ok(());
    }
    // Only of the batch's records, by their key: a feed may have many thousands that stay as they
    // are.
    let text = format!(
        "SELECT r.source_id, r.reason FROM {} {} rejects AS r ON r.source_id = j.id AND r.organization_id = $2 AND r.entity = $3 \
         WHERE r.resolved_at IS NULL",
        page.dialect.unpack(&[("id", Kind::Int)]),
        page.dialect.lookup()
    );
    let values = [
        ids_document(good.iter().copied()),
        page.organization_id.into(),
        R::ENTITY.as_str().into(),
    ];
    let open: Vec<(i64, String)> = page.tuples("reading rejects", &text, values).await?;
    let again: HashSet<(i64, &str)> = diff
        .rejects
        .iter()
        .map(|reject| (reject.source_id.unwrap_or(NAMELESS), reject.reason.as_str()))
        .collect();
    for (id, reason) in open {
        if !again.contains(&(id, reason.as_str())) {
            let healed = reject::Entity::update_many()
                .col_expr(reject::Column::ResolvedAt, Expr::value(page.now))
                .filter(key(page, id, &reason));
            healed.exec(page.tx).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// After a pass that brought everything no row is left that named no record.
pub(super) async fn resolve_nameless(page: &PageTx<'_>) -> Result<(), Error> {
    let healed = reject::Entity::update_many()
        .col_expr(reject::Column::ResolvedAt, Expr::value(page.now))
        .filter(
            Condition::all()
                .add(reject::Column::OrganizationId.eq(page.organization_id))
                .add(reject::Column::Entity.eq(page.entity.as_str()))
                .add(reject::Column::SourceId.eq(NAMELESS))
                .add(reject::Column::ResolvedAt.is_null()),
        );
    let done = healed.exec(page.tx).await;
    done.map(drop)
        .map_err(|error| Error::query("closing rejects", error))
}

fn key(page: &PageTx<'_>, source_id: i64, reason: &str) -> Condition {
    Condition::all()
        .add(reject::Column::OrganizationId.eq(page.organization_id))
        .add(reject::Column::Entity.eq(page.entity.as_str()))
        .add(reject::Column::SourceId.eq(source_id))
        .add(reject::Column::Reason.eq(reason))
}

/// Keeps one reject: opens it, or opens it again.
async fn record(page: &PageTx<'_>, rejected: &Reject) -> Result<(), Error> {
    let failed = |error| Error::query("writing a reject", error);
    let source_id = rejected.source_id.unwrap_or(NAMELESS);
    let row = reject::ActiveModel {
        organization_id: Set(page.organization_id),
        entity: Set(page.entity.as_str().to_owned()),
        source_id: Set(source_id),
        reason: Set(rejected.reason.as_str().to_owned()),
        detail: Set(Some(rejected.detail.clone())),
        first_seen_at: Set(page.now),
        last_seen_at: Set(page.now),
        resolved_at: Set(None),
    };
    let again = reject::ActiveModel {
        first_seen_at: NotSet,
        ..row.clone()
    };
    let updated = reject::Entity::update_many().set(again).filter(key(
        page,
        source_id,
        rejected.reason.as_str(),
    ));
    if updated.exec(page.tx).await.map_err(failed)?.rows_affected == 0 {
        reject::Entity::insert(row)
            .exec_without_returning(page.tx)
            .await
            .map_err(failed)?;
        tracing::warn!(entity = %page.entity, source_id, reason = %rejected.reason, detail = rejected.detail, "a record was rejected");
    }
    Ok(())
}
