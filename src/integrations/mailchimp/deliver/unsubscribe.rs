//! Opt-outs are carried out, in the audience and in earlier ones, and what the mirror and the
//! ledger make of the answers.

use super::change::{ChangeRequest, ChangeResult, Changes, LOOKUPS, Look, apply_changes};
use super::update::verdict;
use crate::domain::{Fate, Member, Time, Verdict};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::decide::case::MemberPlace;
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::decide::withdrawals::{withdrawals, withdrawals_of_missing};
use crate::integrations::mailchimp::mirror::member::observed_member;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// What an answer that did nothing shows.
pub(crate) const STILL_SHOWN: &str = "it shows them subscribed";

/// How soon somebody is looked for again whom Mailchimp does not find: it may show a new contact
/// only after a while.
const LOOK_AGAIN: [TimeDelta; LOOKUPS as usize] = [
    TimeDelta::milliseconds(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(60),
];

/// Why somebody who opted out is mailed all the same.
const NOT_TAKEN_OFF: &str =
    "Mailchimp did not unsubscribe them, and can mail them; tried again by the next delivery";

/// So often an opt-out that was not carried out is tried again by the very next delivery.
const EAGER: i64 = 5;

/// What became of a request to unsubscribe a member.
pub(crate) enum OptOutEnd {
    /// There is nothing more to be done.
    Final(Fate),
    /// Mailchimp did not carry it out, and can mail them: what it says.
    Refused(String),
    /// It does not find them, and they are looked for again.
    NotFound,
}

/// What became of everybody who was to be unsubscribed.
#[derive(Default)]
pub(crate) struct OptOutResults {
    /// One a person.
    pub(crate) verdicts: Vec<Verdict>,
    /// Those whose opt-out Mailchimp did not carry out.
    pub(crate) refused: BTreeSet<i64>,
}

/// An opt-out that was not carried out is never given up: by the next delivery, and after some
/// tries a little later each time.
fn retry_later(now: Time, attempts: i64, why: &str, words: &str) -> Fate {
    // A delivery looks again at whoever is due by its beginning, so this is the next one.
    let pause = match attempts {
        ..EAGER => TimeDelta::milliseconds(1),
        _ => TimeDelta::minutes((1_i64 << (attempts - EAGER).min(6)).min(60)),
    };
    Fate::Deferred {
        until: now + pause,
        reason: format!("{why}: {NOT_TAKEN_OFF}: {words}"),
    }
}

/// Unsubscribes.
pub(crate) async fn unsubscribe(
    session: &MailchimpSession,
    ctx: &PluginContext,
    context: &DeliveryContext,
    requests: Vec<ChangeRequest>,
    why: &BTreeMap<i64, String>,
    look: Look,
) -> Result<OptOutResults, PluginError> {
    let (mut verdicts, mut refused): (BTreeMap<i64, Verdict>, BTreeSet<i64>) = Default::default();
    let (mut members, mut gone, mut leavings, mut done) =
        (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    let Changes {
        done: answers,
        failure,
        ..
    } = apply_changes(session, ctx, requests, look).await;
    for (request, result) in answers {
        let id = request.supporter_id;
        let why = why.get(&id).map_or("opted out", String::as_str);
        let attempts = context.rows.get(&id).map_or(0, |row| row.attempts);
        let end = match result {
            result if request.audience.is_some() => {
                let (member, end) =
                    unsubscribed_earlier(&request, result, context, session, ctx.now(), why);
                leavings.extend(
                    member
                        .iter()
                        .flat_map(|_| withdrawals(context, id, &request.member)),
                );
                ctx.at(request.audience.as_deref().unwrap_or_default())
                    .save_members(&member.into_iter().collect::<Vec<_>>(), &[])
                    .await?;
                end
            }
            ChangeResult::Done(wire) => {
                members.push(unsubscribed_member(
                    &request,
                    &wire,
                    context,
                    session,
                    ctx.now(),
                ));
                leavings.extend(withdrawals(context, id, &request.member));
                OptOutEnd::Final(Fate::Skipped(format!(
                    "{why}: unsubscribed in Mailchimp; from now on only they can come back, by a form"
                )))
            }
            ChangeResult::Missing if attempts < LOOKUPS => OptOutEnd::NotFound,
            ChangeResult::Missing => {
                leavings.extend(withdrawals_of_missing(context, id, &request.member));
                gone.push(request.member);
                OptOutEnd::Final(Fate::Skipped(format!("{why}: not in Mailchimp any more")))
            }
            ChangeResult::Refused(problem) => OptOutEnd::Refused(problem.plain()),
            ChangeResult::NotDone | ChangeResult::Closed => {
                OptOutEnd::Refused(STILL_SHOWN.to_owned())
            }
            ChangeResult::Changed => OptOutEnd::Final(Fate::Skipped(
                "changed while it was unsubscribed; looked at again".to_owned(),
            )),
        };
        let fate = match end {
            OptOutEnd::Final(fate) => fate,
            OptOutEnd::Refused(words) => {
                refused.insert(id);
                retry_later(ctx.now(), attempts, why, &words)
            }
            OptOutEnd::NotFound => {
                refused.insert(id);
                let pause = usize::try_from(attempts).ok();
                let pause = pause.and_then(|attempts| LOOK_AGAIN.get(attempts));
                Fate::Deferred {
                    until: ctx.now() + pause.copied().unwrap_or_default(),
                    reason: format!("{why}: not found in Mailchimp; looked for again"),
                }
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
    ctx.give_back(&undone).await?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok(OptOutResults {
        verdicts: verdicts.into_values().collect(),
        refused,
    })
}

/// The member after we unsubscribed it.
pub(crate) fn unsubscribed_member(
    request: &ChangeRequest,
    wire: &WireMember,
    context: &DeliveryContext,
    session: &MailchimpSession,
    now: Time,
) -> Member {
    let place = MemberPlace {
        audience: request.audience.clone(),
        member: request.member.clone(),
    };
    let old = context.member_at(&place);
    let mut member = observed_member(wire, old, &session.managed(), now);
    member.remote_id.clone_from(&request.member);
    // It is the refuser who left by it: whoever had the address before, and has another one now,
    // refused nothing.
    member.supporter_id = Some(request.supporter_id);
    "unsubscribed".clone_into(&mut member.remote_status);
    member.ever_left_at = member.ever_left_at.or(Some(now));
    member.subscribed_by_us = false;
    member
}

/// Our own word in the mirror for a member that an earlier audience does not show, or does not let
/// us unsubscribe.
const OUT_OF_REACH: &str = "out of reach";

/// What became of an opt-out that was passed on to an earlier audience: the member as it is known
/// afterwards, and how the request ended.
pub(crate) fn unsubscribed_earlier(
    request: &ChangeRequest,
    result: ChangeResult,
    context: &DeliveryContext,
    session: &MailchimpSession,
    now: Time,
    why: &str,
) -> (Option<Member>, OptOutEnd) {
    let audience = request.audience.as_deref().unwrap_or_default();
    let out_of_reach = || {
        let old = context.member_at(&MemberPlace {
            audience: request.audience.clone(),
            member: request.member.clone(),
        });
        old.cloned().map(|old| Member {
            remote_status: OUT_OF_REACH.to_owned(),
            subscribed_by_us: false,
            ..old
        })
    };
    match result {
        ChangeResult::Done(wire) => {
            let fate = format!(
                "{why}: unsubscribed in Mailchimp, in the earlier audience {audience}, too"
            );
            (
                Some(unsubscribed_member(request, &wire, context, session, now)),
                OptOutEnd::Final(Fate::Skipped(fate)),
            )
        }
        // Told once and not tried for ever.
        ChangeResult::Missing => (
            out_of_reach(),
            OptOutEnd::Final(Fate::Skipped(format!(
                "{why}: not found in the earlier audience {audience}"
            ))),
        ),
        ChangeResult::NotDone => (None, OptOutEnd::Refused(STILL_SHOWN.to_owned())),
        ChangeResult::Refused(problem) => (None, OptOutEnd::Refused(problem.plain())),
        ChangeResult::Closed => {
            let fate = format!(
                "cannot be unsubscribed in the earlier audience {audience}, which does not take this key any more"
            );
            (out_of_reach(), OptOutEnd::Final(Fate::Rejected(fate)))
        }
        ChangeResult::Changed => (
            None,
            OptOutEnd::Final(Fate::Skipped(
                "changed while it was unsubscribed; looked at again".to_owned(),
            )),
        ),
    }
}
