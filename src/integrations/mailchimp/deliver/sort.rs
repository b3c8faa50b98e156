//! Plans are sorted by what is done about them, as far as the guard allows it.

use super::change::{Order, What};
use super::follow::SERVED_THERE;
use super::update::{Work, verdict, waits};
use crate::domain::{Deed, Fate, Harm, Member, Profile, Verdict};
use crate::integrations::mailchimp::decide::case::Place;
use crate::integrations::mailchimp::decide::context::Known;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::desired::Picture;
use crate::integrations::mailchimp::decide::inherited::inherited;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::status::is_given_up;
use crate::plugin::{PluginContext, Said};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

fn order(person: &Profile, known: &Known, place: Place, what: What) -> Order {
    let contact = known
        .member_at(&place)
        .and_then(|member| member.contact_id.clone());
    let Place { audience, member } = place;
    Order {
        supporter_id: person.supporter_id,
        address: person.address.clone(),
        audience,
        member,
        contact,
        what,
    }
}

/// The moves that the guard allows, and verdicts on the others.
pub(super) fn moves(
    ctx: &PluginContext,
    people: &[Profile],
    known: &Known,
    plans: impl Iterator<Item = Plan>,
) -> (Vec<Order>, Vec<Verdict>) {
    let (mut orders, mut held) = (Vec::new(), Vec::new());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    for plan in plans {
        let Some(person) = by_id.get(&plan.supporter_id) else {
            continue;
        };
        let deed = plan.deed(Harm::Rename);
        if let Decision::Move { from } = plan.decision {
            match stopped(ctx, person.supporter_id, deed, "moving to another address") {
                None => orders.push(order(person, known, Place::here(&from), What::Move)),
                Some(verdict) => held.push(verdict),
            }
        }
    }
    (orders, held)
}

/// Plans by what is done about them.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) unsubscribes: Vec<Order>,
    /// Why each of them is unsubscribed.
    pub(super) reasons: BTreeMap<i64, String>,
    pub(super) works: Vec<Work>,
    /// Contacts to which nothing is written, and that are somebody else's now.
    pub(super) heirs: Vec<Member>,
    /// Those whose contact has another address in Mailchimp.
    pub(super) follows: Vec<Work>,
}

/// Sorts what is left to do after the moves. `moved`: who has moved; `decided`: who has a verdict
/// already.
pub(super) fn sort(
    ctx: &PluginContext,
    people: &[Profile],
    known: &Known,
    plans: Vec<Plan>,
    moved: &BTreeSet<i64>,
    decided: &BTreeMap<i64, Verdict>,
) -> Sorted {
    let mut sorted = Sorted::default();
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
                sorted.heirs.extend(inherited(person, known, ctx.now()));
                sorted.verdicts.push(verdict(id, Fate::Skipped(reason)));
            }
            Decision::Keep => {
                let fingerprint = plan.picture.as_ref().map(Picture::fingerprint);
                let review_at = person.engagement_ends(ctx.now());
                let here = person
                    .address
                    .as_ref()
                    .and_then(|address| known.member(&hash_of(address)));
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
                if let Some(held) = stopped(
                    ctx,
                    id,
                    plan.deed(Harm::Unsubscribe),
                    &format!("unsubscribing ({why})"),
                ) {
                    sorted.verdicts.push(held);
                    continue;
                }
                let what = || What::Unsubscribe {
                    even_if_consented: person.consented().is_some(),
                };
                sorted.unsubscribes.extend(
                    members
                        .into_iter()
                        .map(|member| order(person, known, member, what())),
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
                match stopped(
                    ctx,
                    id,
                    plan.entry.and_then(|kind| plan.deed(kind)),
                    entering(plan.entry),
                ) {
                    Some(held) => sorted.verdicts.push(held),
                    None => match plan.decision {
                        Decision::Follow { .. } => {
                            sorted.follows.extend(work(ctx, person, known, plan))
                        }
                        _ => sorted.works.extend(work(ctx, person, known, plan)),
                    },
                }
            }
        }
    }
    sorted
}

/// The verdict on somebody to whom a deed may not be done now; what is no harm may be done.
fn stopped(ctx: &PluginContext, id: i64, deed: Option<Deed>, what: &str) -> Option<Verdict> {
    match ctx.budget().ask(id, deed?) {
        Said::Go => None,
        Said::Hold => Some(Verdict {
            held: deed.into_iter().collect(),
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

fn work(ctx: &PluginContext, person: &Profile, known: &Known, plan: Plan) -> Option<Work> {
    let before = match &plan.decision {
        Decision::Follow { member } => known.member(member),
        _ => person
            .address
            .as_ref()
            .and_then(|address| known.member(&hash_of(address))),
    };
    let before = before.cloned();
    let mut work = Work::new(plan, before, ctx.budget())?;
    let row = known.rows.get(&work.supporter_id);
    work.attempts = row.map_or(0, |row| row.attempts);
    work.delivered_at = row.and_then(|row| row.delivered_at);
    work.permits |= known.recovered.contains(&work.supporter_id);
    Some(work)
}
