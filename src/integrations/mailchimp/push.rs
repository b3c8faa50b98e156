//! People are added and changed, up to 500 in a call: written down, asked for consent again, sent, and matched with the answer.

use super::api::{BACKOFF, TRIES};
use super::client::Failure;
use super::desk::Desk;
use super::member::{hash_of, is_out, out_reason};
use super::picture::Picture;
use super::reconcile::reconcile;
use super::settle::{Alarmed, Settled, settle};
use super::texts::Class;
use super::wire::{BatchAnswer, Problem};
use super::work::{Work, verdict};
use crate::domain::{Fate, Member, Profile, Step, Verdict};
use crate::plugin::{PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Halvings of one chunk: enough for a few people whom Mailchimp cannot read, too few for a call that it never takes.
const SPLITS: u32 = 64;

/// What became of one try.
enum Try {
    /// Everybody dropped out.
    Nobody,
    Answered(Vec<(Work, Profile)>, BatchAnswer),
    /// The call as a whole was refused.
    Refused(Vec<Work>, Problem),
}

/// Sends people until each has a verdict.
pub(super) async fn push(desk: &Desk, ctx: &PluginContext, works: Vec<Work>) -> Result<Settled, PluginError> {
    let (mut parts, mut splits, mut done) = (vec![works], 0, Settled::default());
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match until_answered(desk, ctx, part, &mut done.verdicts).await? {
            Try::Nobody => {}
            Try::Answered(sent, answer) => {
                let addresses: Vec<&str> = sent.iter().map(|(work, _)| work.picture.address.as_str()).collect();
                let outcomes = reconcile(&addresses, answer);
                let again = settle(desk, ctx, sent, outcomes, &mut done).await?;
                if let Some(alarmed) = done.alarmed.take() {
                    return Err(raise(desk, ctx, alarmed).await);
                }
                parts.push(again);
            }
            Try::Refused(mut works, problem) => match (works.len(), works.pop()) {
                (1, Some(work)) => done.refuse(&work, &problem.all(), ctx).await?,
                (_, Some(last)) => {
                    works.push(last);
                    splits += 1;
                    if splits > SPLITS {
                        return Err(PluginError::Unexpected(format!("Mailchimp does not take what is sent: {}", problem.plain())));
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

/// Tries until Mailchimp answers. Before each try everything is asked again: the mirror, the lease, consent.
async fn until_answered(desk: &Desk, ctx: &PluginContext, mut works: Vec<Work>, verdicts: &mut Vec<Verdict>) -> Result<Try, PluginError> {
    let mut tries = 0;
    loop {
        ctx.go_on()?;
        ctx.mark();
        desk.freshen(ctx).await?;
        // Whatever must be asked of Mailchimp is asked before the last look at consent.
        let shelf = desk.audience.shelf(&desk.api).await?;
        let double_optin = desk.audience.setup().double_optin;
        works = still_in(ctx, works, verdicts).await?;
        if works.is_empty() {
            return Ok(Try::Nobody);
        }
        let people = ctx.begin_sending(&works.iter().map(Work::sending).collect::<Vec<_>>()).await?;
        let sent = still_consented(desk, ctx, works, people, verdicts);
        if sent.is_empty() {
            return Ok(Try::Nobody);
        }
        let items: Vec<_> = sent.iter().map(|(work, _)| work.item(&shelf, double_optin)).collect();
        match desk.api.subscribe(&items).await {
            Ok(answer) => return Ok(Try::Answered(sent, answer)),
            Err(Failure::Invalid(problem)) => return Ok(Try::Refused(sent.into_iter().map(|(work, _)| work).collect(), problem)),
            Err(failure @ Failure::Busy(_)) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(failure.into_error("sending people"));
                }
                works = sent.into_iter().map(|(work, _)| Work { is_replay: true, ..work }).collect();
                tokio::time::sleep(BACKOFF.wait(tries)).await;
            }
            Err(failure) => return Err(failure.into_error("sending people")),
        }
    }
}

/// Those who did not leave meanwhile, each with its member as the mirror knows it now.
async fn still_in(ctx: &PluginContext, works: Vec<Work>, verdicts: &mut Vec<Verdict>) -> Result<Vec<Work>, PluginError> {
    let ids: Vec<String> = works.iter().map(|work| hash_of(&work.picture.address)).collect();
    let mut members: BTreeMap<String, Member> =
        ctx.members(&ids).await?.into_iter().map(|member| (member.remote_id.clone(), member)).collect();
    let mut kept = Vec::with_capacity(works.len());
    for (mut work, id) in works.into_iter().zip(&ids) {
        match members.remove(id) {
            Some(member) if is_out(&member) => verdicts.push(verdict(work.supporter_id, Fate::Skipped(out_reason(&member)))),
            Some(member) => {
                // Somebody else put them there, unless it was an earlier try of ours.
                if work.intent == Step::Add && !work.is_replay {
                    (work.intent, work.permits) = (Step::Change, false);
                }
                work.before = Some(member);
                kept.push(work);
            }
            None => kept.push(work),
        }
    }
    Ok(kept)
}

/// Those who may still be mailed there, with what they look like at this moment.
fn still_consented(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    people: Vec<Profile>,
    verdicts: &mut Vec<Verdict>,
) -> Vec<(Work, Profile)> {
    let mut people: BTreeMap<i64, Profile> = people.into_iter().map(|person| (person.supporter_id, person)).collect();
    let mut kept = Vec::with_capacity(works.len());
    for mut work in works {
        let person = people.remove(&work.supporter_id);
        let picture = person.as_ref().and_then(|person| Picture::of(person, &desk.managed, ctx.now()));
        match (person, picture) {
            (Some(person), Some(picture)) if picture.address == work.picture.address => {
                // Another name than the one that the guard was asked about waits for the next look.
                work.with_name &= picture.name == work.picture.name;
                let wanted: BTreeSet<&String> = picture.tags.iter().collect();
                work.untags.retain(|tag| !wanted.contains(tag));
                work.picture = picture;
                kept.push((work, person));
            }
            (person, _) => {
                let why =
                    person.and_then(|person| person.refusal()).unwrap_or_else(|| "changed while it was sent; looked at again".to_owned());
                verdicts.push(verdict(work.supporter_id, Fate::Skipped(why)));
            }
        }
    }
    kept
}

/// Somebody who had left was brought back. They are taken off again at once, and a person must look.
async fn raise(desk: &Desk, ctx: &PluginContext, alarmed: Alarmed) -> PluginError {
    let count = alarmed.orders.len();
    let undone = super::leave::undo(desk, ctx, alarmed).await;
    let what = if undone == count { "they were unsubscribed again at once" } else { "not all of them could be unsubscribed again" };
    PluginError::Alarm(format!(
        "Mailchimp subscribed {count} people who had left the audience; {what}. Find out why before it goes on: `classy-sync plugin audit`"
    ))
}

impl Settled {
    /// Somebody whom Mailchimp does not take.
    pub(super) async fn refuse(&mut self, work: &Work, text: &str, ctx: &PluginContext) -> Result<(), PluginError> {
        let class = Class::of(text);
        if class.is_final() {
            let member = super::leave::keep_out(work.supporter_id, &work.picture.address, class, work.before.as_ref(), ctx.now());
            ctx.save_members(&[member], &[]).await?;
        }
        self.verdicts.push(verdict(work.supporter_id, super::settle::refusal(class, text, work.attempts, ctx.now())));
        Ok(())
    }
}
