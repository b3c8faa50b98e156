//! The outcomes of one call become rows of the mirror and verdicts; whoever only lacks a field is
//! sent once more without it.

use super::change::{ChangeRequest, MemberChange};
use super::reconcile::{BatchOutcome, is_resubscribed};
use super::suppress::{suppressed_member, suppressions_of};
use super::undo_resubscription::Resubscribed;
use super::update::{MemberUpdate, silent, verdict};
use crate::domain::{Fate, Member, Profile, Step, Time, Verdict, scrubbed};
use crate::integrations::mailchimp::api::answers::{WireError, WireMember, WirePermission};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::mirror::changes::departure;
use crate::integrations::mailchimp::mirror::member::{contact_of, hash_of, observed_member};
use crate::integrations::mailchimp::mirror::merge_fields::FIELDS;
use crate::integrations::mailchimp::mirror::name::Name;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{is_live, is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;

/// Tries of somebody who is refused for a reason that is not known, each a while after the one
/// before.
const TRIES: i64 = 4;

/// Why somebody is looked at again whose contact took another address while they were sent.
const TWICE: &str = "changed to another address in Mailchimp while they were sent; looked at again";

/// Somebody who was taken.
pub(crate) struct Accepted {
    pub(crate) update: MemberUpdate,
    pub(crate) member: Member,
    pub(crate) permissions: Vec<WirePermission>,
}

/// What became of people who were sent.
#[derive(Default)]
pub(crate) struct BatchResult {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) resubscribed: Option<Resubscribed>,
    /// Contacts that were made although theirs is there under another address.
    pub(crate) twice: Resubscribed,
}

