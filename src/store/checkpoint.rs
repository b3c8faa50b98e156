//! The checkpoint of a feed, read whole and written whole, and the suspects of its pass.

use super::page::Step;
use super::row::Kind;
use super::statement::{document, insert_missing, quoted, sql};
use super::{Error, TenantStore};
use crate::clock;
use crate::domain::{Entity, FeedState, Pass, PassStage, Reconciled, Walked};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

const COLUMNS: [&str; 21] = [
    "mode",
    "watermark",
    "swept_at",
    "first_pass_at",
    "page",
    "pass_id",
    "pass_started_at",
    "pass_per_page",
    "pass_last_id",
    "pass_max_id",
    "pass_total",
    "pass_met",
    "pass_walks",
    "pass_total_before",
    "pass_met_before",
    "pass_stage",
    "pass_missing",
    "pass_stale",
    "reconciled_at",
    "missing",
    "stale",
];

/// `absent` is a word of its own in some dialects; it is written apart, quoted.
const ABSENT: &str = "absent";

fn values(state: &FeedState) -> Vec<Value> {
    let pass = state.pass.as_ref();
    let found = state.reconciled.as_ref();
    vec![
        if pass.is_some() || state.first_pass_at.is_none() { "full" } else { "incremental" }.into(),
        state.watermark.into(),
        state.swept_at.into(),
        state.first_pass_at.into(),
        pass.map(|pass| i64::from(pass.page)).into(),
        state.last_pass_id.into(),
        pass.map(|pass| pass.started_at).into(),
        pass.map(|pass| i64::from(pass.per_page)).into(),
        pass.map(|pass| pass.last_id).into(),
        pass.map(|pass| pass.max_id).into(),
        pass.map(|pass| pass.total as i64).into(),
        pass.map(|pass| pass.met as i64).into(),
        pass.map(|pass| i64::from(pass.walks)).into(),
        pass.and_then(|pass| pass.before).map(|before| before.total as i64).into(),
        pass.and_then(|pass| pass.before).map(|before| before.met as i64).into(),
        pass.map(|pass| pass.stage.as_str()).into(),
        pass.map(|pass| pass.missing as i64).into(),
        pass.map(|pass| pass.stale as i64).into(),
        found.map(|found| found.at).into(),
        found.map(|found| found.missing as i64).into(),
        found.map(|found| found.stale as i64).into(),
        found.map(|found| found.absent as i64).into(),
    ]
}

fn read(row: &QueryResult) -> Result<FeedState, DbErr> {
    let count =
        |column: &str| -> Result<Option<u64>, DbErr> { Ok(row.try_get::<Option<i64>>("", column)?.map(|count| count.max(0) as u64)) };
    let stage: Option<String> = row.try_get("", "pass_stage")?;
    let pass = match stage.as_deref().and_then(PassStage::from_word) {
        None => None,
        Some(stage) => Some(Pass {
            started_at: row.try_get("", "pass_started_at")?,
            page: count("page")?.unwrap_or(1).try_into().unwrap_or(1),
            per_page: count("pass_per_page")?.unwrap_or(100).try_into().unwrap_or(100),
            last_id: row.try_get::<Option<i64>>("", "pass_last_id")?.unwrap_or(0),
            max_id: row.try_get::<Option<i64>>("", "pass_max_id")?.unwrap_or(i64::MAX),
            total: count("pass_total")?.unwrap_or(0),
            met: count("pass_met")?.unwrap_or(0),
            walks: count("pass_walks")?.unwrap_or(1).try_into().unwrap_or(1),
            before: count("pass_total_before")?.zip(count("pass_met_before")?).map(|(total, met)| Walked { total, met }),
            stage,
            missing: count("pass_missing")?.unwrap_or(0),
            stale: count("pass_stale")?.unwrap_or(0),
        }),
    };
    let reconciled = match row.try_get("", "reconciled_at")? {
        None => None,
        Some(at) => Some(Reconciled {
            at,
            missing: count("missing")?.unwrap_or(0),
            stale: count("stale")?.unwrap_or(0),
            absent: count(ABSENT)?.unwrap_or(0),
        }),
    };
    Ok(FeedState {
        watermark: row.try_get("", "watermark")?,
        swept_at: row.try_get("", "swept_at")?,
        first_pass_at: row.try_get("", "first_pass_at")?,
        last_pass_id: row.try_get::<Option<i64>>("", "pass_id")?.unwrap_or(0),
        pass,
        reconciled,
    })
}

