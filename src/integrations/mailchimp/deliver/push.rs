//! People are added and changed, up to 500 in a call: written down, asked for consent again, sent,
//! and matched with the answer.

use super::consent::{confirm, not_sent, still_desired};
use super::load_values::load_values;
use super::reconcile::reconcile;
use super::record::{BatchResult, record_batch_result, wait_for_room};
use super::undo_resubscription::{undo_resubscription, unsubscribe_again};
use super::update::{MemberUpdate, NOT_HEARD, silent, verdict};
use crate::domain::{Fate, Image, Member, Profile, Step, Verdict, Way};
use crate::integrations::mailchimp::api::answers::{BatchAnswer, Problem};
use crate::integrations::mailchimp::api::calls::{BACKOFF, TRIES};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::decide::claims::is_of_another;
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// Halvings of one chunk: enough for a few people whom Mailchimp cannot read, too few for a call
/// that it never takes.
const SPLITS: u32 = 64;

/// What became of one try.
enum SendResult {
    /// Everybody dropped out.
    Nobody,
    Answered(Vec<(MemberUpdate, Profile)>, BatchAnswer),
    /// Mailchimp failed at the call as a whole, at each try; it may have been carried out.
    Failed(Vec<MemberUpdate>, Failure),
    /// The call as a whole was refused.
    Refused(Vec<MemberUpdate>, Problem),
    /// The same, since the plan has no room for everybody who would be new.
    Full(Vec<MemberUpdate>, Problem),
}

/// Calls in a row at which Mailchimp fails until it is taken for a fault of Mailchimp's, and not of
/// somebody in them.
const FAILURES: u32 = 8;

/// Sends people until each has a verdict; a call at which Mailchimp fails is tried so often.
pub(crate) async fn push(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    tries: u32,
) -> Result<BatchResult, PluginError> {
    let (mut parts, mut splits, mut done) = (vec![updates], 0, BatchResult::default());
    let (mut was_probed, mut was_answered) = (false, false);
    let (mut has_failed, mut failures) = (false, 0);
    let mut failed_alone: Option<(Vec<i64>, Failure)> = None;
    while let Some(part) = parts.pop() {
        let part = without_adds_if_full(session, ctx, part, &mut done).await?;
        if part.is_empty() {
            continue;
        }
        // Parts of a call at which it failed are tried once.
        let tries = if has_failed { 1 } else { tries };
        match until_answered(session, ctx, part, tries, &mut done.verdicts).await? {
            SendResult::Nobody => {}
            SendResult::Failed(mut updates, failure) => {
                (has_failed, failures) = (true, failures + 1);
                if failures > FAILURES {
                    return Err(failure.into_error("sending people"));
                }
                if let [update] = updates.as_slice() {
                    let (people, _) = failed_alone.get_or_insert_with(|| (Vec::new(), failure));
                    people.push(update.supporter_id);
                    continue;
                }
                let right = updates.split_off(updates.len() / 2);
                // After what is waiting: of the parts one may be taken before the next failure.
                parts.splice(0..0, [right, updates]);
            }
            SendResult::Answered(sent, answer) => {
                (was_answered, failures) = (true, 0);
                let addresses: Vec<&str> = sent
                    .iter()
                    .map(|(update, _)| update.desired.address.as_str())
                    .collect();
                let outcomes = reconcile(&addresses, answer);
                let again = record_batch_result(session, ctx, sent, outcomes, &mut done).await?;
                let twice = std::mem::take(&mut done.twice);
                if !twice.requests.is_empty() {
                    unsubscribe_again(session, ctx, twice).await;
                }
                if let Some(resubscribed) = done.resubscribed.take() {
                    return Err(undo_resubscription(session, ctx, resubscribed).await);
                }
                parts.push(again);
            }
            // Whoever is there already needs no room. Of the others one goes alone first: if not
            // even that one is taken, nobody is.
            SendResult::Full(updates, problem) => {
                let (mut adds, changes): (Vec<MemberUpdate>, Vec<MemberUpdate>) = updates
                    .into_iter()
                    .partition(|update| update.intent == Step::Add);
                if adds.is_empty() {
                    return Err(Failure::Blocked(problem).into_error("changing people"));
                }
                if adds.len() == 1 {
                    session.note_full(&problem.plain());
                }
                let rest = adds
                    .split_off(if was_probed { adds.len() / 2 } else { 1 }.clamp(1, adds.len()));
                was_probed = true;
                parts.extend([rest, adds, changes]);
            }
            SendResult::Refused(mut updates, problem) => match (updates.len(), updates.pop()) {
                (1, Some(update)) => done.refuse(&update, &problem.all(), ctx).await?,
                (_, Some(last)) => {
                    updates.push(last);
                    splits += 1;
                    if splits > SPLITS {
                        return Err(PluginError::Unexpected(format!(
                            "Mailchimp does not take what is sent: {}",
                            problem.plain()
                        )));
                    }
                    let right = updates.split_off(updates.len() / 2);
                    parts.extend([right, updates]);
                }
                (_, None) => {}
            },
        }
    }
    match failed_alone {
        // It works for others.
        Some((people, _)) if was_answered => done.verdicts.extend(people.into_iter().map(silent)),
        Some((_, failure)) => return Err(failure.into_error("sending people")),
        None => {}
    }
    Ok(done)
}

