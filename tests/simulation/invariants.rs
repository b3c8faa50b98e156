//! What must hold, said once: after every transaction, after an undisturbed look at what changed,
//! and after a full pass.
//!
//! | | holds | looked at |
//! |---|---|---|
//! | I1 | undisturbed, the stored set becomes the source's, record for record, those that are gone marked | at the end |
//! | I2 | the watermark, less the overlap, never passes a change that is not stored | every commit |
//! | I3 | no row goes back unless the source did, no watermark but to wait for changes that cannot be read; no row is removed | every commit |
//! | I4 | a transaction is in the database whole or not at all (`sim`, against a real database) | every commit |
//! | I5 | every stored value was once served to that organization; whoever is marked absent was gone once | every commit |
//! | I6 | amounts, times and giving totals are exact (`real`, against a real database) | at the end |
//! | I7 | every record seen is in exactly one count, and a run's counts are the sum of its transactions' | every commit, every run |
//! | I15 | only the holder of the lease writes (`sim`) | every commit |

use crate::lists::{Entry, Feed, List, Version, moment};
use crate::memory::{Kept, Table};
use crate::options::Class;
use crate::records::Kind;
use crate::sim::{Sim, Tally};
use chrono::TimeDelta;
use classy_sync::domain::{Item, Pass, RunCounts, Shortfall};
use classy_sync::sync::Outcome;
use std::collections::BTreeMap;

/// Something did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub text: String,
}

impl Violation {
    pub const fn new(invariant: &'static str, text: String) -> Violation {
        Violation { invariant, text }
    }
}

/// What is remembered of a feed between two looks.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// What hid in the first pass is found by the next pass only, so I2 asks nothing until then:
    /// the pass gave up after its last walk, which the engine bounds; or a record came (back) among
    /// those to be met while another one went, and was met in the place of one that hid at the
    /// border of two pages. The list numbers its pages and tells how many it has, no more, so
    /// nobody who reads it can see that. Nor where the engine itself says that records are lacking:
    /// a pass that fell short, or changes that could not be read for longer than the watermark
    /// waits.
    pub hidden: bool,
    /// The true time when the run began that began the present pass, whatever its clocks said.
    pub began_ms: i64,
}

/// Walks of one pass at most, as the engine has it.
const WALKS: u32 = 5;

pub fn after_commit<R: Kind>(
    sim: &mut Sim,
    feed: Feed,
    before: &Table<R>,
) -> Result<(), Violation> {
    let after = sim.memory.table::<R>(feed);
    let first = before.state.first_pass_at.is_none() && after.state.first_pass_at.is_some();
    let passed = before.state.reconciled != after.state.reconciled;
    let is_short = after
        .state
        .shortfall
        .as_ref()
        .is_some_and(Shortfall::is_short);
    let outlasted = after
        .state
        .gap
        .as_ref()
        .is_some_and(|gap| moment(sim.world.now_s()) - gap.since >= WAITING);
    let hidden = match &before.state.pass {
        Some(pass) if first => is_short || may_hide(sim, feed, pass),
        _ => is_short || outlasted || sim.watches[&feed].hidden && !passed,
    };
    sim.watches.entry(feed).or_default().hidden = hidden;
    let after = sim.memory.table::<R>(feed);
    no_regress(sim, feed, before, after)?;
    no_invention(sim, feed, after)?;
    if hidden {
        Ok(())
    } else {
        never_past_the_unsaved(sim, feed, after)
    }
}

/// How long the watermark waits for changes that cannot be read, as the engine has it, less what
/// its clocks may be apart.
const WAITING: TimeDelta = TimeDelta::hours(23);

fn may_hide(sim: &Sim, feed: Feed, pass: &Pass) -> bool {
    let began = pass
        .started_at
        .timestamp_millis()
        .min(sim.watches[&feed].began_ms);
    let among = || {
        sim.world.lists[&feed]
            .iter()
            .filter(|(id, _)| **id <= pass.max_id)
            .map(|(_, entry)| entry)
    };
    let gave_up = pass.walks >= WALKS && pass.met < pass.total;
    gave_up
        || (among().any(|entry| entry.went_after(began))
            && among().any(|entry| entry.came_after(began)))
}

