//! One batch, in the order in which it is safe: moves, opt-outs, additions and changes, tags taken
//! off, permissions; and in the end a look whether anybody of ours still stands at the address of
//! somebody who refuses.

use super::desk::Desk;
use super::follow::{SERVED_THERE, follow};
use super::known::{Known, UNSHOWN};
use super::leave::{Unsubscribed, move_on, unsubscribe};
use super::member::{PENDING, hash_of, is_given_up, is_live};
use super::orders::{Order, What};
use super::owners::is_of_another;
use super::permissions::permit;
use super::plan::{Decision, Moves, Place, Plan, Rules, is_unconfirmed, plan_all};
use super::push::{push, without_adds_if_full};
use super::quiet;
use super::settle::{Settled, Taken};
use super::untag::{Loser, take_off};
use super::work::{NO_WORD, Work, verdict, waits};
use crate::domain::{Deed, Fate, Harm, Member, Profile, Time, Verdict};
use crate::plugin::{PluginContext, PluginError, Said};
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// People in one call.
pub(super) const CHUNK: usize = 500;

/// Plans for people, by what is known now.
pub(super) fn plans(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    people: &[Profile],
    moves: Moves,
) -> Vec<Plan> {
    let managed = desk.managed();
    let rules = Rules {
        managed: &managed,
        on_opt_out: desk.settings.on_opt_out,
        opt_out_scope: desk.settings.opt_out_scope,
        moves,
        double_optin: desk.audience.setup().double_optin,
        now: ctx.now(),
    };
    plan_all(&known.cases(people), &rules)
}

fn is_quiet(plan: &Plan) -> bool {
    matches!(plan.decision, Decision::Skip(_) | Decision::Keep)
}

/// Does what one batch of people needs; a verdict for each person.
pub(super) async fn process(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut known = Known::load(desk, ctx, people).await?;
    let first = plans(desk, ctx, &known, people, Moves::ToCome);
    let is_quiet = first.iter().all(is_quiet);
    if !is_quiet && desk.freshen(ctx).await? {
        known = Known::load(desk, ctx, people).await?;
    }
    let unshown = known.settle(desk, ctx, people).await?;

    let mut verdicts: BTreeMap<i64, Verdict> = BTreeMap::new();
    let planned = plans(desk, ctx, &known, people, Moves::ToCome);
    note(
        &mut verdicts,
        planned
            .iter()
            .filter(|plan| unshown.contains(&plan.supporter_id))
            .filter_map(|plan| not_shown(ctx, plan))
            .collect(),
    );
    let (moves, held) = moves(
        ctx,
        people,
        &known,
        planned
            .into_iter()
            .filter(|plan| !verdicts.contains_key(&plan.supporter_id)),
    );
    note(&mut verdicts, held);
    let mut moved = BTreeSet::new();
    if !moves.is_empty() {
        let (stayed, arrived) = move_on(desk, ctx, &known, moves).await?;
        note(&mut verdicts, stayed);
        moved = arrived;
        known = Known::load(desk, ctx, people).await?;
    }
    let plans = plans(desk, ctx, &known, people, Moves::Done);
    let mut sorted = sort(ctx, people, &known, plans, &moved, &verdicts);
    note(&mut verdicts, std::mem::take(&mut sorted.verdicts));
    ctx.save_members(&sorted.heirs, &[]).await?;
    let Unsubscribed {
        verdicts: told,
        mut refused,
    } = unsubscribe(desk, ctx, &known, sorted.unsubscribes, &sorted.reasons).await?;
    note(&mut verdicts, told);
    let is_quiet_push = desk.settings.quiet_first_push && ctx.is_first_push();
    sorted
        .works
        .iter_mut()
        .for_each(|work| work.is_quiet = is_quiet_push);
    let (sends, rest): (Vec<Work>, Vec<Work>) =
        sorted.works.into_iter().partition(|work| work.sends);
    let mut done = push_all(desk, ctx, sends, &known).await?;
    quiet::tag(desk, ctx, &mut done.taken).await?;
    note(&mut verdicts, done.verdicts);
    note(&mut verdicts, follow(desk, ctx, sorted.follows).await?);
    let (losers, also) = losers(desk, ctx, people, &done.taken, rest).await?;
    note(&mut verdicts, also);
    take_off(desk, ctx, losers).await?;
    permit(desk, ctx, &done.taken).await?;
    if !is_quiet {
        let late = enforce_refusals(desk, ctx, people, &verdicts).await?;
        refused.extend(late.refused);
        note(&mut verdicts, late.verdicts);
    }
    tell_refused(
        desk,
        ctx,
        Unsubscribed {
            verdicts: verdicts.into_values().collect(),
            refused,
        },
    )
    .await
}

