//! One batch, in the order in which it is safe: opt-outs, moves, additions and changes, tags taken off, permissions.

use super::desk::Desk;
use super::known::Known;
use super::leave::{move_on, unsubscribe};
use super::orders::{Order, What, carry_out};
use super::plan::{Decision, Plan, Rules, plan_all};
use super::push::push;
use super::settle::{Settled, Taken};
use super::untag::{Loser, take_off};
use super::wire::WirePermission;
use super::work::{NO_WORD, Work, verdict, waits};
use crate::domain::{Fate, Harm, Member, Profile, Verdict};
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// People in one call.
pub(super) const CHUNK: usize = 500;

/// Plans for people, by what is known now.
pub(super) fn plans(desk: &Desk, ctx: &PluginContext, known: &Known, people: &[Profile]) -> Vec<Plan> {
    let rules = Rules { managed: &desk.managed, on_opt_out: desk.settings.on_opt_out, now: ctx.now() };
    plan_all(&known.cases(people), &rules)
}

fn is_quiet(plan: &Plan) -> bool {
    matches!(plan.decision, Decision::Skip(_) | Decision::Keep)
}

/// See the module; a verdict for each person.
pub(super) async fn process(desk: &Desk, ctx: &PluginContext, people: &[Profile]) -> Result<Vec<Verdict>, PluginError> {
    let mut known = Known::load(ctx, people).await?;
    let mut all = plans(desk, ctx, &known, people);
    if !all.iter().all(is_quiet) && desk.freshen(ctx).await? {
        known = Known::load(ctx, people).await?;
    }
    known.settle(desk, ctx, people).await?;
    all = plans(desk, ctx, &known, people);
    let mut sorted = sort(ctx, people, &known, all);

    let mut verdicts = std::mem::take(&mut sorted.verdicts);
    verdicts.extend(unsubscribe(desk, ctx, &known, sorted.unsubscribes, &sorted.reasons).await?);
    let (stayed, moved) = move_on(desk, ctx, &known, sorted.moves).await?;
    verdicts.extend(stayed);
    let mut works = sorted.works;
    for (id, member) in moved {
        if let Some(mut work) = sorted.movers.remove(&id) {
            work.before = Some(member);
            works.push(work);
        }
    }
    let (sends, rest): (Vec<Work>, Vec<Work>) = works.into_iter().partition(|work| work.sends);
    let done = push_all(desk, ctx, sends, &known).await?;
    verdicts.extend(done.verdicts);
    let (losers, also) = losers(ctx, people, &done.taken, rest).await?;
    verdicts.extend(also);
    take_off(desk, ctx, losers).await?;
    permit(desk, ctx, &done.taken).await?;
    Ok(verdicts)
}

/// Plans by what is done about them.
#[derive(Default)]
struct Sorted {
    verdicts: Vec<Verdict>,
    unsubscribes: Vec<Order>,
    /// Why each of them is unsubscribed.
    reasons: BTreeMap<i64, String>,
    moves: Vec<Order>,
    /// What is left to do for whoever moves, by supporter.
    movers: BTreeMap<i64, Work>,
    works: Vec<Work>,
}

fn sort(ctx: &PluginContext, people: &[Profile], known: &Known, plans: Vec<Plan>) -> Sorted {
    let mut sorted = Sorted::default();
    for (person, plan) in people.iter().zip(plans) {
        let id = person.supporter_id;
        let order = |member: String, what: What| {
            let contact = known.member(&member).and_then(|member| member.contact_id.clone());
            Order { supporter_id: id, address: person.address.clone(), member, contact, what }
        };
        match plan.decision.clone() {
            Decision::Skip(reason) => sorted.verdicts.push(verdict(id, Fate::Skipped(reason))),
            Decision::Keep => {
                let fingerprint = plan.picture.as_ref().map(super::picture::Picture::fingerprint);
                let review_at = person.engagement_ends(ctx.now());
                sorted.verdicts.push(Verdict { fingerprint, review_at, ..verdict(id, Fate::Delivered) });
            }
            Decision::Unsubscribe { members, why } if ctx.budget().take(Harm::Unsubscribe) => {
                let consented = person.consented().is_some();
                sorted
                    .unsubscribes
                    .extend(members.into_iter().map(|member| order(member, What::Unsubscribe { even_if_consented: consented })));
                sorted.reasons.insert(id, why);
            }
            Decision::Unsubscribe { why, .. } => {
                sorted.verdicts.push(verdict(id, Fate::Held(waits(&format!("unsubscribing ({why})")))));
            }
            Decision::Move { from } if ctx.budget().take(Harm::Rename) => {
                let before = known.member(&from).cloned();
                // One rename is counted a person: with the address the name goes, too.
                let name = super::name::Difference { replaces: false, ..plan.name };
                if let Some(work) = Work::new(Plan { name, fields_differ: true, ..plan }, before, ctx.budget()) {
                    sorted.movers.insert(id, work);
                    sorted.moves.push(order(from, What::Move));
                }
            }
            Decision::Move { .. } => sorted.verdicts.push(verdict(id, Fate::Held(waits("moving to another address")))),
            Decision::Add | Decision::Change => sorted.works.extend(work(ctx, person, known, plan)),
        }
    }
    sorted
}

fn work(ctx: &PluginContext, person: &Profile, known: &Known, plan: Plan) -> Option<Work> {
    let before = person.address.as_ref().and_then(|address| known.member(&super::member::hash_of(address))).cloned();
    let mut work = Work::new(plan, before, ctx.budget())?;
    work.attempts = known.rows.get(&work.supporter_id).map_or(0, |row| row.attempts);
    work.permits |= known.recovered.contains(&work.supporter_id);
    Some(work)
}