fn no_regress<R: Kind>(
    sim: &Sim,
    feed: Feed,
    before: &Table<R>,
    after: &Table<R>,
) -> Result<(), Violation> {
    let wrong = |text: String| Err(Violation::new("I3", format!("{feed:?}: {text}")));
    if before.state.watermark > after.state.watermark && after.state.gap.is_none() {
        return wrong(format!(
            "the watermark went back from {:?} to {:?}",
            before.state.watermark, after.state.watermark
        ));
    }
    for (id, kept) in &before.rows {
        let Some(now) = after.rows.get(id) else {
            return wrong(format!("{id} was removed"));
        };
        let (Some(old), Some(new)) = (&kept.record, &now.record) else {
            continue;
        };
        // A record that was gone is what the source says now; one without a time of change is not
        // older than any.
        if !kept.absent
            && let (Some(old), Some(new)) = (old.updated_at(), new.updated_at())
            && new < old
            && !went_back::<R>(&sim.world.lists[&feed], *id, kept, now)
        {
            return wrong(format!("{id} went back from {old} to {new}"));
        }
    }
    Ok(())
}

/// Whether the source itself went from what was stored to what is stored now.
fn went_back<R: Kind>(list: &List, id: i64, before: &Kept<R>, after: &Kept<R>) -> bool {
    let versions = list.get(&id).map_or(&[][..], |entry| &entry.versions);
    let is = |kept: &Kept<R>, version: &Version| {
        !version.gone && kept.record.as_ref() == Some(&R::make(id, version))
    };
    let (first, last) = (
        versions.iter().position(|version| is(before, version)),
        versions.iter().rposition(|version| is(after, version)),
    );
    first.is_some() && first < last
}

fn no_invention<R: Kind>(sim: &Sim, feed: Feed, after: &Table<R>) -> Result<(), Violation> {
    let list = &sim.world.lists[&feed];
    for (id, kept) in &after.rows {
        let Some(record) = &kept.record else { continue };
        let served = |entry: &Entry| {
            entry
                .versions
                .iter()
                .any(|version| version.served && !version.bad && R::make(*id, version) == *record)
        };
        let entry = list.get(id).filter(|entry| served(entry));
        let Some(entry) = entry else {
            return Err(Violation::new(
                "I5",
                format!("{feed:?}: {id} is stored as it was never served"),
            ));
        };
        if kept.absent && !entry.was_gone() {
            return Err(Violation::new(
                "I5",
                format!("{feed:?}: {id} is marked absent and was always there"),
            ));
        }
    }
    Ok(())
}

/// Whether a version is stored, or kept in `rejects` with its reason.
fn is_stored<R: Kind>(table: &Table<R>, id: i64, version: &Version) -> bool {
    if version.bad {
        return table.rejects.contains(&id);
    }
    let kept = table
        .rows
        .get(&id)
        .filter(|kept| !kept.absent)
        .and_then(|kept| kept.record.as_ref());
    if version.back
        && kept.is_some_and(|record| record.updated_at() > version.updated_at.map(moment))
    {
        // A look at what changed does not go back behind what is stored; a full reading does.
        return true;
    }
    if version.fresh {
        return kept.is_some_and(|record| *record == R::make(id, version));
    }
    // What changed without a time of change of its own may be stored as it was before.
    kept.is_some_and(|record| record.updated_at() >= version.updated_at.map(moment))
}

/// While the first pass goes on, an incremental may go before it and move the watermark: then only
/// what changed since the pass began is promised, and everything when the pass is complete.
fn never_past_the_unsaved<R: Kind>(
    sim: &Sim,
    feed: Feed,
    after: &Table<R>,
) -> Result<(), Violation> {
    let Some(watermark) = after.state.watermark else {
        return Ok(());
    };
    let overlap = TimeDelta::seconds(sim.options.overlap_s);
    let since = match (&after.state.first_pass_at, &after.state.pass) {
        (Some(_), _) => None,
        (None, Some(pass)) => Some(pass.seen_at - overlap),
        (None, None) => return Ok(()),
    };
    let passed = |version: &Version| {
        let at = version.updated_at.map(moment);
        version.owed && at.is_some_and(|at| at < watermark - overlap) && at >= since
    };
    lacking(sim, feed, after, passed).map_or(Ok(()), |what| {
        Err(Violation::new(
            "I2",
            format!("{feed:?}: the watermark {watermark} passed {what}"),
        ))
    })
}

fn lacking<R: Kind>(
    sim: &Sim,
    feed: Feed,
    table: &Table<R>,
    counts: impl Fn(&Version) -> bool,
) -> Option<String> {
    let shown = sim.world.lists[&feed]
        .iter()
        .filter_map(|(id, entry)| Some((*id, entry.shown(sim.world.now_ms)?)));
    let (id, version) = shown
        .filter(|(_, version)| counts(version))
        .find(|(id, version)| !is_stored(table, *id, version))?;
    let stored = table.rows.get(&id);
    let at = version.updated_at.map(moment);
    Some(format!(
        "{id}, changed at {at:?} (fresh {}, shown from {}), stored as {stored:?}",
        version.fresh, version.shown_ms
    ))
}