/// Whose opt-out Mailchimp did not carry out is told of the audience as a whole as long as it is
/// so.
async fn tell_refused(
    desk: &Desk,
    ctx: &PluginContext,
    done: Unsubscribed,
) -> Result<Vec<Verdict>, PluginError> {
    let people = done.verdicts.iter().map(|verdict| {
        (
            verdict.supporter_id,
            done.refused.contains(&verdict.supporter_id),
        )
    });
    desk.remember(ctx, |memory| memory.note_refused(people))
        .await?;
    Ok(done.verdicts)
}

/// One verdict a person: the latest counts.
fn note(all: &mut BTreeMap<i64, Verdict>, verdicts: Vec<Verdict>) {
    all.extend(
        verdicts
            .into_iter()
            .map(|verdict| (verdict.supporter_id, verdict)),
    );
}

fn order(person: &Profile, known: &Known, place: Place, what: What) -> Order {
    let contact = known
        .member_at(&place)
        .and_then(|member| member.contact_id.clone());
    let Place { audience, member } = place;
    Order {
        supporter_id: person.supporter_id,
        address: person.address.clone(),
        audience,
        member,
        contact,
        what,
    }
}

/// Why somebody waits whose contact Mailchimp does not show yet: it may be there, or may have been
/// erased.
pub(super) const NOT_SHOWN: &str =
    "Mailchimp does not show a contact that was written a moment ago; looked at again";

fn not_shown(ctx: &PluginContext, plan: &Plan) -> Option<Verdict> {
    let fate = || Fate::Deferred {
        until: ctx.now() + UNSHOWN,
        reason: NOT_SHOWN.to_owned(),
    };
    plan.sends().then(|| verdict(plan.supporter_id, fate()))
}

/// The moves that the guard allows, and verdicts on the others.
fn moves(
    ctx: &PluginContext,
    people: &[Profile],
    known: &Known,
    plans: impl Iterator<Item = Plan>,
) -> (Vec<Order>, Vec<Verdict>) {
    let (mut orders, mut held) = (Vec::new(), Vec::new());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    for plan in plans {
        let Some(person) = by_id.get(&plan.supporter_id) else {
            continue;
        };
        let deed = plan.deed(Harm::Rename);
        if let Decision::Move { from } = plan.decision {
            match stopped(ctx, person.supporter_id, deed, "moving to another address") {
                None => orders.push(order(person, known, Place::here(&from), What::Move)),
                Some(verdict) => held.push(verdict),
            }
        }
    }
    (orders, held)
}

/// The check at the end of a batch: everybody in it is read once more, and whoever of ours stands
/// at the address of somebody who refuses is unsubscribed now, whatever happened in between.
async fn enforce_refusals(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
    verdicts: &BTreeMap<i64, Verdict>,
) -> Result<Unsubscribed, PluginError> {
    let ids: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
    let people = ctx.profiles(&ids).await?;
    let mut known = Known::load(desk, ctx, &people).await?;
    // Whoever refuses, or had an address that left meanwhile, may have another one when they are
    // looked at again.
    ctx.suppress(&std::mem::take(&mut known.leavings)).await?;
    let waits_already = |id: i64| {
        verdicts.get(&id).is_some_and(|one| {
            matches!(
                one.fate,
                Fate::Held(_) | Fate::Deferred { .. } | Fate::Rejected(_)
            )
        })
    };
    take_refusers_off(desk, ctx, &known, &people, |id| !waits_already(id)).await
}

