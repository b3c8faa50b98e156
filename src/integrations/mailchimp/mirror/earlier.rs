//! Audiences into which people were subscribed before `audience_id` was changed: who left there is
//! left alone in the new one, too, and who opts out at Classy is unsubscribed there as well.

use super::changes::Changes;
use super::departures::went;
use super::doubt::ShownLists;
use super::earlier_erased::{Contacts, find_erased, in_earlier, is_given_up};
use super::listing::{End, Walk};
use super::member::{hash, hash_of, is_somebody, observed_member};
use super::memory::EarlierAudience;
use super::renamed;
use super::session::MailchimpSession;
use super::status::{has_left, is_live, is_out_word, why_out};
use crate::domain::{Member, Time};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::Api;
use crate::plugin::{Leaving, PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One that is out of reach is asked again after so long.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// One that does not answer for longer than this is out of reach like one that is gone: whoever is
/// to be added does not wait for it any more.
const PATIENCE: TimeDelta = TimeDelta::days(1);

/// Read again before the place that was reached.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Learns who left the earlier audiences since. Answers why one of them does not answer for now: who
/// left it since is not known, and nobody may be added until it is.
pub(crate) async fn read_all(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<Option<String>, PluginError> {
    let mut unheard: BTreeMap<String, Unheard> = BTreeMap::new();
    for (audience, supporter_id, address) in ctx.unheard_additions().await? {
        unheard
            .entry(audience)
            .or_default()
            .insert(hash_of(&address), supporter_id);
    }
    let audiences: BTreeSet<String> = ctx
        .earlier_destinations()
        .await?
        .into_iter()
        .chain(unheard.keys().cloned())
        .collect();
    let (mut earlier, is_awaited) = (session.memory().earlier, ctx.awaits_first_push().await?);
    earlier.retain(|audience, _| audiences.contains(audience));
    let mut silent = None;
    for audience in audiences {
        let known = earlier.entry(audience.clone()).or_default();
        if known
            .trouble
            .as_ref()
            .is_some_and(|(_, at)| (ctx.now() - *at).abs() < PAUSE)
        {
            continue;
        }
        // As long as nothing was pushed into the new one, the old one is the one in use, and is
        // read whole.
        let (cursor, was_read) = (known.cursor.filter(|_| !is_awaited), known.cursor.is_some());
        match read_audience(
            session,
            ctx,
            (&audience, was_read),
            cursor,
            &unheard.remove(&audience).unwrap_or_default(),
        )
        .await
        {
            Ok(reached) => {
                if known.is_left_out() {
                    // Who said no meanwhile is looked at again.
                    ctx.make_everybody_due().await?;
                }
                *known = EarlierAudience {
                    cursor: reached.or(known.cursor),
                    ..EarlierAudience::default()
                };
            }
            // It may be gone, or another account's by now; the audience of today is served all the
            // same.
            Err(
                error @ (PluginError::Refused(_)
                | PluginError::Unexpected(_)
                | PluginError::Blocked(_)),
            ) => known.trouble = Some((error.to_string(), ctx.now())),
            Err(PluginError::Unavailable(why)) if !ctx.is_preview() => {
                let since = *known.silent_since.get_or_insert(ctx.now());
                if ctx.now() - since > PATIENCE {
                    known.trouble = Some((why, ctx.now()));
                } else {
                    silent.get_or_insert(format!("the earlier audience {audience}: {why}"));
                }
            }
            Err(error) => return Err(error),
        }
    }
    session
        .remember(ctx, |memory| memory.earlier = earlier)
        .await?;
    Ok(silent)
}

/// People who were being added when a delivery was cut off, before the audience was changed: by the
/// member's id.
type Unheard = BTreeMap<String, i64>;

/// Reads what changed in one, or all of it; answers how far everything is known. `was_read`: not
/// for the first time.
async fn read_audience(
    session: &MailchimpSession,
    ctx: &PluginContext,
    (audience, was_read): (&str, bool),
    cursor: Option<Time>,
    unheard: &Unheard,
) -> Result<Option<Time>, PluginError> {
    let (api, there) = (session.api.of(audience), ctx.at(audience));
    let since = cursor.map(|cursor| cursor.min(ctx.now()) - OVERLAP);
    let mut shown = cursor.is_none().then(Contacts::default);
    let mut lists = ShownLists::default();
    let mut walk = read_list(
        session,
        ctx,
        (&api, &there),
        unheard,
        Walk::new(None, since, None),
        shown.as_mut(),
    )
    .await?;
    if walk.shown().is_some_and(HashSet::is_empty) {
        // Somebody of ours is there: that nobody is shown is asked for once more before it is
        // believed.
        walk = read_list(
            session,
            ctx,
            (&api, &there),
            unheard,
            Walk::new(None, since, None),
            shown.as_mut(),
        )
        .await?;
    }
    let End::Whole(reached) = walk.end() else {
        return Ok(None);
    };
    lists.note(None, since, &walk);
    let missed = lists.missed(&api, &there, cursor).await?;
    if missed.is_contradicted {
        return Err(PluginError::Unavailable(format!(
            "the list of the earlier audience {audience} lacks people who are there"
        )));
    }
    // Staff who give an audience up archive it or delete its contacts: only what was done before it
    // was given up counts as a word of the person.
    if let Some(mut shown) = shown {
        if was_read && is_given_up(&there, &shown).await? {
            return Ok(reached);
        }
        let archived = Walk::new(Some("archived"), None, None);
        if let End::Whole(_) = read_list(
            session,
            ctx,
            (&api, &there),
            unheard,
            archived,
            Some(&mut shown),
        )
        .await?
        .end()
        {
            find_erased(session, ctx, (&api, &there), audience, &shown).await?;
        }
    }
    Ok(reached)
}

async fn read_list(
    session: &MailchimpSession,
    ctx: &PluginContext,
    (api, there): (&Api, &PluginContext),
    unheard: &Unheard,
    mut walk: Walk,
    mut shown: Option<&mut Contacts>,
) -> Result<Walk, PluginError> {
    while let Some(members) = walk.next(api, ctx).await? {
        if let Some(shown) = &mut shown {
            shown.note(&members);
        }
        let ids: Vec<String> = members
            .iter()
            .map(|member| hash(&member.email_address))
            .collect();
        let mut known: BTreeMap<String, Member> = there
            .members(&ids)
            .await?
            .into_iter()
            .map(|member| (member.remote_id.clone(), member))
            .collect();
        renamed::set_apart(&mut known, &members.iter().collect::<Vec<_>>());
        // Each row once: who left may have another address since, too.
        let (mut gone, mut leavings, mut due) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut note = |member: Member| drop(gone.insert(member.remote_id.clone(), member));
        for (wire, id) in members
            .iter()
            .zip(&ids)
            .filter(|(wire, _)| is_somebody(wire))
        {
            let Some(added) = added(id, known.get(id), unheard) else {
                continue;
            };
            let member = observed_member(wire, Some(&added), &session.managed(), ctx.now());
            if is_live(&member) && member.remote_status != "transactional" {
                due.extend(member.supporter_id);
                note(member);
            }
            known.insert(id.clone(), added);
        }
        let somebody: Vec<&WireMember> = members.iter().filter(|wire| is_somebody(wire)).collect();
        let (renamed, mut changes) = (
            renamed::find(api, there, &somebody).await?,
            Changes::default(),
        );
        for (wire, id) in members
            .iter()
            .zip(&ids)
            .filter(|(wire, _)| is_somebody(wire) && is_out_word(&wire.status))
        {
            let before = known.get(id).or_else(|| renamed.get(id));
            let Some(old) = before.filter(|old| went(wire, Some(old))) else {
                continue;
            };
            let member = observed_member(wire, Some(old), &session.managed(), ctx.now());
            if let Some(supporter_id) = old.supporter_id {
                let why = in_earlier(why_out(&member), api.audience());
                let person = Some(supporter_id).filter(|_| has_left(&member));
                // It may have left before it got another address.
                let ids: BTreeSet<&String> = [id]
                    .into_iter()
                    .chain(person.map(|_| &old.remote_id))
                    .collect();
                leavings.extend(ids.into_iter().map(|id| Leaving {
                    remote_id: id.clone(),
                    supporter_id: person,
                    why: why.clone(),
                }));
            }
            note(member);
        }
        // Who has another address there now is still the person who was subscribed; whoever has the
        // old one at Classy is not.
        for wire in somebody {
            let id = hash(&wire.email_address);
            if let Some(before) = renamed.get(&id) {
                changes.note(
                    wire,
                    known.get(&id),
                    Some(before),
                    &session.managed(),
                    ctx.now(),
                );
            }
        }
        changes.members.into_values().for_each(note);
        // Whoever left there is to be taken off here, too; known as out there they are not met
        // again.
        due.extend(leavings.iter().filter_map(|one| one.supporter_id));
        ctx.suppress(&leavings).await?;
        ctx.make_due(&due).await?;
        there
            .save_members(&gone.into_values().collect::<Vec<_>>(), &[])
            .await?;
    }
    Ok(walk)
}

/// A member who was being added when a delivery was cut off, as that left it: whoever is there now
/// was put there by us. Once that is written down it is not asked again, since whoever left may
/// come by a form.
fn added(id: &str, known: Option<&Member>, unheard: &Unheard) -> Option<Member> {
    let supporter_id = *unheard.get(id)?;
    let is_open = known.is_none_or(|known| known.supporter_id.is_none() && is_live(known));
    is_open.then(|| Member {
        remote_id: id.to_owned(),
        supporter_id: Some(supporter_id),
        remote_status: "subscribed".to_owned(),
        subscribed_by_us: true,
        ..known.cloned().unwrap_or_default()
    })
}
