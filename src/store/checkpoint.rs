//! The checkpoint of a feed and the suspects of its pass, read whole. `page::checkpoint` writes
//! them, with the rows.

use super::statement::sql;
use super::{Error, TenantStore};
use crate::domain::{Clocks, FeedState, Gap, Pass, PassStage, Reconciled, Shortfall, Time, Walked};
use crate::entities::Entity;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

/// What [`values`] gives, in its order; [`ABSENT`] is the last.
pub(super) const COLUMNS: [&str; 40] = [
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
    "pass_restored",
    "reconciled_at",
    "missing",
    "stale",
    "restored",
    "pass_seen_at",
    "pass_refused",
    "pass_unread",
    "pass_note",
    "clock_theirs",
    "clock_ours",
    "short_since",
    "short_passes",
    "short_unmet",
    "short_unread",
    "short_undecided",
    "short_reason",
    "gap_since",
    "gap_records",
    "gap_reason",
    "schema_version",
    "pass_schema_version",
];

/// `absent` is a word of its own in some dialects; it is written apart, quoted.
pub(super) const ABSENT: &str = "absent";

/// What the columns hold.
pub(super) fn values(state: &FeedState) -> Vec<Value> {
    let pass = state.pass.as_ref();
    let found = state.reconciled.as_ref();
    let (short, gap) = (state.shortfall.as_ref(), state.gap.as_ref());
    vec![
        if pass.is_some() || state.first_pass_at.is_none() {
            "full"
        } else {
            "incremental"
        }
        .into(),
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
        pass.and_then(|pass| pass.before)
            .map(|before| before.total as i64)
            .into(),
        pass.and_then(|pass| pass.before)
            .map(|before| before.met as i64)
            .into(),
        pass.map(|pass| pass.stage.as_str()).into(),
        pass.map(|pass| pass.missing as i64).into(),
        pass.map(|pass| pass.stale as i64).into(),
        pass.map(|pass| pass.restored as i64).into(),
        found.map(|found| found.at).into(),
        found.map(|found| found.missing as i64).into(),
        found.map(|found| found.stale as i64).into(),
        found.map(|found| found.restored as i64).into(),
        pass.map(|pass| pass.seen_at).into(),
        pass.map(|pass| pass.refused as i64).into(),
        pass.map(|pass| pass.unread as i64).into(),
        pass.map(|pass| pass.note.clone()).into(),
        state.clocks.and_then(|clocks| clocks.theirs).into(),
        state.clocks.map(|clocks| clocks.ours).into(),
        short.map(|short| short.since).into(),
        short.map(|short| i64::from(short.passes)).into(),
        short.map(|short| short.unmet as i64).into(),
        short.map(|short| short.unread as i64).into(),
        short.map(|short| short.undecided as i64).into(),
        short.map(|short| short.reason.clone()).into(),
        gap.map(|gap| gap.since).into(),
        gap.map(|gap| gap.records as i64).into(),
        gap.map(|gap| gap.reason.clone()).into(),
        state.schema_version.into(),
        pass.map(|pass| pass.schema_version).into(),
        found.map(|found| found.absent as i64).into(),
    ]
}

