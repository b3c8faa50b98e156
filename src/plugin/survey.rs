//! Everything that is due, looked at before the first of it is done: how much harm there is in it,
//! and what the guard says to that.

use super::guard::{Push, Sight};
use super::{Budget, GuardSettings, Plugin, PluginContext, PluginError};
use crate::domain::{Forecast, Harm, Harms, Planned, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Counts plans, each person once.
#[derive(Default)]
pub(super) struct Survey {
    grants: BTreeMap<(i64, Harm), i64>,
    counted: BTreeSet<i64>,
    /// What a person did not allow yet.
    pending: Harms,
    pub(super) forecast: Forecast,
}

/// What the guard says.
pub(super) struct Ruling {
    pub(super) budget: Budget,
    pub(super) push: Push,
    /// All that a person allowed of a first push was done before, by a delivery that was cut off
    /// then.
    pub(super) was_carried_out: bool,
}

impl Survey {
    pub(super) async fn begin(ctx: &PluginContext) -> Result<Survey, PluginError> {
        Ok(Survey {
            grants: ctx.store().grants(ctx.key(), ctx.now()).await?,
            ..Survey::default()
        })
    }

    /// Who shares an address with others may come several times, and counts once.
    pub(super) fn count(&mut self, planned: &Planned) {
        if planned.guarded_changes.is_empty() && planned.tags.is_empty()
            || !self.counted.insert(planned.supporter_id)
        {
            return;
        }
        for guarded_change in &planned.guarded_changes {
            if self
                .grants
                .get(&(planned.supporter_id, guarded_change.kind))
                != Some(&guarded_change.mark)
            {
                self.pending
                    .add(guarded_change.kind, guarded_change.contacts);
            }
            self.forecast.additions += u64::from(guarded_change.kind.is_addition());
            self.forecast.confirmations += u64::from(guarded_change.kind == Harm::Confirm);
            if guarded_change.kind == Harm::Unsubscribe && !planned.elsewhere {
                self.forecast.unsubscribes += guarded_change.contacts;
            }
        }
        if planned.step != Step::Add && !planned.tags.is_empty() {
            self.forecast.gaining += 1;
            self.forecast.tags += planned.tags.len() as u64;
        }
    }

    pub(super) async fn rule(
        &mut self,
        plugin: &dyn Plugin,
        ctx: &PluginContext,
        guard: &GuardSettings,
    ) -> Result<Ruling, PluginError> {
        let audience = plugin.audience();
        self.forecast.contacts = audience;
        let lately = ctx.store().harms(ctx.key(), ctx.now()).await?;
        let state = ctx.store().guard_state(ctx.key()).await?;
        let push = guard.push(&state, ctx.now());
        let was_carried_out = push == Push::Asks { is_allowed: true } && self.grants.is_empty();
        let sight = Sight {
            audience,
            pending: &self.pending,
            lately: &lately,
            push,
        };
        let budget = guard.budget(&sight, std::mem::take(&mut self.grants));
        Ok(Ruling {
            budget,
            push,
            was_carried_out,
        })
    }
}