/// Without those who would be new, once Mailchimp said that there is no room for them.
pub(crate) async fn without_adds_if_full(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    done: &mut BatchResult,
) -> Result<Vec<MemberUpdate>, PluginError> {
    if session.full_notice().is_none() {
        return Ok(updates);
    }
    let (adds, rest) = updates
        .into_iter()
        .partition(|update| update.intent == Step::Add);
    wait_for_room(session, ctx, adds, done).await?;
    Ok(rest)
}

/// Tries until Mailchimp answers. Before each try everything is asked again: the mirror, the lease,
/// consent.
async fn until_answered(
    session: &MailchimpSession,
    ctx: &PluginContext,
    mut updates: Vec<MemberUpdate>,
    most: u32,
    verdicts: &mut Vec<Verdict>,
) -> Result<SendResult, PluginError> {
    let mut tries = 0;
    loop {
        if ctx.is_suspended() {
            return Err(PluginError::Stopped);
        }
        ctx.go_on()?;
        ctx.mark();
        // Whatever must be asked of Mailchimp is asked before the last look at consent, and who
        // changed there last of all.
        let schema = session.schema(ctx).await?;
        let double_optin = session.audience.setup().double_optin;
        load_values(session, ctx, &mut updates).await?;
        freshen(session, ctx).await?;
        updates = still_in(ctx, updates, verdicts).await?;
        // Those who came with this look.
        if load_values(session, ctx, &mut updates).await? {
            updates = still_in(ctx, updates, verdicts).await?;
        }
        if updates.is_empty() {
            return Ok(SendResult::Nobody);
        }
        let sending: Vec<_> = updates
            .iter()
            .map(|update| update.sending(Some(&schema), &session.managed()))
            .collect();
        let people = confirm(ctx, &sending).await?;
        let mut sent = still_consented(session, ctx, updates, people, verdicts);
        sent.iter_mut()
            .for_each(|(update, _)| update.leave_out(&schema.fields));
        if sent.is_empty() {
            return Ok(SendResult::Nobody);
        }
        let noted: BTreeMap<i64, Option<Image>> = sending
            .into_iter()
            .map(|one| (one.supporter_id, one.image))
            .collect();
        let images = sent
            .iter()
            .map(|(update, _)| update.image(Some(&schema), &session.managed()));
        let others: Vec<Image> = images
            .filter(|image| noted.get(&image.supporter_id).and_then(Option::as_ref) != Some(image))
            .collect();
        ctx.save_images(&others).await?;
        let items: Vec<_> = sent
            .iter()
            .map(|(update, person)| update.item(&schema, double_optin, person.consent_decided_at))
            .collect();
        match session.api.subscribe(&items).await {
            Ok(answer) => return Ok(SendResult::Answered(sent, answer)),
            Err(Failure::Invalid(problem)) => {
                return Ok(SendResult::Refused(
                    sent.into_iter().map(|(update, _)| update).collect(),
                    problem,
                ));
            }
            Err(Failure::Blocked(problem))
                if RefusalClass::of(&problem.all()) == RefusalClass::Full =>
            {
                return Ok(SendResult::Full(
                    sent.into_iter().map(|(update, _)| update).collect(),
                    problem,
                ));
            }
            Err(failure @ (Failure::Busy(_) | Failure::Broken(_))) => {
                tries += 1;
                updates = sent
                    .into_iter()
                    .map(|(update, _)| MemberUpdate {
                        is_replay: true,
                        ..update
                    })
                    .collect();
                match failure {
                    Failure::Broken(_) if tries >= most => {
                        return Ok(SendResult::Failed(updates, failure));
                    }
                    failure if tries >= TRIES => return Err(failure.into_error("sending people")),
                    _ => tokio::time::sleep(BACKOFF.wait(tries)).await,
                }
            }
            // It was answered, and nobody was sent.
            Err(failure) => {
                let people = sent.iter().map(|(update, _)| update.supporter_id).collect();
                ctx.give_back(&people).await?;
                return Err(failure.into_error("sending people"));
            }
        }
    }
}