/// Settles one answer; answers with those who are to be sent again.
pub(crate) async fn record_batch_result(
    session: &MailchimpSession,
    ctx: &PluginContext,
    sent: Vec<(MemberUpdate, Profile)>,
    outcomes: Vec<BatchOutcome>,
    done: &mut BatchResult,
) -> Result<Vec<MemberUpdate>, PluginError> {
    let now = ctx.now();
    let (mut again, mut members, mut evidence, mut without_room) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut leavings = Vec::new();
    for ((mut update, person), outcome) in sent.into_iter().zip(outcomes) {
        match outcome {
            BatchOutcome::Accepted {
                member: wire,
                is_new,
            } => {
                let member = member_after(session, &update, &wire, is_new, now);
                evidence.extend(departure(update.before.as_ref(), &member));
                members.push(member.clone());
                if is_resubscribed(update.before.as_ref(), &wire, is_new) {
                    let renamed = match &update.before {
                        Some(before) if is_new => renamed_since(session, before, now).await?,
                        _ => None,
                    };
                    let resubscribed = match renamed {
                        // It took another address while this was sent, and was put there twice.
                        Some(renamed) => {
                            members.push(renamed);
                            done.verdicts.push(verdict(
                                update.supporter_id,
                                Fate::Deferred {
                                    until: now + TimeDelta::milliseconds(1),
                                    reason: TWICE.to_owned(),
                                },
                            ));
                            &mut done.twice
                        }
                        None => done.resubscribed.get_or_insert_default(),
                    };
                    resubscribed.requests.push(ChangeRequest {
                        supporter_id: update.supporter_id,
                        address: Some(update.desired.address.clone()),
                        audience: None,
                        member: member.remote_id.clone(),
                        contact: member.contact_id.clone(),
                        change: MemberChange::Unsubscribe {
                            even_if_consented: true,
                        },
                    });
                    resubscribed.members.push(member);
                } else if is_out(&member) {
                    done.verdicts.push(verdict(
                        update.supporter_id,
                        Fate::Skipped(out_reason(&member)),
                    ));
                } else {
                    session
                        .audience
                        .note_made(update.desired.tags.iter().filter(|_| !update.is_quiet));
                    done.verdicts.push(update.accepted(&person, now));
                    done.accepted.push(Accepted {
                        update,
                        member,
                        permissions: wire.marketing_permissions,
                    });
                }
            }
            BatchOutcome::Refused(error) => match bad_field(&update, &error) {
                Some(field) => {
                    update.dropped.push(field);
                    again.push(update);
                }
                None => {
                    let class = RefusalClass::of(&error.error);
                    if class.is_final() {
                        let member = suppressed_member(
                            update.supporter_id,
                            &update.desired.address,
                            class,
                            update.before.as_ref(),
                            now,
                        );
                        leavings.extend(suppressions_of(&member, update.before.as_ref()));
                        members.push(member);
                    }
                    if class == RefusalClass::Full {
                        session.note_full(&scrubbed(&error.error));
                        without_room.push(update);
                        continue;
                    }
                    let text = format!("{} {}", error.error, error.field_message);
                    done.verdicts.push(verdict(
                        update.supporter_id,
                        refusal_fate(class, &text, update.attempts, now),
                    ));
                }
            },
            BatchOutcome::Unknown => {
                done.verdicts.push(silent(update.supporter_id));
            }
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &evidence).await?;
    wait_for_room(session, ctx, without_room, done).await?;
    Ok(again)
}

/// Puts off whoever finds no room in the plan. Nothing was done to them: what was counted for it is
/// given back, and a person's word on it holds as long as they wait.
pub(crate) async fn wait_for_room(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    done: &mut BatchResult,
) -> Result<(), PluginError> {
    if updates.is_empty() {
        return Ok(());
    }
    let said = session.full_notice().unwrap_or_default();
    for update in &updates {
        session.note_waiting(update.supporter_id);
        done.verdicts.push(verdict(
            update.supporter_id,
            refusal_fate(RefusalClass::Full, &said, update.attempts, ctx.now()),
        ));
    }
    ctx.give_back(&updates.iter().map(|update| update.supporter_id).collect())
        .await
}

/// The contact that was known here, when it is there under another address by now: whoever was sent
/// to this one was not archived, and nobody was brought back.
async fn renamed_since(
    session: &MailchimpSession,
    before: &Member,
    now: Time,
) -> Result<Option<Member>, PluginError> {
    let Some(name) = before.contact_id.as_deref().filter(|_| is_live(before)) else {
        return Ok(None);
    };
    match session.api.member(name).await {
        Ok(there) if contact_of(&there) == Some(name) => {
            let renamed = observed_member(&there, Some(before), &session.managed(), now);
            Ok(Some(renamed).filter(|one| one.remote_id != before.remote_id && is_live(one)))
        }
        Ok(_) | Err(Failure::Missing) => Ok(None),
        Err(failure) => Err(failure.into_error("looking for a contact under another address")),
    }
}

/// The member after it was sent.
fn member_after(
    session: &MailchimpSession,
    update: &MemberUpdate,
    wire: &WireMember,
    is_new: bool,
    now: Time,
) -> Member {
    let before = update.before.as_ref();
    let mut member = observed_member(wire, before, &session.managed(), now);
    member.remote_id = hash_of(&update.desired.address);
    member.supporter_id = Some(update.supporter_id);
    if is_new {
        // Asked now, even if Mailchimp calls the contact as it did before it was dropped.
        member.last_seen_at = wire.last_changed.or(member.last_seen_at);
    }
    // What was sent is there, whether or not the answer shows it already.
    member.managed_tags.extend(
        update
            .desired
            .tags
            .iter()
            .filter(|_| !update.is_quiet)
            .cloned(),
    );
    member.managed_tags.extend(
        update
            .untags
            .iter()
            .filter(|tag| before.is_some_and(|before| before.managed_tags.contains(*tag)))
            .cloned(),
    );
    if wire.merge_fields.is_empty() {
        let sent = if update.with_name {
            update.desired.name.clone()
        } else {
            Name::default()
        };
        member.name_hash = sent.over(before.and_then(|before| before.name_hash));
        let mut values = member.values.take().unwrap_or_default();
        values.0.extend(
            update
                .desired
                .values(update.with_name)
                .into_iter()
                .map(|(tag, value)| (tag.to_owned(), value.to_owned())),
        );
        member.values = Some(values);
    }
    let added_by_us = update.intent == Step::Add && (is_new || update.is_replay);
    member.subscribed_by_us |= added_by_us && !is_out(&member);
    member
}

/// A field of ours that Mailchimp does not take of this member, and that was not left out yet.
fn bad_field(update: &MemberUpdate, error: &WireError) -> Option<(&'static str, String)> {
    let field = FIELDS
        .iter()
        .find(|field| field.tag.eq_ignore_ascii_case(error.field.trim()))?;
    let is_new = !update
        .dropped
        .iter()
        .any(|(dropped, _)| *dropped == field.tag);
    is_new.then(|| {
        (
            field.tag,
            scrubbed(if error.field_message.is_empty() {
                &error.error
            } else {
                &error.field_message
            }),
        )
    })
}

/// The fate of somebody whom Mailchimp does not take.
pub(crate) fn refusal_fate(class: RefusalClass, text: &str, attempts: i64, now: Time) -> Fate {
    let reason = class.reason(text);
    match class {
        RefusalClass::TooOften => Fate::Deferred {
            until: now + TimeDelta::hours(24),
            reason,
        },
        // Looked at again in the next delivery, and not in this one once more.
        RefusalClass::Full => Fate::Deferred {
            until: now + TimeDelta::milliseconds(1),
            reason,
        },
        RefusalClass::Account => Fate::Deferred {
            until: now + TimeDelta::hours(1),
            reason,
        },
        RefusalClass::Unclear if attempts < TRIES => Fate::Deferred {
            until: now + TimeDelta::hours(1 << (2 * attempts.clamp(0, TRIES))),
            reason,
        },
        _ => Fate::Rejected(reason),
    }
}

impl BatchResult {
    /// Somebody whom Mailchimp does not take.
    pub(crate) async fn refuse(
        &mut self,
        update: &MemberUpdate,
        text: &str,
        ctx: &PluginContext,
    ) -> Result<(), PluginError> {
        let class = RefusalClass::of(text);
        if class.is_final() {
            let member = suppressed_member(
                update.supporter_id,
                &update.desired.address,
                class,
                update.before.as_ref(),
                ctx.now(),
            );
            ctx.suppress(&suppressions_of(&member, update.before.as_ref()))
                .await?;
            ctx.save_members(&[member], &[]).await?;
        }
        self.verdicts.push(verdict(
            update.supporter_id,
            refusal_fate(class, text, update.attempts, ctx.now()),
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::mailchimp::tests::day;

    #[test]
    fn a_refusal_is_remembered_unless_time_may_heal_it() {
        let until =
            |class: RefusalClass, attempts: i64| match refusal_fate(class, "odd", attempts, day(1))
            {
                Fate::Deferred { until, .. } => Some((until - day(1)).num_hours()),
                _ => None,
            };
        assert_eq!(until(RefusalClass::TooOften, 9), Some(24));
        assert_eq!(
            [0, 1, 2, 3, 4].map(|attempts| until(RefusalClass::Unclear, attempts)),
            [Some(1), Some(4), Some(16), Some(64), None]
        );
        for class in [
            RefusalClass::Gone,
            RefusalClass::Forgotten,
            RefusalClass::Fake,
        ] {
            assert_eq!(until(class, 0), None, "{class:?}");
        }
    }
}