/// Passes refusals on and does nothing else, while the plugin is suspended: no move is made
/// meanwhile, so nobody is spared for one.
pub(super) async fn withdraw(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut known = Known::load(desk, ctx, people).await?;
    known.settle(desk, ctx, people).await?;
    let done = take_refusers_off(desk, ctx, &known, people, |_| true).await?;
    tell_refused(desk, ctx, done).await
}

async fn take_refusers_off(
    desk: &Desk,
    ctx: &PluginContext,
    known: &Known,
    people: &[Profile],
    is_meant: impl Fn(i64) -> bool,
) -> Result<Unsubscribed, PluginError> {
    let refusers: Vec<(Profile, Plan)> = people
        .iter()
        .cloned()
        .zip(plans(desk, ctx, known, people, Moves::Done))
        .filter(|(person, plan)| {
            matches!(plan.decision, Decision::Unsubscribe { .. }) && is_meant(person.supporter_id)
        })
        .collect();
    if refusers.is_empty() {
        return Ok(Unsubscribed::default());
    }
    let (people, plans): (Vec<Profile>, Vec<Plan>) = refusers.into_iter().unzip();
    let sorted = sort(
        ctx,
        &people,
        known,
        plans,
        &BTreeSet::new(),
        &BTreeMap::new(),
    );
    let mut done = unsubscribe(desk, ctx, known, sorted.unsubscribes, &sorted.reasons).await?;
    done.verdicts.extend(sorted.verdicts);
    Ok(done)
}

/// Plans by what is done about them.
#[derive(Default)]
struct Sorted {
    verdicts: Vec<Verdict>,
    unsubscribes: Vec<Order>,
    /// Why each of them is unsubscribed.
    reasons: BTreeMap<i64, String>,
    works: Vec<Work>,
    /// Contacts to which nothing is written, and that are somebody else's now.
    heirs: Vec<Member>,
    /// Those whose contact has another address in Mailchimp.
    follows: Vec<Work>,
}

/// Sorts what is left to do after the moves. `moved`: who has moved; `decided`: who has a verdict
/// already.
fn sort(
    ctx: &PluginContext,
    people: &[Profile],
    known: &Known,
    plans: Vec<Plan>,
    moved: &BTreeSet<i64>,
    decided: &BTreeMap<i64, Verdict>,
) -> Sorted {
    let mut sorted = Sorted::default();
    for (person, mut plan) in people.iter().zip(plans) {
        let id = person.supporter_id;
        if decided.contains_key(&id) {
            continue;
        }
        if moved.contains(&id) {
            // One rename is counted a person: with the address the name goes, too.
            plan.name.replaces = false;
            plan.fields_differ = true;
        }
        match plan.decision.clone() {
            Decision::Skip(reason) => {
                sorted.heirs.extend(inherited(person, known, ctx.now()));
                sorted.verdicts.push(verdict(id, Fate::Skipped(reason)));
            }
            Decision::Keep => {
                let fingerprint = plan
                    .picture
                    .as_ref()
                    .map(super::picture::Picture::fingerprint);
                let review_at = person.engagement_ends(ctx.now());
                let here = person
                    .address
                    .as_ref()
                    .and_then(|address| known.member(&hash_of(address)));
                let note = here
                    .filter(|here| is_given_up(here))
                    .map(|_| SERVED_THERE.to_owned());
                sorted.verdicts.push(Verdict {
                    fingerprint,
                    review_at,
                    note,
                    ..verdict(id, Fate::Delivered)
                });
            }
            Decision::Unsubscribe { members, why } => {
                if let Some(held) = stopped(
                    ctx,
                    id,
                    plan.deed(Harm::Unsubscribe),
                    &format!("unsubscribing ({why})"),
                ) {
                    sorted.verdicts.push(held);
                    continue;
                }
                let what = || What::Unsubscribe {
                    even_if_consented: person.consented().is_some(),
                };
                sorted.unsubscribes.extend(
                    members
                        .into_iter()
                        .map(|member| order(person, known, member, what())),
                );
                sorted.reasons.insert(id, why);
            }
            // Only now is there something to move: what it was was not there before the other moves
            // were made.
            Decision::Move { .. } => {
                let fate = Fate::Deferred {
                    until: ctx.now(),
                    reason: "moves to another address; looked at again".to_owned(),
                };
                sorted.verdicts.push(verdict(id, fate));
            }
            Decision::Add | Decision::Change | Decision::Follow { .. } => {
                match stopped(
                    ctx,
                    id,
                    plan.entry.and_then(|kind| plan.deed(kind)),
                    entering(plan.entry),
                ) {
                    Some(held) => sorted.verdicts.push(held),
                    None => match plan.decision {
                        Decision::Follow { .. } => {
                            sorted.follows.extend(work(ctx, person, known, plan))
                        }
                        _ => sorted.works.extend(work(ctx, person, known, plan)),
                    },
                }
            }
        }
    }
    sorted
}

