//! Whether plugins take what changed.

use crate::domain::{CheckResult, Harm, Harms, Health, Time};
use crate::health::check::{Finding, HealthCheck};
use crate::health::facts::Facts;
use crate::health::span::span;
use std::time::Duration;

/// What is held goes on behind this with where it is approved, for those who have no button for it.
pub const LOOK_AND_APPROVE: &str = "; look and approve: ";

pub(super) struct Plugins;

impl HealthCheck for Plugins {
    fn name(&self) -> &'static str {
        "delivery"
    }

    fn evaluate(&self, facts: &Facts) -> Vec<Finding> {
        let plugins = facts.served().flat_map(|organization| {
            organization
                .plugins
                .iter()
                .map(|one| (organization.classy_id, one))
        });
        plugins
            .map(|(id, plugin)| {
                let still = plugin.moved_at.map_or(Duration::ZERO, |at| (facts.at - at).to_std().unwrap_or_default());
                let (behind, patience) = (plugin.behind, facts.limits.delivery);
                let waits = || format!("{behind} changes wait, and nothing was taken for {}", span(still));
                let held = in_words(&plugin.holds);
                let approve = || {
                    format!(
                        "{LOOK_AND_APPROVE}/organizations/{id}/held, or `classy-sync plugin approve --org {id} --plugin {}`",
                        plugin.plugin
                    )
                };
                let result = match (&plugin.error, plugin.holds.of(Harm::Unsubscribe)) {
                    _ if plugin.suspended.is_some() => CheckResult::failing(format!(
                        "suspended until a person has looked, but for opt-outs: {}; then `classy-sync plugin resume --org {id} --plugin {} --reason TEXT`",
                        plugin.suspended.as_deref().unwrap_or_default(),
                        plugin.plugin
                    )),
                    // Whoever opted out is mailed all the same as long as nobody looks.
                    (_, refusers @ 1..) => CheckResult::failing(format!(
                        "{} opted out and can still be mailed, since so many at once wait for a person's word (held: {held}){}",
                        if refusers == 1 { "1 person".to_owned() } else { format!("{refusers} people") },
                        approve()
                    )),
                    (Some(error), _) if still > 8 * patience => CheckResult::failing(format!("the last delivery failed: {error}")),
                    (Some(error), _) => CheckResult::degraded(format!("the last delivery failed: {error}")),
                    (None, _) if behind > 0 && still > 8 * patience => CheckResult::failing(waits()),
                    (None, _) if behind > 0 && still > patience => CheckResult::degraded(waits()),
                    (None, _) if plugin.trouble.is_some() => CheckResult::degraded(plugin.trouble.clone().unwrap_or_default()),
                    (None, _) if !plugin.holds.is_none() => {
                        CheckResult::degraded(format!("waits until a person approves: {held}{}", approve()))
                    }
                    (None, _) if plugin.silent.is_some() => CheckResult::degraded(silence(id, plugin.silent.unwrap_or_default())),
                    (None, _) if behind == 0 => CheckResult::well("has seen everything"),
                    (None, _) => CheckResult::well(format!("{behind} changes to go")),
                };
                let result = also(result, &plugin.lacks);
                // What a delivery failed for is known after the next one; without anything to
                // deliver there is none.
                let is_unknown = result.health == Health::Ok && !plugin.was_seen && behind > 0;
                let finding = Finding::of(self.name(), id, plugin.plugin.clone(), result);
                if is_unknown { finding.unproven() } else { finding }
            })
            .collect()
    }
}

/// With what does not work as it is configured.
fn also(result: CheckResult, lacks: &[String]) -> CheckResult {
    match (lacks.is_empty(), result.health) {
        (true, _) => result,
        (false, Health::Ok) => CheckResult::degraded(lacks.join("; ")),
        (false, health) => CheckResult {
            health,
            reason: format!("{}; and {}", result.reason, lacks.join("; ")),
        },
    }
}

/// A webhook that fell silent: looking goes on, and finds everything some minutes later.
fn silence(classy_id: i64, (looks, heard_at): (i64, Option<Time>)) -> String {
    let heard = heard_at.map_or_else(
        || "never".to_owned(),
        |at| at.format("%Y-%m-%d %H:%M UTC").to_string(),
    );
    format!(
        "its webhook is silent: the last {looks} looks that found somebody who had left were told of none (last heard: {heard}); changes there \
         are found by looking, minutes later. Is this daemon reachable from outside? `classy-sync plugin webhook create --org {classy_id}` \
         sets the webhook up anew"
    )
}

/// `3 to be added, 1 to lose tags`
fn in_words(holds: &Harms) -> String {
    holds
        .each()
        .map(|(kind, count)| format!("{count} {}", kind.in_words()))
        .collect::<Vec<_>>()
        .join(", ")
}
