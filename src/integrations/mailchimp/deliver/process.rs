//! One batch, in the order in which it is safe: moves, opt-outs, additions and changes, tags taken
//! off, permissions; and in the end a look whether anybody of ours still stands at the address of
//! somebody who refuses.

use super::batches::push_all;
use super::change_email::move_on;
use super::follow::follow;
use super::load::load;
use super::losers::losers;
use super::permissions::permit;
use super::quiet;
use super::read_back::UNSHOWN;
use super::read_back::read_back;
use super::sort::{moves, sort};
use super::unsubscribe::{Unsubscribed, unsubscribe};
use super::untag::take_off;
use super::update::{Work, verdict};
use crate::domain::{Fate, Profile, Verdict};
use crate::integrations::mailchimp::decide::context::Known;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::plan::{Moves, Rules, plan_all};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::plugin::{PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Plans for people, by what is known now.
pub(crate) fn plans(
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
pub(crate) async fn process(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut known = load(desk, ctx, people).await?;
    let first = plans(desk, ctx, &known, people, Moves::ToCome);
    let is_quiet = first.iter().all(is_quiet);
    if !is_quiet && freshen(desk, ctx).await? {
        known = load(desk, ctx, people).await?;
    }
    let unshown = read_back(&mut known, desk, ctx, people).await?;

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
        known = load(desk, ctx, people).await?;
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

/// Why somebody waits whose contact Mailchimp does not show yet: it may be there, or may have been
/// erased.
pub(crate) const NOT_SHOWN: &str =
    "Mailchimp does not show a contact that was written a moment ago; looked at again";

fn not_shown(ctx: &PluginContext, plan: &Plan) -> Option<Verdict> {
    let fate = || Fate::Deferred {
        until: ctx.now() + UNSHOWN,
        reason: NOT_SHOWN.to_owned(),
    };
    plan.sends().then(|| verdict(plan.supporter_id, fate()))
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
    let mut known = load(desk, ctx, &people).await?;
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
pub(crate) async fn withdraw(
    desk: &Desk,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut known = load(desk, ctx, people).await?;
    read_back(&mut known, desk, ctx, people).await?;
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