/// Writes the checkpoint in the page transaction.
pub(super) async fn save(step: &Step<'_>, state: &FeedState) -> Result<(), Error> {
    let failed = |error| Error::query("writing the checkpoint", error);
    let names = || COLUMNS.into_iter().chain([ABSENT]).map(|name| quoted(step.backend, name));
    let mut values = values(state);
    values.extend([clock::now().into(), step.organization_id.into(), step.entity.as_str().into()]);
    let set = names().enumerate().map(|(index, name)| format!("{name} = ${}", index + 1)).collect::<Vec<_>>().join(", ");
    let next = COLUMNS.len() + 2;
    let text =
        format!("UPDATE checkpoints SET {set}, updated_at = ${next} WHERE organization_id = ${} AND entity = ${}", next + 1, next + 2);
    let updated = step.tx.execute_raw(sql(step.backend, &text, values.clone())).await.map_err(failed)?;
    if updated.rows_affected() == 0 {
        let names = names().collect::<Vec<_>>().join(", ");
        let marks = (1..=values.len()).map(|index| format!("${index}")).collect::<Vec<_>>().join(", ");
        let text = format!("INSERT INTO checkpoints ({names}, updated_at, organization_id, entity) VALUES ({marks})");
        step.tx.execute_raw(sql(step.backend, &text, values)).await.map_err(failed)?;
    }
    Ok(())
}

/// Adds suspects of the pass in progress, or forgets them all.
pub(super) async fn suspects(step: &Step<'_>, ids: &[i64], forget: bool) -> Result<(), Error> {
    let failed = |error| Error::query("writing suspects", error);
    let key = || [step.organization_id.into(), step.entity.as_str().into()];
    if forget {
        let text = "DELETE FROM absence_suspects WHERE organization_id = $1 AND entity = $2";
        step.tx.execute_raw(sql(step.backend, text, key())).await.map_err(failed)?;
    }
    if !ids.is_empty() {
        let fields = [("organization_id", Kind::Int), ("entity", Kind::Text), ("source_id", Kind::Int)];
        let (organization, entity) = (step.organization_id, step.entity);
        let object = |id: &i64| format!(r#"{{"organization_id":{organization},"entity":"{entity}","source_id":{id}}}"#).into_bytes();
        let objects: Vec<Vec<u8>> = ids.iter().map(object).collect();
        let text = insert_missing(step.backend, "absence_suspects", "source_id", &fields);
        let document = document(objects.iter().map(Vec::as_slice));
        step.tx.execute_raw(sql(step.backend, &text, [document])).await.map_err(failed)?;
    }
    Ok(())
}

impl TenantStore {
    /// The checkpoint of a feed; a feed that was never read has the default one.
    ///
    /// # Errors
    /// Database errors.
    pub async fn feed_state(&self, entity: Entity) -> Result<FeedState, Error> {
        let failed = |error| Error::query("reading the checkpoint", error);
        let text = "SELECT * FROM checkpoints WHERE organization_id = $1 AND entity = $2";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let row = self.connection().query_one_raw(sql(self.backend(), text, values)).await.map_err(failed)?;
        row.map_or(Ok(FeedState::default()), |row| read(&row).map_err(failed))
    }

    /// The suspects of the pass in progress.
    ///
    /// # Errors
    /// Database errors.
    pub async fn suspects(&self, entity: Entity) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading suspects", error);
        let text = "SELECT source_id FROM absence_suspects WHERE organization_id = $1 AND entity = $2 ORDER BY source_id";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let rows = self.connection().query_all_raw(sql(self.backend(), text, values)).await.map_err(failed)?;
        rows.iter().map(|row| row.try_get("", "source_id")).collect::<Result<_, _>>().map_err(failed)
    }
}
