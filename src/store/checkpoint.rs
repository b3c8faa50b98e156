//! The checkpoint of a feed and the suspects of its pass, read whole. `page::checkpoint` writes
//! them, with the rows.

use super::{Error, TenantStore};
use crate::domain::{Clocks, FeedState, Gap, Pass, PassStage, Reconciled, Shortfall, Time, Walked};
use crate::entities::{Entity, absence_suspect, checkpoint};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Value,
};

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

fn read(row: checkpoint::Model) -> Result<FeedState, DbErr> {
    let count = |stored: Option<i64>| stored.map(|count| count.max(0) as u64);
    let moment = |name: &str, stored: Option<Time>| {
        stored.ok_or_else(|| DbErr::Type(format!("{name}: absent from a pass in progress")))
    };
    let stage = row.pass_stage.as_deref().and_then(PassStage::from_word);
    let pass = match stage {
        None => None,
        Some(stage) => Some(Pass {
            started_at: moment("pass_started_at", row.pass_started_at)?,
            page: count(row.page).unwrap_or(1).try_into().unwrap_or(1),
            per_page: count(row.pass_per_page)
                .unwrap_or(100)
                .try_into()
                .unwrap_or(100),
            last_id: row.pass_last_id.unwrap_or(0),
            max_id: row.pass_max_id.unwrap_or(i64::MAX),
            total: count(row.pass_total).unwrap_or(0),
            met: count(row.pass_met).unwrap_or(0),
            walks: count(row.pass_walks).unwrap_or(1).try_into().unwrap_or(1),
            before: count(row.pass_total_before)
                .zip(count(row.pass_met_before))
                .map(|(total, met)| Walked { total, met }),
            stage,
            missing: count(row.pass_missing).unwrap_or(0),
            stale: count(row.pass_stale).unwrap_or(0),
            restored: count(row.pass_restored).unwrap_or(0),
            seen_at: moment("pass_seen_at", row.pass_seen_at)?,
            refused: count(row.pass_refused).unwrap_or(0),
            unread: count(row.pass_unread).unwrap_or(0),
            note: row.pass_note.unwrap_or_default(),
            schema_version: row.pass_schema_version.unwrap_or(0),
        }),
    };
    let reconciled = row.reconciled_at.map(|at| Reconciled {
        at,
        missing: count(row.missing).unwrap_or(0),
        stale: count(row.stale).unwrap_or(0),
        restored: count(row.restored).unwrap_or(0),
        absent: count(row.absent).unwrap_or(0),
    });
    let theirs = row.clock_theirs;
    let Lacking { shortfall, gap } = Lacking::from(LackingColumns {
        short_since: row.short_since,
        short_passes: row.short_passes,
        short_unmet: row.short_unmet,
        short_unread: row.short_unread,
        short_undecided: row.short_undecided,
        short_reason: row.short_reason,
        gap_since: row.gap_since,
        gap_records: row.gap_records,
        gap_reason: row.gap_reason,
    });
    Ok(FeedState {
        clocks: row.clock_ours.map(|ours| Clocks { theirs, ours }),
        shortfall,
        gap,
        watermark: row.watermark,
        swept_at: row.swept_at,
        first_pass_at: row.first_pass_at,
        last_pass_id: row.pass_id,
        schema_version: row.schema_version.unwrap_or(0),
        pass,
        reconciled,
    })
}

/// What is known to be lacking.
pub(super) struct Lacking {
    pub(super) shortfall: Option<Shortfall>,
    pub(super) gap: Option<Gap>,
}

/// The columns that say so.
#[derive(FromQueryResult)]
pub(super) struct LackingColumns {
    short_since: Option<Time>,
    short_passes: Option<i64>,
    short_unmet: Option<i64>,
    short_unread: Option<i64>,
    short_undecided: Option<i64>,
    short_reason: Option<String>,
    gap_since: Option<Time>,
    gap_records: Option<i64>,
    gap_reason: Option<String>,
}

impl From<LackingColumns> for Lacking {
    fn from(row: LackingColumns) -> Lacking {
        let count = |stored: Option<i64>| stored.unwrap_or(0).max(0) as u64;
        Lacking {
            shortfall: row.short_since.map(|since| Shortfall {
                since,
                passes: count(row.short_passes).try_into().unwrap_or(u32::MAX),
                unmet: count(row.short_unmet),
                unread: count(row.short_unread),
                undecided: count(row.short_undecided),
                reason: row.short_reason.unwrap_or_default(),
            }),
            gap: row.gap_since.map(|since| Gap {
                since,
                records: count(row.gap_records),
                reason: row.gap_reason.unwrap_or_default(),
            }),
        }
    }
}

impl TenantStore {
    /// The checkpoint of a feed; a feed that was never read has the default one.
    pub async fn feed_state(&self, entity: Entity) -> Result<FeedState, Error> {
        let failed = |error| Error::query("reading the checkpoint", error);
        let key = (self.organization_id, entity.as_str().to_owned());
        let row = checkpoint::Entity::find_by_id(key)
            .one(self.connection())
            .await
            .map_err(failed)?;
        row.map_or(Ok(FeedState::default()), read).map_err(failed)
    }

    /// The suspects of the pass in progress, with those that no pass could decide so far.
    pub async fn suspects(&self, entity: Entity) -> Result<Vec<i64>, Error> {
        absence_suspect::Entity::find()
            .select_only()
            .column(absence_suspect::Column::SourceId)
            .filter(absence_suspect::Column::OrganizationId.eq(self.organization_id))
            .filter(absence_suspect::Column::Entity.eq(entity.as_str()))
            .order_by_asc(absence_suspect::Column::SourceId)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading suspects", error))
    }
}
