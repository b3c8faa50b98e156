//! The outcomes of one call become rows of the mirror and verdicts; whoever only lacks a field is
//! sent once more without it.

use super::change::{Order, What};
use super::reconcile::{Outcome, is_resurrected};
use super::suppress::{keep_out, kept_out};
use super::undo_resubscription::Alarmed;
use super::update::{NO_WORD, Work, verdict};
use crate::domain::{Fate, Member, Profile, Step, Time, Verdict, scrubbed};
use crate::integrations::mailchimp::api::answers::{WireError, WireMember, WirePermission};
use crate::integrations::mailchimp::api::texts::Class;
use crate::integrations::mailchimp::mirror::changes::left;
use crate::integrations::mailchimp::mirror::member::{hash_of, seen};
use crate::integrations::mailchimp::mirror::merge_fields::FIELDS;
use crate::integrations::mailchimp::mirror::name::Name;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::{is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;

/// Tries of somebody who is refused for a reason that is not known, each a while after the one
/// before.
const TRIES: i64 = 4;

/// Somebody who was taken.
pub(crate) struct Taken {
    pub(crate) work: Work,
    pub(crate) member: Member,
    pub(crate) permissions: Vec<WirePermission>,
}

/// What became of people who were sent.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) taken: Vec<Taken>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) alarmed: Option<Alarmed>,
}

/// Settles one answer; answers with those who are to be sent again.
pub(crate) async fn settle(
    desk: &Desk,
    ctx: &PluginContext,
    sent: Vec<(Work, Profile)>,
    outcomes: Vec<Outcome>,
    done: &mut Settled,
) -> Result<Vec<Work>, PluginError> {
    let now = ctx.now();
    let (mut again, mut members, mut evidence, mut without_room) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut leavings = Vec::new();
    for ((mut work, person), outcome) in sent.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Taken {
                member: wire,
                is_new,
            } => {
                let member = after(desk, &work, &wire, is_new, now);
                evidence.extend(left(work.before.as_ref(), &member));
                members.push(member.clone());
                if is_resurrected(work.before.as_ref(), &wire, is_new) {
                    let alarmed = done.alarmed.get_or_insert_default();
                    alarmed.orders.push(Order {
                        supporter_id: work.supporter_id,
                        address: Some(work.picture.address.clone()),
                        audience: None,
                        member: member.remote_id.clone(),
                        contact: member.contact_id.clone(),
                        what: What::Unsubscribe {
                            even_if_consented: true,
                        },
                    });
                    alarmed.members.push(member);
                } else if is_out(&member) {
                    done.verdicts.push(verdict(
                        work.supporter_id,
                        Fate::Skipped(out_reason(&member)),
                    ));
                } else {
                    desk.audience
                        .note_made(work.picture.tags.iter().filter(|_| !work.is_quiet));
                    done.verdicts.push(work.taken(&person, now));
                    done.taken.push(Taken {
                        work,
                        member,
                        permissions: wire.marketing_permissions,
                    });
                }
            }
            Outcome::Refused(error) => match bad_field(&work, &error) {
                Some(field) => {
                    work.dropped.push(field);
                    again.push(work);
                }
                None => {
                    let class = Class::of(&error.error);
                    if class.is_final() {
                        let member = keep_out(
                            work.supporter_id,
                            &work.picture.address,
                            class,
                            work.before.as_ref(),
                            now,
                        );
                        leavings.extend(kept_out(&member));
                        members.push(member);
                    }
                    if class == Class::Full {
                        desk.note_full(&scrubbed(&error.error));
                        without_room.push(work);
                        continue;
                    }
                    let text = format!("{} {}", error.error, error.field_message);
                    done.verdicts.push(verdict(
                        work.supporter_id,
                        refusal(class, &text, work.attempts, now),
                    ));
                }
            },
            Outcome::Unknown => {
                let fate = Fate::Deferred {
                    until: now + TimeDelta::minutes(5),
                    reason: NO_WORD.to_owned(),
                };
                done.verdicts.push(verdict(work.supporter_id, fate));
            }
        }
    }
    ctx.suppress(&leavings).await?;
    ctx.save_members(&members, &evidence).await?;
    wait_for_room(desk, ctx, without_room, done).await?;
    Ok(again)
}

