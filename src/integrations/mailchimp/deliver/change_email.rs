//! Members move to another address, and what the mirror and the ledger make of the answers.

use super::change::{LOOKS, Order, Said, carry_out, later};
use super::suppress::{keep_out, kept_out};
use super::update::verdict;
use crate::domain::{Fate, Verdict};
use crate::integrations::mailchimp::api::answers::Problem;
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::texts::Class;
use crate::integrations::mailchimp::decide::context::Known;
use crate::integrations::mailchimp::mirror::changes::left;
use crate::integrations::mailchimp::mirror::member::{hash_of, seen};
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::{ERASED, erased, is_out, out_reason};
use crate::plugin::{Leaving, PluginContext, PluginError};
use std::collections::BTreeSet;

/// Moves members; the verdicts on those who did not move, and the supporters whose member did.
pub(crate) async fn move_on(
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