/// The contact at the address of somebody who may be mailed there and has not left is theirs from
/// now on, whomever it was delivered for: what the one of before says later is not about it.
pub(super) fn inherited(person: &Profile, known: &Known, now: Time) -> Option<Member> {
    let id = person.supporter_id;
    let here = known.member(&hash_of(person.consented()?))?;
    // Whoever did not confirm in time is not there any more.
    let is_there = is_live(here) && !(here.remote_status == PENDING && is_unconfirmed(here, now));
    let is_new = is_there && is_of_another(here, id) && known.suppression(person).is_none();
    is_new.then(|| Member {
        supporter_id: Some(id),
        ..here.clone()
    })
}

/// The verdict on somebody to whom a deed may not be done now; what is no harm may be done.
fn stopped(ctx: &PluginContext, id: i64, deed: Option<Deed>, what: &str) -> Option<Verdict> {
    match ctx.budget().ask(id, deed?) {
        Said::Go => None,
        Said::Hold => Some(Verdict {
            held: deed.into_iter().collect(),
            ..verdict(id, Fate::Held(waits(what)))
        }),
        Said::Later => {
            let reason =
                "waits for its portion: no more people are added today (`guard.daily_additions`)"
                    .to_owned();
            Some(verdict(
                id,
                Fate::Deferred {
                    until: ctx.now() + TimeDelta::hours(1),
                    reason,
                },
            ))
        }
    }
}

const fn entering(entry: Option<Harm>) -> &'static str {
    match entry {
        Some(Harm::Confirm) => "being asked by mail to confirm",
        Some(Harm::Change) => "getting our tags and fields for the first time",
        _ => "being added",
    }
}

fn work(ctx: &PluginContext, person: &Profile, known: &Known, plan: Plan) -> Option<Work> {
    let before = match &plan.decision {
        Decision::Follow { member } => known.member(member),
        _ => person
            .address
            .as_ref()
            .and_then(|address| known.member(&hash_of(address))),
    };
    let before = before.cloned();
    let mut work = Work::new(plan, before, ctx.budget())?;
    let row = known.rows.get(&work.supporter_id);
    work.attempts = row.map_or(0, |row| row.attempts);
    work.delivered_at = row.and_then(|row| row.delivered_at);
    work.permits |= known.recovered.contains(&work.supporter_id);
    Some(work)
}

