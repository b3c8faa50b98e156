//! Members move to another address, and what the mirror and the ledger make of the answers.

use super::change::{ChangeRequest, ChangeResult, Changes, LOOKUPS, Look, apply_changes, later};
use super::suppress::{suppressed_member, suppressions_of};
use super::update::verdict;
use crate::domain::{Fate, Member, Verdict};
use crate::integrations::mailchimp::api::answers::{Problem, WireMember};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::mirror::changes::departure;
use crate::integrations::mailchimp::mirror::member::{contact_of, hash_of, observed_member};
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{ERASED, erased, is_out, out_reason};
use crate::plugin::{Leaving, PluginContext, PluginError};
use std::collections::BTreeSet;

/// Moves members; the verdicts on those who did not move, and the supporters whose member did.
pub(crate) async fn change_email(
    session: &MailchimpSession,
    ctx: &PluginContext,
    context: &DeliveryContext,
    requests: Vec<ChangeRequest>,
) -> Result<(Vec<Verdict>, BTreeSet<i64>), PluginError> {
    let (mut verdicts, mut moved, mut gone, mut evidence) =
        (Vec::new(), BTreeSet::new(), Vec::new(), Vec::new());
    let (mut members, mut leavings) = (Vec::new(), Vec::new());
    let Changes {
        done: answers,
        failure,
        ..
    } = apply_changes(session, ctx, requests, Look::First).await;
    let mut stayed = BTreeSet::new();
    for (request, result) in answers {
        let Some(address) = request.address.clone() else {
            continue;
        };
        let old = context.member(&request.member);
        let arrived = match result {
            ChangeResult::Done(wire) => Ok(wire),
            // It was moved by a try of which nobody heard; or it is not there at all.
            ChangeResult::Missing => match session.api.member(&hash_of(&address)).await {
                Ok(wire) => Ok(wire),
                Err(Failure::Missing)
                    if context
                        .rows
                        .get(&request.supporter_id)
                        .map_or(0, |row| row.attempts)
                        < LOOKUPS =>
                {
                    Err(later(
                        ctx,
                        60,
                        "its member is not found in Mailchimp; looked for again",
                    ))
                }
                // A contact that is nowhere was erased, which is a word of the person.
                Err(Failure::Missing) => {
                    gone.push(request.member.clone());
                    leavings.push(Leaving {
                        remote_id: request.member.clone(),
                        supporter_id: Some(request.supporter_id),
                        why: erased(),
                    });
                    Err(Fate::Skipped(ERASED.to_owned()))
                }
                Err(failure) => return Err(failure.into_error("looking for a moved member")),
            },
            ChangeResult::Refused(problem) => {
                let class = RefusalClass::of(&problem.all());
                if class.is_final() {
                    let there = context.member(&hash_of(&address));
                    let member =
                        suppressed_member(request.supporter_id, &address, class, there, ctx.now());
                    leavings.extend(suppressions_of(&member, there));
                    members.push(member);
                }
                Err(not_moved(ctx, class, &problem))
            }
            ChangeResult::NotDone | ChangeResult::Closed => Err(later(
                ctx,
                1,
                "Mailchimp answered, and shows the old address; moved again",
            )),
            // The same contact at the new address: it was moved by a try of which nobody heard.
            ChangeResult::Changed => match session.api.member(&hash_of(&address)).await {
                Ok(wire) if is_contact(old, &wire) => Ok(wire),
                Ok(_) | Err(Failure::Missing) => {
                    Err(later(ctx, 1, "changed while it was moved; looked at again"))
                }
                Err(failure) => return Err(failure.into_error("looking for a moved member")),
            },
        };
        match arrived {
            Ok(wire) => {
                let mut member = observed_member(&wire, old, &session.managed(), ctx.now());
                member.remote_id = hash_of(&address);
                member.supporter_id = Some(request.supporter_id);
                evidence.extend(departure(old, &member));
                gone.push(request.member);
                if is_out(&member) {
                    verdicts.push(verdict(
                        request.supporter_id,
                        Fate::Skipped(out_reason(&member)),
                    ));
                } else {
                    moved.insert(request.supporter_id);
                }
                members.push(member);
            }
            Err(fate) => {
                stayed.insert(request.supporter_id);
                verdicts.push(verdict(request.supporter_id, fate));
            }
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &evidence).await?;
    ctx.forget_members(&gone).await?;
    // A move that is tried again and again is no harm more than once, when it is made.
    ctx.give_back(&stayed).await?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok((verdicts, moved))
}

/// Whether a member is the contact that was to be moved.
fn is_contact(old: Option<&Member>, there: &WireMember) -> bool {
    let name = old.and_then(|old| old.contact_id.as_deref());
    name.is_some() && name == contact_of(there)
}

fn not_moved(ctx: &PluginContext, class: RefusalClass, problem: &Problem) -> Fate {
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
        RefusalClass::TooOften => later(ctx, 24 * 60, &class.reason(&text)),
        class => Fate::Rejected(format!(
            "cannot be moved to the new address: {}",
            class.reason(&text)
        )),
    }
}
