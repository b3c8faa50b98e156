//! Plans are sorted by what is done about them, as far as the guard allows it.

use super::change::{ChangeRequest, MemberChange};
use super::follow::SERVED_THERE;
use super::update::{MemberUpdate, verdict, waits};
use crate::domain::{Fate, GuardedChange, Harm, Member, Profile, Step, Verdict};
use crate::integrations::mailchimp::decide::case::MemberPlace;
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::desired::DesiredMember;
use crate::integrations::mailchimp::decide::inherited::inherited_contact;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::is_given_up;
use crate::plugin::{PluginContext, Said};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

fn request_for(
    person: &Profile,
    context: &DeliveryContext,
    place: MemberPlace,
    change: MemberChange,
) -> ChangeRequest {
    let contact = context
        .member_at(&place)
        .and_then(|member| member.contact_id.clone());
    let MemberPlace { audience, member } = place;
    ChangeRequest {
        supporter_id: person.supporter_id,
        address: person.address.clone(),
        audience,
        member,
        contact,
        change,
    }
}

/// The moves that the guard allows, and verdicts on the others.
pub(super) fn moves(
    ctx: &PluginContext,
    people: &[Profile],
    context: &DeliveryContext,
    plans: impl Iterator<Item = Plan>,
) -> (Vec<ChangeRequest>, Vec<Verdict>) {
    let (mut requests, mut held) = (Vec::new(), Vec::new());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    for plan in plans {
        let Some(person) = by_id.get(&plan.supporter_id) else {
            continue;
        };
        let guarded_change = plan.guarded_change(Harm::Rename);
        if let Decision::Move { from } = plan.decision {
            match not_allowed(
                ctx,
                person.supporter_id,
                guarded_change,
                "moving to another address",
            ) {
                None => requests.push(request_for(
                    person,
                    context,
                    MemberPlace::here(&from),
                    MemberChange::Move,
                )),
                Some(verdict) => held.push(verdict),
            }
        }
    }
    (requests, held)
}

/// Plans by what is done about them.
#[derive(Default)]
pub(super) struct SortedPlans {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) unsubscribes: Vec<ChangeRequest>,
    /// Why each of them is unsubscribed.
    pub(super) reasons: BTreeMap<i64, String>,
    pub(super) updates: Vec<MemberUpdate>,
    /// Contacts to which nothing is written, and that are somebody else's now.
    pub(super) inherited: Vec<Member>,
    /// Those whose contact has another address in Mailchimp.
    pub(super) follows: Vec<MemberUpdate>,
}

/// Sorts what is left to do after the moves. `moved`: who has moved; `decided`: who has a verdict
/// already.
pub(super) fn sort_plans(
    ctx: &PluginContext,
    people: &[Profile],
    context: &DeliveryContext,
    plans: Vec<Plan>,
    moved: &BTreeSet<i64>,
    decided: &BTreeMap<i64, Verdict>,
) -> SortedPlans {
    let mut sorted = SortedPlans::default();
    for (person, mut plan) in people.iter().zip(plans) {
        let id = person.supporter_id;
        if decided.contains_key(&id) {
            continue;
        }
        if moved.contains(&id) {
            // One rename is counted a person: with the address the name goes, too.
            plan.name.replaces = false;
            plan.fields_differ = true;
        }
        match plan.decision.clone() {
            Decision::Skip(reason) => {
                sorted
                    .inherited
                    .extend(inherited_contact(person, context, ctx.now()));
                sorted.verdicts.push(verdict(id, Fate::Skipped(reason)));
            }
            Decision::Keep => {
                let fingerprint = plan.desired.as_ref().map(DesiredMember::fingerprint);
                let review_at = person.engagement_ends(ctx.now());
                let here = person
                    .address
                    .as_ref()
                    .and_then(|address| context.member(&hash_of(address)));
                let note = here
                    .filter(|here| is_given_up(here))
                    .map(|_| SERVED_THERE.to_owned());
                sorted.verdicts.push(Verdict {
                    fingerprint,
                    review_at,
                    note,
                    ..verdict(id, Fate::Delivered)
                });
            }
            Decision::Unsubscribe { members, why } => {
                if let Some(held) = not_allowed(
                    ctx,
                    id,
                    plan.guarded_change(Harm::Unsubscribe),
                    &format!("unsubscribing ({why})"),
                ) {
                    sorted.verdicts.push(held);
                    continue;
                }
                let change = || MemberChange::Unsubscribe {
                    even_if_consented: person.mailable_address().is_some(),
                };
                sorted.unsubscribes.extend(
                    members
                        .into_iter()
                        .map(|member| request_for(person, context, member, change())),
                );
                sorted.reasons.insert(id, why);
            }
            // Only now is there something to move: what it was was not there before the other moves
            // were made.
            Decision::Move { .. } => {
                let fate = Fate::Deferred {
                    until: ctx.now(),
                    reason: "moves to another address; looked at again".to_owned(),
                };
                sorted.verdicts.push(verdict(id, fate));
            }
            Decision::Add | Decision::Change | Decision::Follow { .. } => {
                match not_allowed(
                    ctx,
                    id,
                    plan.entry.and_then(|kind| plan.guarded_change(kind)),
                    entering(plan.entry),
                ) {
                    Some(held) => sorted.verdicts.push(held),
                    None => match plan.decision {
                        Decision::Follow { .. } => sorted
                            .follows
                            .extend(update_for(ctx, person, context, plan)),
                        _ => sorted
                            .updates
                            .extend(update_for(ctx, person, context, plan)),
                    },
                }
            }
        }
    }
    sorted
}

/// The verdict on somebody to whom a change may not be done now; what is no harm may be done.
fn not_allowed(
    ctx: &PluginContext,
    id: i64,
    guarded_change: Option<GuardedChange>,
    what: &str,
) -> Option<Verdict> {
    match ctx.budget().ask(id, guarded_change?) {
        Said::Go => None,
        Said::Hold => Some(Verdict {
            held: guarded_change.into_iter().collect(),
            ..verdict(id, Fate::Held(waits(what)))
        }),
        Said::Later => {
            let reason =
                "waits for its portion: no more people are added today (`guard.daily_additions`)"
                    .to_owned();
            Some(verdict(
                id,
                Fate::Deferred {
                    until: ctx.now() + TimeDelta::hours(1),
                    reason,
                },
            ))
        }
    }
}

const fn entering(entry: Option<Harm>) -> &'static str {
    match entry {
        Some(Harm::Confirm) => "being asked by mail to confirm",
        Some(Harm::Change) => "getting our tags and fields for the first time",
        _ => "being added",
    }
}

fn update_for(
    ctx: &PluginContext,
    person: &Profile,
    context: &DeliveryContext,
    plan: Plan,
) -> Option<MemberUpdate> {
    let before = match &plan.decision {
        Decision::Follow { member } => context.member(member),
        _ => person
            .address
            .as_ref()
            .and_then(|address| context.member(&hash_of(address))),
    };
    let before = before.cloned();
    let mut update = MemberUpdate::new(plan, before, ctx.budget())?;
    let row = context.rows.get(&update.supporter_id);
    update.attempts = row.map_or(0, |row| row.attempts);
    update.delivered_at = row.and_then(|row| row.delivered_at);
    update.permits |= context.recovered.contains(&update.supporter_id);
    // An earlier try of which nobody heard may have been carried out, and not be shown yet.
    update.is_replay = update.intent == Step::Add
        && context.added(update.supporter_id) == Some(hash_of(&update.desired.address));
    Some(update)
}