/// Sends in chunks, side by side. Whoever Mailchimp was silent on goes alone.
async fn push_all(desk: &Desk, ctx: &PluginContext, works: Vec<Work>, known: &Known) -> Result<Settled, PluginError> {
    let was_silent = |work: &Work| known.rows.get(&work.supporter_id).and_then(|row| row.reason.as_deref()) == Some(NO_WORD);
    let (alone, mut works): (Vec<Work>, Vec<Work>) = works.into_iter().partition(was_silent);
    let mut chunks: Vec<Vec<Work>> = alone.into_iter().map(|work| vec![work]).collect();
    while !works.is_empty() {
        let rest = works.split_off(works.len().min(CHUNK));
        chunks.push(std::mem::replace(&mut works, rest));
    }
    let mut all = Settled::default();
    if chunks.is_empty() {
        return Ok(all);
    }
    let mut parts = Vec::new();
    let shelf = desk.audience.shelf(&desk.api).await?;
    let is_there = |tag: &String| shelf.segments.contains_key(&tag.to_lowercase());
    if !chunks.iter().flatten().flat_map(|work| &work.picture.tags).all(is_there) {
        // Tags that do not exist yet are made by one chunk after the other: two at once might make two of one name.
        let mut new: BTreeSet<String> =
            chunks.iter().flatten().flat_map(|work| work.picture.tags.iter().filter(|tag| !is_there(tag))).cloned().collect();
        while !chunks.is_empty() && !new.is_empty() && parts.iter().all(Result::is_ok) {
            let first = chunks.remove(0);
            for tag in first.iter().flat_map(|work| &work.picture.tags) {
                new.remove(tag);
            }
            parts.push(push(desk, ctx, first).await);
        }
        desk.audience.forget_shelf().await;
    }
    if parts.iter().all(Result::is_ok) {
        let calls = chunks.into_iter().map(|chunk| push(desk, ctx, chunk));
        parts.extend(stream::iter(calls).buffer_unordered(desk.api.connections()).collect::<Vec<_>>().await);
    }
    // All of them are heard before the first trouble is told: what was taken is in the mirror by then.
    for part in parts {
        let part = part?;
        all.taken.extend(part.taken);
        all.verdicts.extend(part.verdicts);
    }
    Ok(all)
}

/// Who loses tags: those who were sent, and those who only lose some. The latter are written down and asked for consent first.
async fn losers(
    ctx: &PluginContext,
    people: &[Profile],
    taken: &[Taken],
    rest: Vec<Work>,
) -> Result<(Vec<Loser>, Vec<Verdict>), PluginError> {
    let loser =
        |work: &Work, member: &Member| Loser { address: work.picture.address.clone(), member: member.clone(), tags: work.untags.clone() };
    let mut losers: Vec<Loser> =
        taken.iter().filter(|taken| !taken.work.untags.is_empty()).map(|taken| loser(&taken.work, &taken.member)).collect();
    let (tags_only, nothing): (Vec<Work>, Vec<Work>) = rest.into_iter().partition(|work| !work.untags.is_empty());
    let by_id: BTreeMap<i64, &Profile> = people.iter().map(|person| (person.supporter_id, person)).collect();
    let told = |work: &Work| by_id.get(&work.supporter_id).map(|person| work.taken(person, ctx.now()));
    let mut verdicts: Vec<Verdict> = nothing.iter().filter_map(told).collect();
    if tags_only.is_empty() {
        return Ok((losers, verdicts));
    }
    let sending: Vec<_> = tags_only.iter().map(Work::sending).collect();
    let fresh: BTreeMap<i64, Profile> =
        ctx.begin_sending(&sending).await?.into_iter().map(|person| (person.supporter_id, person)).collect();
    for work in &tags_only {
        let person = fresh.get(&work.supporter_id);
        match (person, person.and_then(Profile::consented), &work.before) {
            (Some(person), Some(address), Some(member)) if *address == work.picture.address => {
                losers.push(loser(work, member));
                verdicts.push(work.taken(person, ctx.now()));
            }
            (person, ..) => {
                let why = person.and_then(Profile::refusal).unwrap_or_else(|| "changed meanwhile; looked at again".to_owned());
                verdicts.push(verdict(work.supporter_id, Fate::Skipped(why)));
            }
        }
    }
    Ok((losers, verdicts))
}

/// Gives the configured GDPR permissions to people whom we put there.
async fn permit(desk: &Desk, ctx: &PluginContext, taken: &[Taken]) -> Result<(), PluginError> {
    let wanted = &desk.settings.marketing_permissions;
    if wanted.is_empty() || !desk.audience.setup().has_permissions {
        return Ok(());
    }
    let names =
        |permission: &WirePermission| wanted.iter().any(|name| [&permission.marketing_permission_id, &permission.text].contains(&name));
    let lacking = |taken: &Taken| -> Vec<String> {
        let all = taken.permissions.iter().filter(|permission| !permission.enabled && names(permission));
        all.map(|permission| permission.marketing_permission_id.clone()).collect()
    };
    let orders = taken.iter().filter(|taken| taken.work.permits && taken.member.subscribed_by_us).filter_map(|taken| {
        let ids = Some(lacking(taken)).filter(|ids| !ids.is_empty())?;
        let (supporter_id, address) = (taken.work.supporter_id, Some(taken.work.picture.address.clone()));
        let (member, contact) = (taken.member.remote_id.clone(), taken.member.contact_id.clone());
        Some(Order { supporter_id, address, member, contact, what: What::Permit(ids) })
    });
    carry_out(desk, ctx, orders.collect()).await.map(drop)
}