/// After an undisturbed incremental later than the overlap: every change that moved a time of
/// change is stored.
pub fn caught_up<R: Kind>(sim: &Sim, feed: Feed) -> Result<(), Violation> {
    if sim.watches[&feed].hidden {
        return Ok(());
    }
    lacking(sim, feed, sim.memory.table::<R>(feed), |version| {
        version.owed
    })
    .map_or(Ok(()), |what| {
        Err(Violation::new(
            "I1",
            format!("{feed:?}: an undisturbed incremental did not bring {what}"),
        ))
    })
}

/// After an undisturbed full pass: what is stored is what the source has.
pub fn converged<R: Kind>(sim: &Sim, feed: Feed) -> Result<(), Violation> {
    let wrong = |text: String| {
        Err(Violation::new(
            "I1",
            format!("{feed:?}: after a full pass {text}"),
        ))
    };
    let table = sim.memory.table::<R>(feed);
    let shown: BTreeMap<i64, &Version> = sim.world.lists[&feed]
        .iter()
        .filter_map(|(id, entry)| Some((*id, entry.shown(sim.world.now_ms)?)))
        .collect();
    for (id, version) in &shown {
        let exact = if version.bad {
            table.rejects.contains(id)
        } else {
            table
                .present()
                .any(|(other, record)| other == *id && *record == R::make(*id, version))
        };
        if !exact {
            return wrong(format!(
                "{id} is stored as {:?}, at the source it changed at {:?}",
                table.rows.get(id),
                version.updated_at
            ));
        }
    }
    match table.present().find(|(id, _)| !shown.contains_key(id)) {
        Some((id, _)) => wrong(format!(
            "{id} is not marked, though the source does not have it"
        )),
        None => Ok(()),
    }
}

/// I7 of one transaction.
pub fn counts<R: Kind>(feed: Feed, items: &[Item<R>], counts: &RunCounts) -> Result<(), Violation> {
    let RunCounts {
        seen,
        inserted,
        updated,
        unchanged,
        older,
        rejected,
        ..
    } = *counts;
    if seen == items.len() as u64 && seen == inserted + updated + unchanged + older + rejected {
        return Ok(());
    }
    Err(Violation::new(
        "I7",
        format!(
            "{feed:?}: {} records were given, counted were {counts:?}",
            items.len()
        ),
    ))
}

/// I7 of a run that ended by itself: what it tells is the sum of its transactions, and a run that
/// only looks at what changed loses none of the records that it was handed. (A pass reads ahead,
/// and leaves what it need not look at.)
pub fn told(
    feed: Feed,
    outcome: &Outcome,
    tally: Tally,
    looked_at_changes: bool,
) -> Result<(), Violation> {
    let RunCounts {
        seen,
        inserted,
        updated,
        unchanged,
        older,
        rejected,
        ..
    } = outcome.counts;
    let adds_up = seen == inserted + updated + unchanged + older + rejected;
    let all = !looked_at_changes || outcome.result.is_err() || tally.served == seen;
    if adds_up && (seen == tally.stored || outcome.result.is_err()) && all {
        return Ok(());
    }
    Err(Violation::new(
        "I7",
        format!(
            "{feed:?}: the run tells {:?}, in truth {tally:?}",
            outcome.counts
        ),
    ))
}

/// Whether a failure of a run is one that this history has.
pub fn expected(sim: &Sim, feed: Feed, outcome: &Outcome) -> Result<(), Violation> {
    use classy_sync::sync::Error;
    let fits = match &outcome.result {
        Ok(_) => true,
        Err(Error::Source(_)) => sim.options.has(Class::Errors) || sim.options.has(Class::BadPages),
        Err(Error::Store(classy_sync::store::Error::FenceLost)) => true,
        Err(Error::Store(_)) => sim.options.has(Class::Database),
        Err(Error::MassAbsence { .. }) => sim.options.has(Class::Guard),
        Err(Error::Unreadable { .. }) => {
            sim.options.has(Class::BadPages) || sim.options.has(Class::Errors)
        }
        Err(Error::Unordered { .. } | Error::Endless { .. }) => false,
    };
    if fits {
        Ok(())
    } else {
        Err(Violation::new(
            "I17",
            format!(
                "{feed:?}: the run failed for no reason: {:?}",
                outcome.result
            ),
        ))
    }
}
