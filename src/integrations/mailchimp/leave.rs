//! Opt-outs and moves: the orders of plans, and what the mirror and the ledger make of their answers.

use super::client::Failure;
use super::desk::Desk;
use super::known::Known;
use super::member::{FORGOTTEN, KEPT_OUT, hash_of, is_out, out_reason, seen};
use super::mirror::left;
use super::orders::{Order, Said, carry_out};
use super::settle::Alarmed;
use super::texts::Class;
use super::wire::{Problem, WireMember};
use super::work::verdict;
use crate::domain::{Address, Fate, Member, Time, Verdict};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Looks for a member that is not found before it is believed: Mailchimp shows a new one only after a while.
const LOOKS: i64 = 3;

/// Unsubscribes; a verdict for each person.
pub(super) async fn unsubscribe(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    orders: Vec<Order>,
    why: &BTreeMap<i64, String>,
) -> Result<Vec<Verdict>, PluginError> {
    let mut verdicts: BTreeMap<i64, Verdict> = BTreeMap::new();
    let (mut members, mut gone) = (Vec::new(), Vec::new());
    for (order, said) in carry_out(desk, ctx, orders).await? {
        let id = order.supporter_id;
        let why = why.get(&id).map_or("opted out", String::as_str);
        let fate = match said {
            Said::Done(wire) => {
                members.push(taken_off(&order, &wire, known, desk, ctx.now()));
                Fate::Skipped(format!("{why}: unsubscribed in Mailchimp; from now on only they can come back, by a form"))
            }
            Said::Missing if known.rows.get(&id).map_or(0, |row| row.attempts) < LOOKS => {
                later(ctx, 60, "not found in Mailchimp; looked for again")
            }
            Said::Missing => {
                gone.push(order.member);
                Fate::Skipped(format!("{why}: not in Mailchimp any more"))
            }
            Said::Refused(problem) => Fate::Rejected(format!("cannot be unsubscribed: {}", problem.plain())),
            Said::Changed => Fate::Skipped("changed while it was unsubscribed; looked at again".to_owned()),
        };
        // Of several members the worst news is told.
        let is_bad = !matches!(fate, Fate::Skipped(_));
        if is_bad || !verdicts.contains_key(&id) {
            verdicts.insert(id, verdict(id, fate));
        }
    }
    ctx.save_members(&members, &[]).await?;
    ctx.forget_members(&gone).await?;
    Ok(verdicts.into_values().collect())
}

/// The member after we unsubscribed it.
fn taken_off(order: &Order, wire: &WireMember, known: &Known, desk: &Desk, now: Time) -> Member {
    let old = known.member(&order.member);
    let mut member = seen(wire, old, &desk.managed, now);
    member.remote_id.clone_from(&order.member);
    member.supporter_id = old.and_then(|old| old.supporter_id).or(Some(order.supporter_id));
    "unsubscribed".clone_into(&mut member.remote_status);
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

fn later(ctx: &PluginContext, minutes: i64, reason: &str) -> Fate {
    Fate::Deferred { until: ctx.now() + TimeDelta::minutes(minutes), reason: reason.to_owned() }
}

/// Moves members; the verdicts on those who did not move, and the members of those who did, by supporter.
pub(super) async fn move_on(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    orders: Vec<Order>,
) -> Result<(Vec<Verdict>, BTreeMap<i64, Member>), PluginError> {
    let (mut verdicts, mut moved, mut gone, mut evidence) = (Vec::new(), BTreeMap::new(), Vec::new(), Vec::new());
    let mut kept_out = Vec::new();
    for (order, said) in carry_out(desk, ctx, orders).await? {
        let Some(address) = order.address.clone() else { continue };
        let old = known.member(&order.member);
        let arrived = match said {
            Said::Done(wire) => Ok(wire),
            // It was moved by a try of which nobody heard; or it is not there at all.
            Said::Missing => {
                gone.push(order.member.clone());
                match desk.api.member(&hash_of(&address)).await {
                    Ok(wire) => Ok(wire),
                    Err(Failure::Missing) => Err(later(ctx, 10, "its member is not in Mailchimp any more; added next")),
                    Err(failure) => return Err(failure.into_error("looking for a moved member")),
                }
            }
            Said::Refused(problem) => {
                let class = Class::of(&problem.all());
                if class.is_final() {
                    kept_out.push(keep_out(order.supporter_id, &address, class, None, ctx.now()));
                }
                Err(not_moved(ctx, class, &problem))
            }
            Said::Changed => Err(Fate::Skipped("changed while it was moved; looked at again".to_owned())),
        };
        match arrived {
            Ok(wire) => {
                let mut member = seen(&wire, old, &desk.managed, ctx.now());
                member.remote_id = hash_of(&address);
                member.supporter_id = Some(order.supporter_id);
                evidence.extend(left(old, &member));
                gone.push(order.member);
                if is_out(&member) {
                    verdicts.push(verdict(order.supporter_id, Fate::Skipped(out_reason(&member))));
                }
                moved.insert(order.supporter_id, member);
            }
            Err(fate) => verdicts.push(verdict(order.supporter_id, fate)),
        }
    }
    let members: Vec<Member> = moved.values().cloned().chain(kept_out).collect();
    ctx.save_members(&members, &evidence).await?;
    ctx.forget_members(&gone).await?;
    moved.retain(|_, member| !is_out(member));
    Ok((verdicts, moved))
}

fn not_moved(ctx: &PluginContext, class: Class, problem: &Problem) -> Fate {
    let text = problem.all();
    if text.to_lowercase().contains("already a list member") || text.to_lowercase().contains("member exists") {
        return later(ctx, 10, "the new address is a member already; looked at again");
    }
    match class {
        Class::TooOften => later(ctx, 24 * 60, &class.reason(&text)),
        class => Fate::Rejected(format!("cannot be moved to the new address: {}", class.reason(&text))),
    }
}

/// The mirror's row of an address that Mailchimp keeps out: nothing is sent there again before it is shown subscribed.
pub(super) fn keep_out(supporter_id: i64, address: &Address, class: Class, before: Option<&Member>, now: Time) -> Member {
    let mut member = before.cloned().unwrap_or_default();
    member.remote_id = hash_of(address);
    member.supporter_id = Some(supporter_id);
    member.remote_status = if class == Class::Forgotten { FORGOTTEN } else { KEPT_OUT }.to_owned();
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

/// Unsubscribes people whom a write brought back though they had left; answers how many of them are off again.
pub(super) async fn undo(desk: &Desk, ctx: &PluginContext, alarmed: Alarmed) -> usize {
    let mut members: BTreeMap<String, Member> = alarmed.members.into_iter().map(|member| (member.remote_id.clone(), member)).collect();
    let Ok(answers) = carry_out(desk, ctx, alarmed.orders).await else { return 0 };
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
