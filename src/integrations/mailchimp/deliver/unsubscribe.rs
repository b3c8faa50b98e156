//! Opt-outs are carried out, in the audience and in earlier ones, and what the mirror and the
//! ledger make of the answers.

use super::change::{LOOKS, Order, Said, carry_out, later};
use super::update::verdict;
use crate::domain::{Fate, Member, Time, Verdict};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::decide::case::Place;
use crate::integrations::mailchimp::decide::context::Known;
use crate::integrations::mailchimp::decide::withdrawals::{nowhere, withdrawals};
use crate::integrations::mailchimp::mirror::member::seen;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer that did nothing shows.
pub(crate) const STILL_SHOWN: &str = "its answer shows them subscribed";

/// Why somebody who opted out is mailed all the same.
const NOT_TAKEN_OFF: &str =
    "Mailchimp did not unsubscribe them, and can mail them; tried again by the next delivery";

/// So often an opt-out that was not carried out is tried again by the very next delivery.
const EAGER: i64 = 5;

/// What became of an order to unsubscribe a member.
pub(crate) enum Ended {
    /// There is nothing more to be done, or it is looked for again.
    Told(Fate),
    /// Mailchimp did not carry it out, and can mail them: what it says.
    Refused(String),
}

/// What became of everybody who was to be unsubscribed.
#[derive(Default)]
pub(crate) struct Unsubscribed {
    /// One a person.
    pub(crate) verdicts: Vec<Verdict>,
    /// Those whose opt-out Mailchimp did not carry out.
    pub(crate) refused: BTreeSet<i64>,
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
pub(crate) async fn unsubscribe(
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
                let (member, ended) = withdrawn(&order, said, known, desk, ctx.now(), why);
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

/// The member after we unsubscribed it.
pub(crate) fn taken_off(
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

/// Our own word in the mirror for a member that an earlier audience does not show, or does not let
/// us unsubscribe.
const OUT_OF_REACH: &str = "out of reach";

/// What became of an opt-out that was passed on to an earlier audience: the member as it is known
/// afterwards, and how the order ended.
pub(crate) fn withdrawn(
    order: &Order,
    said: Said,
    known: &Known,
    desk: &Desk,
    now: Time,
    why: &str,
) -> (Option<Member>, Ended) {
    let audience = order.audience.as_deref().unwrap_or_default();
    let out_of_reach = || {
        let old = known.member_at(&Place {
            audience: order.audience.clone(),
            member: order.member.clone(),
        });
        old.cloned().map(|old| Member {
            remote_status: OUT_OF_REACH.to_owned(),
            subscribed_by_us: false,
            ..old
        })
    };
    match said {
        Said::Done(wire) => {
            let fate = format!(
                "{why}: unsubscribed in Mailchimp, in the earlier audience {audience}, too"
            );
            (
                Some(taken_off(order, &wire, known, desk, now)),
                Ended::Told(Fate::Skipped(fate)),
            )
        }
        // Told once and not tried for ever.
        Said::Missing => (
            out_of_reach(),
            Ended::Told(Fate::Skipped(format!(
                "{why}: not found in the earlier audience {audience}"
            ))),
        ),
        Said::NotDone => (None, Ended::Refused(STILL_SHOWN.to_owned())),
        Said::Refused(problem) => (None, Ended::Refused(problem.plain())),
        Said::Closed => {
            let fate = format!(
                "cannot be unsubscribed in the earlier audience {audience}, which does not take this key any more"
            );
            (out_of_reach(), Ended::Told(Fate::Rejected(fate)))
        }
        Said::Changed => (
            None,
            Ended::Told(Fate::Skipped(
                "changed while it was unsubscribed; looked at again".to_owned(),
            )),
        ),
    }
}
