//! A person's word on a plan that is held: exactly its people, once, and only while it is the same
//! plan.

use super::GuardSettings;
use crate::domain::{Harm, Harms, Held, Time, plan_id};
use crate::store::{self, Approval, PluginKey, TenantStore};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// How long an approval holds; with daily portions so much longer as they take.
const HOLDS: TimeDelta = TimeDelta::hours(24);

/// What a person says.
#[derive(Debug, Clone, Default)]
pub struct Word<'a> {
    /// Only these kinds; none: all.
    pub kinds: Vec<Harm>,
    /// Only these people; none: all.
    pub supporters: Vec<i64>,
    /// Only if the plan is this one.
    pub plan: Option<String>,
    /// Who says so.
    pub actor: &'a str,
}

impl Word<'_> {
    /// What of a plan is meant.
    pub fn chosen(&self, held: &[Held]) -> Vec<Held> {
        let is_kind =
            |one: &&Held| self.kinds.is_empty() || self.kinds.contains(&one.guarded_change.kind);
        let is_person =
            |one: &&Held| self.supporters.is_empty() || self.supporters.contains(&one.supporter_id);
        held.iter()
            .filter(is_kind)
            .filter(is_person)
            .copied()
            .collect()
    }
}

/// What was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The plan that it belongs to.
    pub plan: String,
    /// How many people the plan touches, for each kind of change.
    pub harms: Harms,
    /// How many people.
    pub people: u64,
    /// When the approval ends, UTC.
    pub until: Time,
}

/// Why nothing was allowed.
#[derive(Debug, thiserror::Error)]
pub enum Disallowed {
    /// Another plan is held now.
    #[error("the plan changed: {now} is held now, not {asked}")]
    Changed {
        /// The plan that was looked at.
        asked: String,
        /// The one that is held now.
        now: String,
    },
    /// Nothing of what was named is held.
    #[error("nothing of that is held")]
    Nothing,
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Allows what a person named of the plan that is held. `asks_first`: the plan is a first push that
/// waits.
///
/// # Errors
/// [`Disallowed`].
pub async fn approve(
    tenant: &TenantStore,
    key: &PluginKey,
    guard: &GuardSettings,
    held: &[Held],
    asks_first: bool,
    word: &Word<'_>,
    now: Time,
) -> Result<Allowed, Disallowed> {
    let (undo, pushes): (Vec<Held>, Vec<Held>) = held
        .iter()
        .copied()
        .partition(|one| one.guarded_change.kind == Harm::Undo);
    let plan_of = |held: &[Held]| plan_id(&key.destination, held);
    let whole = plan_of(held);
    // What is to be taken back is a plan of its own, and so is the rest; both together have a name,
    // too.
    let (plan, held) = match &word.plan {
        None => (whole, held.to_vec()),
        Some(asked) => {
            let named = [held.to_vec(), undo, pushes.clone()]
                .into_iter()
                .find(|part| !part.is_empty() && plan_of(part) == *asked);
            let now = if held.is_empty() {
                "nothing".to_owned()
            } else {
                whole
            };
            (
                asked.clone(),
                named.ok_or_else(|| Disallowed::Changed {
                    asked: asked.clone(),
                    now,
                })?,
            )
        }
    };
    let granted = word.chosen(&held);
    if granted.is_empty() {
        return Err(Disallowed::Nothing);
    }
    let mut harms = Harms::default();
    granted
        .iter()
        .for_each(|one| harms.add(one.guarded_change.kind, 1));
    let portions = harms
        .additions()
        .checked_div(guard.daily_additions)
        .unwrap_or_default();
    let until = now + HOLDS * i32::try_from(portions + 1).unwrap_or(i32::MAX).min(3_650);
    let opens = asks_first
        && !pushes.is_empty()
        && granted
            .iter()
            .filter(|one| one.guarded_change.kind != Harm::Undo)
            .count()
            == pushes.len();
    tenant
        .approve(
            key,
            &Approval {
                granted: &granted,
                plan: &plan,
                opens,
                expires_at: until,
                actor: word.actor,
            },
        )
        .await?;
    let people = granted
        .iter()
        .map(|one| one.supporter_id)
        .collect::<BTreeSet<_>>()
        .len() as u64;
    Ok(Allowed {
        plan,
        harms,
        people,
        until,
    })
}

/// Whether a place waits for its first push, by what is known without looking at it.
///
/// # Errors
/// The place's row cannot be read.
pub async fn asks_first(
    tenant: &TenantStore,
    key: &PluginKey,
    guard: &GuardSettings,
) -> Result<bool, store::Error> {
    Ok(guard.asks_first(&tenant.guard_state(key).await?))
}