/// Puts off whoever finds no room in the plan. Nothing was done to them: what was counted for it is
/// given back, and a person's word on it holds as long as they wait.
pub(crate) async fn wait_for_room(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    done: &mut Settled,
) -> Result<(), PluginError> {
    if works.is_empty() {
        return Ok(());
    }
    let said = desk.said_full().unwrap_or_default();
    for work in &works {
        desk.note_waiting(work.supporter_id);
        done.verdicts.push(verdict(
            work.supporter_id,
            refusal(Class::Full, &said, work.attempts, ctx.now()),
        ));
    }
    ctx.give_back(&works.iter().map(|work| work.supporter_id).collect())
        .await
}

/// The member after it was sent.
fn after(desk: &Desk, work: &Work, wire: &WireMember, is_new: bool, now: Time) -> Member {
    let before = work.before.as_ref();
    let mut member = seen(wire, before, &desk.managed(), now);
    member.remote_id = hash_of(&work.picture.address);
    member.supporter_id = Some(work.supporter_id);
    if is_new {
        // Asked now, even if Mailchimp calls the contact as it did before it was dropped.
        member.last_seen_at = wire.last_changed.or(member.last_seen_at);
    }
    // What was sent is there, whether or not the answer shows it already.
    member
        .managed_tags
        .extend(work.picture.tags.iter().filter(|_| !work.is_quiet).cloned());
    member.managed_tags.extend(
        work.untags
            .iter()
            .filter(|tag| before.is_some_and(|before| before.managed_tags.contains(*tag)))
            .cloned(),
    );
    if wire.merge_fields.is_empty() {
        let sent = if work.with_name {
            work.picture.name.clone()
        } else {
            Name::default()
        };
        member.name_hash = sent.over(before.and_then(|before| before.name_hash));
        let mut values = member.values.take().unwrap_or_default();
        values.0.extend(
            work.picture
                .values(work.with_name)
                .into_iter()
                .map(|(tag, value)| (tag.to_owned(), value.to_owned())),
        );
        member.values = Some(values);
    }
    let added_by_us = work.intent == Step::Add && (is_new || work.is_replay);
    member.subscribed_by_us |= added_by_us && !is_out(&member);
    member
}

/// A field of ours that Mailchimp does not take of this member, and that was not left out yet.
fn bad_field(work: &Work, error: &WireError) -> Option<(&'static str, String)> {
    let field = FIELDS
        .iter()
        .find(|field| field.tag.eq_ignore_ascii_case(error.field.trim()))?;
    let is_new = !work
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
pub(crate) fn refusal(class: Class, text: &str, attempts: i64, now: Time) -> Fate {
    let reason = class.reason(text);
    match class {
        Class::TooOften => Fate::Deferred {
            until: now + TimeDelta::hours(24),
            reason,
        },
        // Looked at again in the next delivery, and not in this one once more.
        Class::Full => Fate::Deferred {
            until: now + TimeDelta::milliseconds(1),
            reason,
        },
        Class::Account => Fate::Deferred {
            until: now + TimeDelta::hours(1),
            reason,
        },
        Class::Unclear if attempts < TRIES => Fate::Deferred {
            until: now + TimeDelta::hours(1 << (2 * attempts.clamp(0, TRIES))),
            reason,
        },
        _ => Fate::Rejected(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::mailchimp::tests::day;

    #[test]
    fn a_refusal_is_remembered_unless_time_may_heal_it() {
        let until = |class: Class, attempts: i64| match refusal(class, "odd", attempts, day(1)) {
            Fate::Deferred { until, .. } => Some((until - day(1)).num_hours()),
            _ => None,
        };
        assert_eq!(until(Class::TooOften, 9), Some(24));
        assert_eq!(
            [0, 1, 2, 3, 4].map(|attempts| until(Class::Unclear, attempts)),
            [Some(1), Some(4), Some(16), Some(64), None]
        );
        for class in [Class::Gone, Class::Forgotten, Class::Fake] {
            assert_eq!(until(class, 0), None, "{class:?}");
        }
    }
}

impl Settled {
    /// Somebody whom Mailchimp does not take.
    pub(crate) async fn refuse(
        &mut self,
        work: &Work,
        text: &str,
        ctx: &PluginContext,
    ) -> Result<(), PluginError> {
        let class = Class::of(text);
        if class.is_final() {
            let member = keep_out(
                work.supporter_id,
                &work.picture.address,
                class,
                work.before.as_ref(),
                ctx.now(),
            );
            ctx.suppress(&kept_out(&member).into_iter().collect::<Vec<_>>())
                .await?;
            ctx.save_members(&[member], &[]).await?;
        }
        self.verdicts.push(verdict(
            work.supporter_id,
            refusal(class, text, work.attempts, ctx.now()),
        ));
        Ok(())
    }
}
