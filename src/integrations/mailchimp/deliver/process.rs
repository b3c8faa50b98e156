//! One batch, in the order in which it is safe: moves, opt-outs, additions and changes, tags taken
//! off, permissions; and in the end a look whether anybody of ours still stands at the address of
//! somebody who refuses.

use super::batches::push_all;
use super::change::Look;
use super::change_email::change_email;
use super::follow::follow;
use super::load::load;
use super::permissions::permit;
use super::quiet;
use super::read_back::read_back;
use super::sort::{moves, sort_plans};
use super::tag_removals::tag_removals;
use super::unsubscribe::{OptOutResults, unsubscribe};
use super::untag::remove_tags;
use super::update::{MemberUpdate, NOT_HEARD, verdict};
use crate::domain::{Fate, Profile, Verdict};
use crate::integrations::mailchimp::decide::context::DeliveryContext;
use crate::integrations::mailchimp::decide::decision::{Decision, Plan};
use crate::integrations::mailchimp::decide::plan::{Moves, Rules, plan_all};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::missing::UNSHOWN;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::plugin::{PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet};

/// Plans for people, by what is known now.
pub(crate) fn plans(
    session: &MailchimpSession,
    ctx: &PluginContext,
    context: &DeliveryContext,
    people: &[Profile],
    moves: Moves,
) -> Vec<Plan> {
    let managed = session.managed();
    let rules = Rules {
        managed: &managed,
        on_opt_out: session.settings.on_opt_out,
        opt_out_scope: session.settings.opt_out_scope,
        moves,
        double_optin: session.audience.setup().double_optin,
        now: ctx.now(),
    };
    plan_all(&context.cases(people), &rules)
}

fn is_quiet(plan: &Plan) -> bool {
    matches!(plan.decision, Decision::Skip(_) | Decision::Keep)
}

/// Does what one batch of people needs; a verdict for each person.
pub(crate) async fn process(
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut context = load(session, ctx, people).await?;
    let first = plans(session, ctx, &context, people, Moves::ToCome);
    let is_quiet = first.iter().all(is_quiet);
    if !is_quiet && freshen(session, ctx).await? {
        context = load(session, ctx, people).await?;
    }
    let unshown = read_back(&mut context, session, ctx, people).await?;

    let mut verdicts: BTreeMap<i64, Verdict> = BTreeMap::new();
    let planned = plans(session, ctx, &context, people, Moves::ToCome);
    note_verdicts(
        &mut verdicts,
        wait_for_what_was_sent(&context, &planned, ctx),
    );
    let unshown = planned
        .iter()
        .filter(|plan| unshown.contains(&plan.supporter_id))
        .filter(|plan| !verdicts.contains_key(&plan.supporter_id))
        .filter_map(|plan| not_shown(ctx, plan))
        .collect();
    note_verdicts(&mut verdicts, unshown);
    let (moves, held) = moves(
        ctx,
        people,
        &context,
        planned
            .into_iter()
            .filter(|plan| !verdicts.contains_key(&plan.supporter_id)),
    );
    note_verdicts(&mut verdicts, held);
    let mut moved = BTreeSet::new();
    if !moves.is_empty() {
        let (stayed, arrived) = change_email(session, ctx, &context, moves).await?;
        note_verdicts(&mut verdicts, stayed);
        moved = arrived;
        context = load(session, ctx, people).await?;
    }
    let plans = plans(session, ctx, &context, people, Moves::Done);
    let mut sorted = sort_plans(ctx, people, &context, plans, &moved, &verdicts);
    note_verdicts(&mut verdicts, std::mem::take(&mut sorted.verdicts));
    ctx.save_members(&sorted.inherited, &[]).await?;
    let OptOutResults {
        verdicts: unsubscribed,
        mut refused,
    } = unsubscribe(
        session,
        ctx,
        &context,
        sorted.unsubscribes,
        &sorted.reasons,
        Look::First,
    )
    .await?;
    note_verdicts(&mut verdicts, unsubscribed);
    let is_quiet_push = session.settings.quiet_first_push && ctx.is_first_push();
    sorted
        .updates
        .iter_mut()
        .for_each(|update| update.is_quiet = is_quiet_push);
    let (sends, rest): (Vec<MemberUpdate>, Vec<MemberUpdate>) =
        sorted.updates.into_iter().partition(|update| update.sends);
    let mut done = push_all(session, ctx, sends, &context).await?;
    quiet::tag(session, ctx, &mut done.accepted).await?;
    note_verdicts(&mut verdicts, done.verdicts);
    note_verdicts(&mut verdicts, follow(session, ctx, sorted.follows).await?);
    let (tag_removals, also) = tag_removals(session, ctx, people, &done.accepted, rest).await?;
    note_verdicts(&mut verdicts, also);
    remove_tags(session, ctx, tag_removals).await?;
    permit(session, ctx, &done.accepted).await?;
    if !is_quiet {
        let late = enforce_refusals(session, ctx, people, &verdicts).await?;
        refused.extend(late.refused);
        note_verdicts(&mut verdicts, late.verdicts);
    }
    remember_refused(
        session,
        ctx,
        OptOutResults {
            verdicts: verdicts.into_values().collect(),
            refused,
        },
    )
    .await
}