/// Those who did not leave meanwhile, each with its member as the mirror knows it now.
async fn still_in(
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    verdicts: &mut Vec<Verdict>,
) -> Result<Vec<MemberUpdate>, PluginError> {
    let ids: Vec<String> = updates
        .iter()
        .map(|update| hash_of(&update.desired.address))
        .collect();
    let mut members: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let supporters: Vec<i64> = updates.iter().map(|update| update.supporter_id).collect();
    let suppressed = ctx.suppressed(&ids, &supporters).await?;
    let mut kept = Vec::with_capacity(updates.len());
    for (mut update, id) in updates.into_iter().zip(&ids) {
        match members.remove(id) {
            Some(member) if is_out(&member) => verdicts.push(verdict(
                update.supporter_id,
                Fate::Skipped(out_reason(&member)),
            )),
            // They left by another one, as it shows just now: what becomes of this one is decided
            // anew.
            Some(member)
                if is_of_another(&member, update.supporter_id)
                    && suppressed
                        .why(update.supporter_id, id)
                        .is_some_and(|why| why.way != Way::Bounced) =>
            {
                let reason = "left meanwhile; looked at again".to_owned();
                verdicts.push(verdict(
                    update.supporter_id,
                    Fate::Deferred {
                        until: ctx.now() + TimeDelta::milliseconds(1),
                        reason,
                    },
                ));
            }
            Some(member) => {
                // Somebody else put them there, unless it was an earlier try of ours.
                if update.intent == Step::Add && !update.is_replay {
                    (update.intent, update.permits) = (Step::Change, false);
                }
                update.set_before(member);
                kept.push(update);
            }
            // Nobody is there; the person may have left under another address.
            None => match suppressed.why(update.supporter_id, id) {
                Some(why) => verdicts.push(unless_under_way(
                    &update,
                    verdict(update.supporter_id, Fate::Skipped(why.reason.clone())),
                )),
                None => kept.push(update),
            },
        }
    }
    Ok(kept)
}

/// The verdict on somebody who is not sent after all: an earlier try that was not answered may still
/// be carried out.
fn unless_under_way(update: &MemberUpdate, word: Verdict) -> Verdict {
    if update.is_replay && update.intent == Step::Add {
        verdict(update.supporter_id, Fate::Unheard(NOT_HEARD.to_owned()))
    } else {
        word
    }
}

/// Those who may still be mailed there, with what they look like at this moment.
fn still_consented(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
    mut people: BTreeMap<i64, Profile>,
    verdicts: &mut Vec<Verdict>,
) -> Vec<(MemberUpdate, Profile)> {
    let mut kept = Vec::with_capacity(updates.len());
    for mut update in updates {
        let person = people.remove(&update.supporter_id);
        let address = &update.desired.address;
        let desired = still_desired(person.as_ref(), address, &session.managed(), ctx.now());
        match (person, desired) {
            (Some(person), Some(desired)) => {
                // Another name than the one that the guard was asked about waits for the next look.
                update.with_name &= desired.name == update.desired.name;
                let wanted: BTreeSet<&String> = desired.tags.iter().collect();
                update.untags.retain(|tag| !wanted.contains(tag));
                update.desired = desired;
                kept.push((update, person));
            }
            (person, _) => verdicts.push(unless_under_way(
                &update,
                not_sent(
                    update.supporter_id,
                    person.as_ref(),
                    "changed while it was sent; looked at again",
                ),
            )),
        }
    }
    kept
}
