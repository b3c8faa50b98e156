//! People are added and changed, up to 500 in a call: written down, asked for consent again, sent,
//! and matched with the answer.

use super::consent::{confirm, not_sent, still_desired};
use super::load_values::know_values;
use super::reconcile::reconcile;
use super::record::{Settled, settle, wait_for_room};
use super::undo_resubscription::raise;
use super::update::{Work, verdict};
use crate::domain::{Fate, Image, Member, Profile, Step, Verdict, Way};
use crate::integrations::mailchimp::api::answers::{BatchAnswer, Problem};
use crate::integrations::mailchimp::api::calls::{BACKOFF, TRIES};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::texts::Class;
use crate::integrations::mailchimp::decide::claims::is_of_another;
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::{is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// Halvings of one chunk: enough for a few people whom Mailchimp cannot read, too few for a call
/// that it never takes.
const SPLITS: u32 = 64;

/// What became of one try.
enum Try {
    /// Everybody dropped out.
    Nobody,
    Answered(Vec<(Work, Profile)>, BatchAnswer),
    /// The call as a whole was refused.
    Refused(Vec<Work>, Problem),
    /// The same, since the plan has no room for everybody who would be new.
    Full(Vec<Work>, Problem),
}

/// Sends people until each has a verdict.
pub(crate) async fn push(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
) -> Result<Settled, PluginError> {
    let (mut parts, mut splits, mut done) = (vec![works], 0, Settled::default());
    let mut was_probed = false;
    while let Some(part) = parts.pop() {
        let part = without_adds_if_full(desk, ctx, part, &mut done).await?;
        if part.is_empty() {
            continue;
        }
        match until_answered(desk, ctx, part, &mut done.verdicts).await? {
            Try::Nobody => {}
            Try::Answered(sent, answer) => {
                let addresses: Vec<&str> = sent
                    .iter()
                    .map(|(work, _)| work.picture.address.as_str())
                    .collect();
                let outcomes = reconcile(&addresses, answer);
                let again = settle(desk, ctx, sent, outcomes, &mut done).await?;
                if let Some(alarmed) = done.alarmed.take() {
                    return Err(raise(desk, ctx, alarmed).await);
                }
                parts.push(again);
            }
            // Whoever is there already needs no room. Of the others one goes alone first: if not
            // even that one is taken, nobody is.
            Try::Full(works, problem) => {
                let (mut adds, changes): (Vec<Work>, Vec<Work>) =
                    works.into_iter().partition(|work| work.intent == Step::Add);
                if adds.is_empty() {
                    return Err(Failure::Blocked(problem).into_error("changing people"));
                }
                if adds.len() == 1 {
                    desk.note_full(&problem.plain());
                }
                let rest = adds
                    .split_off(if was_probed { adds.len() / 2 } else { 1 }.clamp(1, adds.len()));
                was_probed = true;
                parts.extend([rest, adds, changes]);
            }
            Try::Refused(mut works, problem) => match (works.len(), works.pop()) {
                (1, Some(work)) => done.refuse(&work, &problem.all(), ctx).await?,
                (_, Some(last)) => {
                    works.push(last);
                    splits += 1;
                    if splits > SPLITS {
                        return Err(PluginError::Unexpected(format!(
                            "Mailchimp does not take what is sent: {}",
                            problem.plain()
                        )));
                    }
                    let right = works.split_off(works.len() / 2);
                    parts.extend([right, works]);
                }
                (_, None) => {}
            },
        }
    }
    Ok(done)
}

/// Without those who would be new, once Mailchimp said that there is no room for them.
pub(crate) async fn without_adds_if_full(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    done: &mut Settled,
) -> Result<Vec<Work>, PluginError> {
    if desk.said_full().is_none() {
        return Ok(works);
    }
    let (adds, rest) = works.into_iter().partition(|work| work.intent == Step::Add);
    wait_for_room(desk, ctx, adds, done).await?;
    Ok(rest)
}

/// Tries until Mailchimp answers. Before each try everything is asked again: the mirror, the lease,
/// consent.
async fn until_answered(
    desk: &Desk,
    ctx: &PluginContext,
    mut works: Vec<Work>,
    verdicts: &mut Vec<Verdict>,
) -> Result<Try, PluginError> {
    let mut tries = 0;
    loop {
        if ctx.is_suspended() {
            return Err(PluginError::Stopped);
        }
        ctx.go_on()?;
        ctx.mark();
        // Whatever must be asked of Mailchimp is asked before the last look at consent, and who
        // changed there last of all.
        let shelf = desk.shelf(ctx).await?;
        let double_optin = desk.audience.setup().double_optin;
        know_values(desk, ctx, &mut works).await?;
        freshen(desk, ctx).await?;
        works = still_in(ctx, works, verdicts).await?;
        // Those who came with this look.
        if know_values(desk, ctx, &mut works).await? {
            works = still_in(ctx, works, verdicts).await?;
        }
        if works.is_empty() {
            return Ok(Try::Nobody);
        }
        let sending: Vec<_> = works
            .iter()
            .map(|work| work.sending(Some(&shelf), &desk.managed()))
            .collect();
        let people = confirm(ctx, &sending).await?;
        let mut sent = still_consented(desk, ctx, works, people, verdicts);
        sent.iter_mut()
            .for_each(|(work, _)| work.leave_out(&shelf.fields));
        if sent.is_empty() {
            return Ok(Try::Nobody);
        }
        let noted: BTreeMap<i64, Option<Image>> = sending
            .into_iter()
            .map(|one| (one.supporter_id, one.image))
            .collect();
        let images = sent
            .iter()
            .map(|(work, _)| work.image(Some(&shelf), &desk.managed()));
        let others: Vec<Image> = images
            .filter(|image| noted.get(&image.supporter_id).and_then(Option::as_ref) != Some(image))
            .collect();
        ctx.save_images(&others).await?;
        let items: Vec<_> = sent
            .iter()
            .map(|(work, person)| work.item(&shelf, double_optin, person.consent_decided_at))
            .collect();
        match desk.api.subscribe(&items).await {
            Ok(answer) => return Ok(Try::Answered(sent, answer)),
            Err(Failure::Invalid(problem)) => {
                return Ok(Try::Refused(
                    sent.into_iter().map(|(work, _)| work).collect(),
                    problem,
                ));
            }
            Err(Failure::Blocked(problem)) if Class::of(&problem.all()) == Class::Full => {
                return Ok(Try::Full(
                    sent.into_iter().map(|(work, _)| work).collect(),
                    problem,
                ));
            }
            Err(failure @ Failure::Busy(_)) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(failure.into_error("sending people"));
                }
                works = sent
                    .into_iter()
                    .map(|(work, _)| Work {
                        is_replay: true,
                        ..work
                    })
                    .collect();
                tokio::time::sleep(BACKOFF.wait(tries)).await;
            }
            Err(failure) => return Err(failure.into_error("sending people")),
        }
    }
}