/// Sends in chunks, side by side. Whoever Mailchimp was silent on goes alone.
async fn push_all(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    known: &Known,
) -> Result<Settled, PluginError> {
    let was_silent = |work: &Work| {
        known
            .rows
            .get(&work.supporter_id)
            .and_then(|row| row.reason.as_deref())
            == Some(NO_WORD)
    };
    let (alone, mut works): (Vec<Work>, Vec<Work>) = works.into_iter().partition(was_silent);
    let mut all = Settled::default();
    if works.len() > CHUNK || alone.len() + usize::from(!works.is_empty()) > 1 {
        works = introduce(desk, ctx, works, &mut all).await?;
    }
    let mut chunks: Vec<Vec<Work>> = alone.into_iter().map(|work| vec![work]).collect();
    while !works.is_empty() {
        let rest = works.split_off(works.len().min(CHUNK));
        chunks.push(std::mem::replace(&mut works, rest));
    }
    let calls = chunks.into_iter().map(|chunk| push(desk, ctx, chunk));
    let parts: Vec<Result<Settled, PluginError>> = stream::iter(calls)
        .buffer_unordered(desk.api.connections())
        .collect()
        .await;
    // All of them are heard before the first trouble is told: what was taken is in the mirror by
    // then.
    for part in parts {
        let part = part?;
        all.taken.extend(part.taken);
        all.verdicts.extend(part.verdicts);
    }
    Ok(all)
}

/// Tags that do not exist yet are made by a few people who need them, before the others: two chunks
/// at once might make two of one name. Answers with the others.
async fn introduce(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
    all: &mut Settled,
) -> Result<Vec<Work>, PluginError> {
    let shelf = desk.shelf(ctx).await?;
    let mut rest = works;
    loop {
        rest = without_adds_if_full(desk, ctx, rest, all).await?;
        let mut named: BTreeSet<String> = BTreeSet::new();
        let is_first = |work: &Work| {
            let lacks = |tag: &&String| {
                !work.is_quiet
                    && !shelf.segments.contains_key(&tag.to_lowercase())
                    && !desk.audience.was_made(tag)
            };
            let before = named.len();
            named.extend(work.picture.tags.iter().filter(lacks).cloned());
            named.len() > before
        };
        let (first, others): (Vec<Work>, Vec<Work>) = rest.into_iter().partition(is_first);
        rest = others;
        if first.is_empty() {
            return Ok(rest);
        }
        // Some of them may be refused, and whoever else needs the same tag is asked next.
        let part = push(desk, ctx, first).await?;
        all.taken.extend(part.taken);
        all.verdicts.extend(part.verdicts);
    }
}

/// Who loses tags: those who were sent, and those who only lose some. The latter are written down
/// and asked for consent first.
async fn losers(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
    taken: &[Taken],
    rest: Vec<Work>,
) -> Result<(Vec<Loser>, Vec<Verdict>), PluginError> {
    let loser = |work: &Work, member: &Member| Loser {
        address: work.picture.address.clone(),
        member: member.clone(),
        tags: work.untags.clone(),
    };
    let mut losers: Vec<Loser> = taken
        .iter()
        .filter(|taken| !taken.work.untags.is_empty())
        .map(|taken| loser(&taken.work, &taken.member))
        .collect();
    let (tags_only, nothing): (Vec<Work>, Vec<Work>) =
        rest.into_iter().partition(|work| !work.untags.is_empty());
    let by_id: BTreeMap<i64, &Profile> = people
        .iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    let told = |work: &Work| {
        by_id
            .get(&work.supporter_id)
            .map(|person| work.taken(person, ctx.now()))
    };
    let mut verdicts: Vec<Verdict> = nothing.iter().filter_map(told).collect();
    if tags_only.is_empty() {
        return Ok((losers, verdicts));
    }
    let sending: Vec<_> = tags_only
        .iter()
        .map(|work| work.sending(None, &desk.managed()))
        .collect();
    let fresh: BTreeMap<i64, Profile> = ctx
        .begin_sending(&sending)
        .await?
        .into_iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    for work in &tags_only {
        let person = fresh.get(&work.supporter_id);
        match (person, person.and_then(Profile::consented), &work.before) {
            (Some(person), Some(address), Some(member)) if *address == work.picture.address => {
                losers.push(loser(work, member));
                verdicts.push(work.taken(person, ctx.now()));
            }
            (person, ..) => {
                let why = person
                    .and_then(Profile::refusal)
                    .unwrap_or_else(|| "changed meanwhile; looked at again".to_owned());
                verdicts.push(verdict(work.supporter_id, Fate::Skipped(why)));
            }
        }
    }
    Ok((losers, verdicts))
}
