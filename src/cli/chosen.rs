//! Whom an order means: those that are named, or all that are not paused.

use super::app::{no_organization, unknown};
use super::args;
use super::exit::{Code, Failure};
use super::stderr::say;
use crate::config::ConfigError;
use crate::credentials::Applied;
use crate::domain::{Fault, FaultKind};
use crate::entities::Entity;
use crate::status::{Order, OrganizationReport};
use crate::store::Status;

/// So many paused ones are named.
const LISTED: usize = 10;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The command's word.
    pub(super) word: &'static str,
    /// The organizations that are named; none: all.
    pub(super) orgs: &'a [i64],
    pub(super) order: &'a Order,
    /// The result is printed; otherwise only what failed is told.
    pub(super) tells: bool,
}

/// Whom an order means.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) synced: Vec<Applied>,
    /// Named ones that are paused.
    pub(super) refused: Vec<OrganizationReport>,
    /// The others that are paused.
    pub(super) paused: Vec<Paused>,
}

/// One that is paused, and left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Paused {
    pub(super) classy_id: i64,
    pub(super) name: String,
    pub(super) reason: String,
}

impl Paused {
    pub(super) fn refusal(&self) -> OrganizationReport {
        let text = format!("organization {} is paused: {}", self.classy_id, self.reason);
        let hint = Some(format!("`classy-sync org resume {}`", self.classy_id));
        OrganizationReport::failed(
            self.classy_id,
            &self.name,
            Fault {
                kind: FaultKind::Partial,
                text,
                hint,
            },
        )
    }
}

impl Chosen {
    /// Says who is left out.
    pub(super) fn name_paused(&self) {
        name_paused(&self.paused);
    }
}

/// Those named, or all; of paused ones it is known whether they were named.
pub(super) fn choose(orgs: &[i64], applied: Vec<Applied>) -> Result<Chosen, Failure> {
    let known: Vec<i64> = applied
        .iter()
        .map(|applied| applied.organization.classy_id)
        .collect();
    if let Some(missing) = orgs.iter().find(|id| !known.contains(id)) {
        return Err(unknown(*missing, &known));
    }
    let mut chosen = Chosen::default();
    for applied in applied
        .into_iter()
        .filter(|applied| orgs.is_empty() || orgs.contains(&applied.organization.classy_id))
    {
        if applied.organization.status != Status::Paused {
            chosen.synced.push(applied);
            continue;
        }
        let organization = applied.organization;
        let paused = Paused {
            classy_id: organization.classy_id,
            name: organization.name,
            reason: organization.status_reason.unwrap_or_default(),
        };
        if orgs.is_empty() {
            chosen.paused.push(paused)
        } else {
            chosen.refused.push(paused.refusal())
        }
    }
    Ok(chosen)
}

/// Refuses an order that means nobody.
pub(super) fn require_some(chosen: &Chosen, wrong: &[ConfigError]) -> Result<(), Failure> {
    if chosen.synced.is_empty() && chosen.refused.is_empty() && wrong.is_empty() {
        if !chosen.paused.is_empty() {
            chosen.name_paused();
            return Err(Failure::new(
                Code::Partial,
                "every organization is paused: nothing was synced",
            ));
        }
        return Err(no_organization());
    }
    Ok(())
}

/// Says who is left out.
pub(super) fn name_paused(paused: &[Paused]) {
    for Paused {
        classy_id, reason, ..
    } in paused.iter().take(LISTED)
    {
        say(&format!(
            "organization {classy_id} is paused and was left out: {reason}; `classy-sync org resume {classy_id}`"
        ));
    }
    if let Some(more) = paused.len().checked_sub(LISTED).filter(|more| *more > 0) {
        say(&format!(
            "and {more} more are paused: `classy-sync org list`"
        ));
    }
}

/// The feeds that are named, or all of them.
pub(super) fn entities(order: &args::Sync) -> Vec<Entity> {
    Entity::ALL
        .into_iter()
        .filter(|entity| order.entity.is_empty() || order.entity.contains(entity))
        .collect()
}