/// Those who did not leave meanwhile, each with its member as the mirror knows it now.
async fn still_in(
    ctx: &PluginContext,
    works: Vec<Work>,
    verdicts: &mut Vec<Verdict>,
) -> Result<Vec<Work>, PluginError> {
    let ids: Vec<String> = works
        .iter()
        .map(|work| hash_of(&work.picture.address))
        .collect();
    let mut members: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let supporters: Vec<i64> = works.iter().map(|work| work.supporter_id).collect();
    let suppressed = ctx.suppressed(&ids, &supporters).await?;
    let mut kept = Vec::with_capacity(works.len());
    for (mut work, id) in works.into_iter().zip(&ids) {
        match members.remove(id) {
            Some(member) if is_out(&member) => verdicts.push(verdict(
                work.supporter_id,
                Fate::Skipped(out_reason(&member)),
            )),
            // They left by another one, as it shows just now: what becomes of this one is decided
            // anew.
            Some(member)
                if is_of_another(&member, work.supporter_id)
                    && suppressed
                        .why(work.supporter_id, id)
                        .is_some_and(|why| why.way != Way::Bounced) =>
            {
                let reason = "left meanwhile; looked at again".to_owned();
                verdicts.push(verdict(
                    work.supporter_id,
                    Fate::Deferred {
                        until: ctx.now() + TimeDelta::milliseconds(1),
                        reason,
                    },
                ));
            }
            Some(member) => {
                // Somebody else put them there, unless it was an earlier try of ours.
                if work.intent == Step::Add && !work.is_replay {
                    (work.intent, work.permits) = (Step::Change, false);
                }
                work.know(member);
                kept.push(work);
            }
            // Nobody is there; the person may have left under another address.
            None => match suppressed.why(work.supporter_id, id) {
                Some(why) => verdicts.push(verdict(
                    work.supporter_id,
                    Fate::Skipped(why.reason.clone()),
                )),
                None => kept.push(work),
            },
        }
    }
    Ok(kept)
}

/// Those who may still be mailed there, with what they look like at this moment.
fn still_consented(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    mut people: BTreeMap<i64, Profile>,
    verdicts: &mut Vec<Verdict>,
) -> Vec<(Work, Profile)> {
    let mut kept = Vec::with_capacity(works.len());
    for mut work in works {
        let person = people.remove(&work.supporter_id);
        let address = &work.picture.address;
        let picture = still_desired(person.as_ref(), address, &desk.managed(), ctx.now());
        match (person, picture) {
            (Some(person), Some(picture)) => {
                // Another name than the one that the guard was asked about waits for the next look.
                work.with_name &= picture.name == work.picture.name;
                let wanted: BTreeSet<&String> = picture.tags.iter().collect();
                work.untags.retain(|tag| !wanted.contains(tag));
                work.picture = picture;
                kept.push((work, person));
            }
            (person, _) => verdicts.push(not_sent(
                work.supporter_id,
                person.as_ref(),
                "changed while it was sent; looked at again",
            )),
        }
    }
    kept
}