fn read(row: &QueryResult) -> Result<FeedState, DbErr> {
    let count = |column: &str| -> Result<Option<u64>, DbErr> {
        Ok(row
            .try_get::<Option<i64>>("", column)?
            .map(|count| count.max(0) as u64))
    };
    let stage: Option<String> = row.try_get("", "pass_stage")?;
    let pass = match stage.as_deref().and_then(PassStage::from_word) {
        None => None,
        Some(stage) => Some(Pass {
            started_at: row.try_get("", "pass_started_at")?,
            page: count("page")?.unwrap_or(1).try_into().unwrap_or(1),
            per_page: count("pass_per_page")?
                .unwrap_or(100)
                .try_into()
                .unwrap_or(100),
            last_id: row.try_get::<Option<i64>>("", "pass_last_id")?.unwrap_or(0),
            max_id: row
                .try_get::<Option<i64>>("", "pass_max_id")?
                .unwrap_or(i64::MAX),
            total: count("pass_total")?.unwrap_or(0),
            met: count("pass_met")?.unwrap_or(0),
            walks: count("pass_walks")?.unwrap_or(1).try_into().unwrap_or(1),
            before: count("pass_total_before")?
                .zip(count("pass_met_before")?)
                .map(|(total, met)| Walked { total, met }),
            stage,
            missing: count("pass_missing")?.unwrap_or(0),
            stale: count("pass_stale")?.unwrap_or(0),
            restored: count("pass_restored")?.unwrap_or(0),
            seen_at: row.try_get("", "pass_seen_at")?,
            refused: count("pass_refused")?.unwrap_or(0),
            unread: count("pass_unread")?.unwrap_or(0),
            note: row
                .try_get::<Option<String>>("", "pass_note")?
                .unwrap_or_default(),
            schema_version: row
                .try_get::<Option<i64>>("", "pass_schema_version")?
                .unwrap_or(0),
        }),
    };
    let reconciled = match row.try_get("", "reconciled_at")? {
        None => None,
        Some(at) => Some(Reconciled {
            at,
            missing: count("missing")?.unwrap_or(0),
            stale: count("stale")?.unwrap_or(0),
            restored: count("restored")?.unwrap_or(0),
            absent: count(ABSENT)?.unwrap_or(0),
        }),
    };
    let Lacking { shortfall, gap } = lacking(row)?;
    let theirs = row.try_get("", "clock_theirs")?;
    Ok(FeedState {
        clocks: row
            .try_get::<Option<Time>>("", "clock_ours")?
            .map(|ours| Clocks { theirs, ours }),
        shortfall,
        gap,
        watermark: row.try_get("", "watermark")?,
        swept_at: row.try_get("", "swept_at")?,
        first_pass_at: row.try_get("", "first_pass_at")?,
        last_pass_id: row.try_get::<Option<i64>>("", "pass_id")?.unwrap_or(0),
        schema_version: row
            .try_get::<Option<i64>>("", "schema_version")?
            .unwrap_or(0),
        pass,
        reconciled,
    })
}

/// What is known to be lacking.
pub(super) struct Lacking {
    pub(super) shortfall: Option<Shortfall>,
    pub(super) gap: Option<Gap>,
}

/// Reads it from a row of `checkpoints`.
pub(super) fn lacking(row: &QueryResult) -> Result<Lacking, DbErr> {
    let count = |column: &str| -> Result<u64, DbErr> {
        Ok(row.try_get::<Option<i64>>("", column)?.unwrap_or(0).max(0) as u64)
    };
    let text = |column: &str| -> Result<String, DbErr> {
        Ok(row
            .try_get::<Option<String>>("", column)?
            .unwrap_or_default())
    };
    let shortfall = match row.try_get("", "short_since")? {
        None => None,
        Some(since) => Some(Shortfall {
            since,
            passes: count("short_passes")?.try_into().unwrap_or(u32::MAX),
            unmet: count("short_unmet")?,
            unread: count("short_unread")?,
            undecided: count("short_undecided")?,
            reason: text("short_reason")?,
        }),
    };
    let gap = match row.try_get("", "gap_since")? {
        None => None,
        Some(since) => Some(Gap {
            since,
            records: count("gap_records")?,
            reason: text("gap_reason")?,
        }),
    };
    Ok(Lacking { shortfall, gap })
}

impl TenantStore {
    /// The checkpoint of a feed; a feed that was never read has the default one.
    pub async fn feed_state(&self, entity: Entity) -> Result<FeedState, Error> {
        let failed = |error| Error::query("reading the checkpoint", error);
        let text = "SELECT * FROM checkpoints WHERE organization_id = $1 AND entity = $2";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        row.map_or(Ok(FeedState::default()), |row| read(&row).map_err(failed))
    }

    /// The suspects of the pass in progress, with those that no pass could decide so far.
    pub async fn suspects(&self, entity: Entity) -> Result<Vec<i64>, Error> {
        let failed = |error| Error::query("reading suspects", error);
        let text = "SELECT source_id FROM absence_suspects WHERE organization_id = $1 AND entity = $2 ORDER BY source_id";
        let values = [self.organization_id.into(), entity.as_str().into()];
        let rows = self
            .connection()
            .query_all_raw(sql(self.backend(), text, values))
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| row.try_get("", "source_id"))
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