/// Whose opt-out Mailchimp did not carry out is told of the audience as a whole as long as it is
/// so.
async fn remember_refused(
    session: &MailchimpSession,
    ctx: &PluginContext,
    done: OptOutResults,
) -> Result<Vec<Verdict>, PluginError> {
    let people = done.verdicts.iter().map(|verdict| {
        (
            verdict.supporter_id,
            done.refused.contains(&verdict.supporter_id),
        )
    });
    session
        .remember(ctx, |memory| memory.note_refused(people))
        .await?;
    Ok(done.verdicts)
}

/// One verdict a person: the latest counts.
fn note_verdicts(all: &mut BTreeMap<i64, Verdict>, verdicts: Vec<Verdict>) {
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

/// Verdicts on those to whom something else is to happen now than what was sent and not heard of.
/// An opt-out at another place does not wait.
fn wait_for_what_was_sent(
    context: &DeliveryContext,
    plans: &[Plan],
    ctx: &PluginContext,
) -> Vec<Verdict> {
    let unheard = context.unheard(ctx.now());
    let waiting = plans
        .iter()
        .filter(|plan| unheard.contains(&plan.supporter_id) && is_other_than_sent(context, plan));
    waiting
        .map(|plan| verdict(plan.supporter_id, Fate::Unheard(NOT_HEARD.to_owned())))
        .collect()
}

/// Whether a plan is neither what was sent nor an opt-out.
pub(crate) fn is_other_than_sent(context: &DeliveryContext, plan: &Plan) -> bool {
    match &plan.decision {
        Decision::Unsubscribe { .. } => false,
        Decision::Add => {
            let wanted = plan
                .desired
                .as_ref()
                .map(|desired| hash_of(&desired.address));
            wanted != context.added(plan.supporter_id)
        }
        _ => true,
    }
}

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
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
    verdicts: &BTreeMap<i64, Verdict>,
) -> Result<OptOutResults, PluginError> {
    let ids: Vec<i64> = people.iter().map(|person| person.supporter_id).collect();
    let people = ctx.profiles(&ids).await?;
    let mut context = load(session, ctx, &people).await?;
    // Whoever refuses, or had an address that left meanwhile, may have another one when they are
    // looked at again.
    ctx.suppress(&std::mem::take(&mut context.leavings)).await?;
    let waits_already = |id: i64| {
        verdicts.get(&id).is_some_and(|one| {
            matches!(
                one.fate,
                Fate::Held(_) | Fate::Deferred { .. } | Fate::Rejected(_)
            )
        })
    };
    let is_meant = |id| !waits_already(id);
    take_refusers_off(session, ctx, &context, &people, is_meant, Look::First).await
}

/// Passes refusals on and does nothing else, while the plugin is suspended, or beside what takes
/// long: no move is made by it, so nobody is spared for one.
pub(crate) async fn withdraw(
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
) -> Result<Vec<Verdict>, PluginError> {
    let mut context = load(session, ctx, people).await?;
    read_back(&mut context, session, ctx, people).await?;
    let done = take_refusers_off(session, ctx, &context, people, |_| true, Look::Not).await?;
    remember_refused(session, ctx, done).await
}

async fn take_refusers_off(
    session: &MailchimpSession,
    ctx: &PluginContext,
    context: &DeliveryContext,
    people: &[Profile],
    is_meant: impl Fn(i64) -> bool,
    look: Look,
) -> Result<OptOutResults, PluginError> {
    let refusers: Vec<(Profile, Plan)> = people
        .iter()
        .cloned()
        .zip(plans(session, ctx, context, people, Moves::Done))
        .filter(|(person, plan)| {
            matches!(plan.decision, Decision::Unsubscribe { .. }) && is_meant(person.supporter_id)
        })
        .collect();
    if refusers.is_empty() {
        return Ok(OptOutResults::default());
    }
    let (people, plans): (Vec<Profile>, Vec<Plan>) = refusers.into_iter().unzip();
    let sorted = sort_plans(
        ctx,
        &people,
        context,
        plans,
        &BTreeSet::new(),
        &BTreeMap::new(),
    );
    let mut done = unsubscribe(
        session,
        ctx,
        context,
        sorted.unsubscribes,
        &sorted.reasons,
        look,
    )
    .await?;
    done.verdicts.extend(sorted.verdicts);
    Ok(done)
}
