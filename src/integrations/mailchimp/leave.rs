//! Opt-outs and moves: the orders of plans, and what the mirror and the ledger make of their
//! answers.

use super::changes::left;
use super::client::Failure;
use super::desk::Desk;
use super::earlier;
use super::known::Known;
use super::member::{
    ERASED, FORGOTTEN, KEPT_OUT, erased, hash_of, is_out, opted_out, out_reason, seen, why_out,
};
use super::orders::{Order, Said, carry_out};
use super::plan::Place;
use super::settle::Alarmed;
use super::texts::Class;
use super::wire::{Problem, WireMember};
use super::work::verdict;
use crate::domain::{Address, Fate, Member, Time, Verdict};
use crate::plugin::{Leaving, PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer that did nothing shows.
pub(super) const STILL_SHOWN: &str = "its answer shows them subscribed";

/// Looks for a member that is not found before it is believed: Mailchimp shows a new one only after
/// a while.
const LOOKS: i64 = 3;

/// Why somebody who opted out is mailed all the same.
const NOT_TAKEN_OFF: &str =
    "Mailchimp did not unsubscribe them, and can mail them; tried again by the next delivery";

/// So often an opt-out that was not carried out is tried again by the very next delivery.
const EAGER: i64 = 5;

/// What became of an order to unsubscribe a member.
pub(super) enum Ended {
    /// There is nothing more to be done, or it is looked for again.
    Told(Fate),
    /// Mailchimp did not carry it out, and can mail them: what it says.
    Refused(String),
}

/// What became of everybody who was to be unsubscribed.
#[derive(Default)]
pub(super) struct Unsubscribed {
    /// One a person.
    pub(super) verdicts: Vec<Verdict>,
    /// Those whose opt-out Mailchimp did not carry out.
    pub(super) refused: BTreeSet<i64>,
}

/// An opt-out that was not carried out is never given up: by the next delivery, and after some
/// tries a little later each time.
fn again(now: Time, attempts: i64, why: &str, said: &str) -> Fate {
    // A delivery looks again at whoever is due by its beginning, so this is the next one.
    let pause = match attempts {
        ..EAGER => TimeDelta::milliseconds(1),
        _ => TimeDelta::minutes((1_i64 << (attempts - EAGER).min(6)).min(60)),
    };
    Fate::Deferred {
        until: now + pause,
        reason: format!("{why}: {NOT_TAKEN_OFF}: {said}"),
    }
}

/// Unsubscribes.
pub(super) async fn unsubscribe(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    orders: Vec<Order>,
    why: &BTreeMap<i64, String>,
) -> Result<Unsubscribed, PluginError> {
    let (mut verdicts, mut refused): (BTreeMap<i64, Verdict>, BTreeSet<i64>) = Default::default();
    let (mut members, mut gone, mut leavings, mut done) =
        (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    for (order, said) in carry_out(desk, ctx, orders).await? {
        let id = order.supporter_id;
        let why = why.get(&id).map_or("opted out", String::as_str);
        let attempts = known.rows.get(&id).map_or(0, |row| row.attempts);
        let ended = match said {
            said if order.audience.is_some() => {
                let (member, ended) = earlier::withdrawn(&order, said, known, desk, ctx.now(), why);
                leavings.extend(
                    member
                        .iter()
                        .flat_map(|_| withdrawals(known, id, &order.member)),
                );
                ctx.at(order.audience.as_deref().unwrap_or_default())
                    .save_members(&member.into_iter().collect::<Vec<_>>(), &[])
                    .await?;
                ended
            }
            Said::Done(wire) => {
                members.push(taken_off(&order, &wire, known, desk, ctx.now()));
                leavings.extend(withdrawals(known, id, &order.member));
                Ended::Told(Fate::Skipped(format!(
                    "{why}: unsubscribed in Mailchimp; from now on only they can come back, by a form"
                )))
            }
            Said::Missing if attempts < LOOKS => {
                Ended::Told(later(ctx, 60, "not found in Mailchimp; looked for again"))
            }
            Said::Missing => {
                leavings.extend(nowhere(known, id, &order.member));
                gone.push(order.member);
                Ended::Told(Fate::Skipped(format!("{why}: not in Mailchimp any more")))
            }
            Said::Refused(problem) => Ended::Refused(problem.plain()),
            Said::NotDone | Said::Closed => Ended::Refused(STILL_SHOWN.to_owned()),
            Said::Changed => Ended::Told(Fate::Skipped(
                "changed while it was unsubscribed; looked at again".to_owned(),
            )),
        };
        let fate = match ended {
            Ended::Told(fate) => fate,
            Ended::Refused(said) => {
                refused.insert(id);
                again(ctx.now(), attempts, why, &said)
            }
        };
        if matches!(fate, Fate::Skipped(_)) {
            done.insert(id);
        }
        // Of several members the worst news is told.
        let is_bad = !matches!(fate, Fate::Skipped(_));
        if is_bad || !verdicts.contains_key(&id) {
            verdicts.insert(id, verdict(id, fate));
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &[]).await?;
    ctx.forget_members(&gone).await?;
    // Whoever is asked for again is no harm more than once, and a person's word on it holds until
    // it is done.
    let undone: BTreeSet<i64> = refused.difference(&done).copied().collect();
    if !undone.is_empty() {
        ctx.give_back(&undone).await?;
    }
    Ok(Unsubscribed {
        verdicts: verdicts.into_values().collect(),
        refused,
    })
}

/// The leavings by a member that is unsubscribed since somebody refuses: of the one for whom it is
/// done, who is the one for whom it was delivered if they have the address still, and of everybody
/// who says no there.
pub(super) fn withdrawals(known: &Known, supporter_id: i64, member: &str) -> Vec<Leaving> {
    // Of whoever left by it before, in another audience, it is known how.
    let people: BTreeSet<i64> = known
        .refusers_at(member)
        .chain([supporter_id])
        .filter(|id| !known.has_left(*id, member))
        .collect();
    let leaving = |id| Leaving {
        remote_id: member.to_owned(),
        supporter_id: Some(id),
        why: opted_out(),
    };
    people.into_iter().map(leaving).collect()
}

/// The leavings by a member that was to be unsubscribed and is nowhere: as if it had been; and it
/// was erased, which is a word of the person for whom it was delivered, unless they were asked to
/// confirm and may not have answered.
pub(super) fn nowhere(known: &Known, supporter_id: i64, member: &str) -> Vec<Leaving> {
    let mut leavings = withdrawals(known, supporter_id, member);
    let owner = known
        .member(member)
        .filter(|known| known.remote_status != "pending")
        .and_then(|known| known.supporter_id);
    let other = owner.filter(|owner| leavings.iter().all(|one| one.supporter_id != Some(*owner)));
    leavings.extend(other.map(|id| Leaving {
        remote_id: member.to_owned(),
        supporter_id: Some(id),
        why: erased(),
    }));
    leavings
}

/// The member after we unsubscribed it.
pub(super) fn taken_off(
    order: &Order,
    wire: &WireMember,
    known: &Known,
    desk: &Desk,
    now: Time,
) -> Member {
    let place = Place {
        audience: order.audience.clone(),
        member: order.member.clone(),
    };
    let old = known.member_at(&place);
    let mut member = seen(wire, old, &desk.managed(), now);
    member.remote_id.clone_from(&order.member);
    // It is the refuser who left by it: whoever had the address before, and has another one now,
    // refused nothing.
    member.supporter_id = Some(order.supporter_id);
    "unsubscribed".clone_into(&mut member.remote_status);
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

fn later(ctx: &PluginContext, minutes: i64, reason: &str) -> Fate {
    Fate::Deferred {
        until: ctx.now() + TimeDelta::minutes(minutes),
        reason: reason.to_owned(),
    }
}

/// Moves members; the verdicts on those who did not move, and the supporters whose member did.
pub(super) async fn move_on(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    orders: Vec<Order>,
) -> Result<(Vec<Verdict>, BTreeSet<i64>), PluginError> {
    let (mut verdicts, mut moved, mut gone, mut evidence) =
        (Vec::new(), BTreeSet::new(), Vec::new(), Vec::new());
    let (mut members, mut leavings) = (Vec::new(), Vec::new());
    for (order, said) in carry_out(desk, ctx, orders).await? {
        let Some(address) = order.address.clone() else {
            continue;
        };
        let old = known.member(&order.member);
        let arrived = match said {
            Said::Done(wire) => Ok(wire),
            // It was moved by a try of which nobody heard; or it is not there at all.
            Said::Missing => match desk.api.member(&hash_of(&address)).await {
                Ok(wire) => Ok(wire),
                Err(Failure::Missing)
                    if known
                        .rows
                        .get(&order.supporter_id)
                        .map_or(0, |row| row.attempts)
                        < LOOKS =>
                {
                    Err(later(
                        ctx,
                        60,
                        "its member is not found in Mailchimp; looked for again",
                    ))
                }
                // A contact that is nowhere was erased, which is a word of the person.
                Err(Failure::Missing) => {
                    gone.push(order.member.clone());
                    leavings.push(Leaving {
                        remote_id: order.member.clone(),
                        supporter_id: Some(order.supporter_id),
                        why: erased(),
                    });
                    Err(Fate::Skipped(ERASED.to_owned()))
                }
                Err(failure) => return Err(failure.into_error("looking for a moved member")),
            },
            Said::Refused(problem) => {
                let class = Class::of(&problem.all());
                if class.is_final() {
                    let member = keep_out(order.supporter_id, &address, class, None, ctx.now());
                    leavings.extend(kept_out(&member));
                    members.push(member);
                }
                Err(not_moved(ctx, class, &problem))
            }
            Said::NotDone | Said::Closed => Err(later(
                ctx,
                1,
                "Mailchimp answered, and shows the old address; moved again",
            )),
            Said::Changed => Err(later(ctx, 1, "changed while it was moved; looked at again")),
        };
        match arrived {
            Ok(wire) => {
                let mut member = seen(&wire, old, &desk.managed(), ctx.now());
                member.remote_id = hash_of(&address);
                member.supporter_id = Some(order.supporter_id);
                evidence.extend(left(old, &member));
                gone.push(order.member);
                if is_out(&member) {
                    verdicts.push(verdict(
                        order.supporter_id,
                        Fate::Skipped(out_reason(&member)),
                    ));
                } else {
                    moved.insert(order.supporter_id);
                }
                members.push(member);
            }
            Err(fate) => verdicts.push(verdict(order.supporter_id, fate)),
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &evidence).await?;
    ctx.forget_members(&gone).await?;
    Ok((verdicts, moved))
}

fn not_moved(ctx: &PluginContext, class: Class, problem: &Problem) -> Fate {
    let text = problem.all();
    if text.to_lowercase().contains("already a list member")
        || text.to_lowercase().contains("member exists")
    {
        return later(
            ctx,
            10,
            "the new address is a member already; looked at again",
        );
    }
    match class {
        Class::TooOften => later(ctx, 24 * 60, &class.reason(&text)),
        class => Fate::Rejected(format!(
            "cannot be moved to the new address: {}",
            class.reason(&text)
        )),
    }
}

/// The mirror's row of an address that Mailchimp keeps out: nothing is sent there again before it
/// is shown subscribed.
pub(super) fn keep_out(
    supporter_id: i64,
    address: &Address,
    class: Class,
    before: Option<&Member>,
    now: Time,
) -> Member {
    let mut member = before.cloned().unwrap_or_default();
    member.remote_id = hash_of(address);
    member.supporter_id = Some(supporter_id);
    member.remote_status = if class == Class::Forgotten {
        FORGOTTEN
    } else {
        KEPT_OUT
    }
    .to_owned();
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

/// The leaving of somebody whom Mailchimp keeps out: under another address, and in another
/// audience, they must not be put there, either.
pub(super) fn kept_out(member: &Member) -> Option<Leaving> {
    let (remote_id, why) = (member.remote_id.clone(), why_out(member));
    member.supporter_id.map(|id| Leaving {
        remote_id,
        supporter_id: Some(id),
        why,
    })
}

/// Unsubscribes people whom a write brought back though they had left; answers how many of them are
/// off again.
pub(super) async fn undo(desk: &Desk, ctx: &PluginContext, alarmed: Alarmed) -> usize {
    let mut members: BTreeMap<String, Member> = alarmed
        .members
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let Ok(answers) = carry_out(desk, ctx, alarmed.orders).await else {
        return 0;
    };
    let mut off = Vec::new();
    for (order, said) in answers {
        if let (Said::Done(_), Some(mut member)) = (said, members.remove(&order.member)) {
            "unsubscribed".clone_into(&mut member.remote_status);
            member.ever_left_at = Some(ctx.now());
            member.subscribed_by_us = false;
            off.push(member);
        }
    }
    // If it cannot be written down, the next look at Mailchimp shows it.
    if ctx.save_members(&off, &[]).await.is_err() {
        tracing::warn!("what was undone could not be written into the mirror");
    }
    off.len()
}
