//! Contacts who changed their address in Mailchimp: tags and fields go to the contact itself, by
//! calls that change somebody who is there and make nobody.

use super::consent::{confirm, not_sent, still_desired};
use super::load_values::load_values;
use super::record::refusal_fate;
use super::update::{MemberUpdate, verdict};
use crate::domain::{Fate, Verdict};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{Patch, TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::api::texts::RefusalClass;
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::observed_member;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Beside the fate of somebody whose contact has another address than Classy.
pub(crate) const SERVED_THERE: &str =
    "changed to another address in Mailchimp, and kept in step there";

/// Sends what differs, one contact after the other; a verdict for each.
pub(crate) async fn follow(
    session: &MailchimpSession,
    ctx: &PluginContext,
    updates: Vec<MemberUpdate>,
) -> Result<Vec<Verdict>, PluginError> {
    let mut verdicts = Vec::with_capacity(updates.len());
    for update in updates {
        verdicts.push(one(session, ctx, update).await?);
    }
    Ok(verdicts)
}

async fn one(
    session: &MailchimpSession,
    ctx: &PluginContext,
    mut update: MemberUpdate,
) -> Result<Verdict, PluginError> {
    let id = update.supporter_id;
    let again = |minutes: i64, reason: &str| {
        verdict(
            id,
            Fate::Deferred {
                until: ctx.now() + TimeDelta::minutes(minutes),
                reason: reason.to_owned(),
            },
        )
    };
    let Some(before) = update.before.clone() else {
        return Ok(again(
            1,
            "its contact is not known any more; looked at again",
        ));
    };
    ctx.go_on()?;
    let schema = session.schema(ctx).await?;
    load_values(session, ctx, std::slice::from_mut(&mut update)).await?;
    freshen(session, ctx).await?;
    let there = ctx
        .members(std::slice::from_ref(&before.remote_id))
        .await?
        .pop();
    let there = match there {
        Some(member) if is_out(&member) => {
            return Ok(verdict(id, Fate::Skipped(out_reason(&member))));
        }
        Some(member) if member.supporter_id == Some(id) => member,
        _ => return Ok(again(1, "its contact changed meanwhile; looked at again")),
    };
    update.set_before(there.clone());
    if load_values(session, ctx, std::slice::from_mut(&mut update)).await? {
        return Ok(again(1, "its contact changed meanwhile; looked at again"));
    }
    let sending = update.sending(Some(&schema), &session.managed());
    let noted = sending.image.clone();
    let person = confirm(ctx, &[sending]).await?.remove(&id);
    let (person, address) = (person.as_ref(), &update.desired.address);
    let desired = still_desired(person, address, &session.managed(), ctx.now());
    let (Some(person), Some(desired)) = (person, desired) else {
        let why = "changed while it was sent; looked at again";
        return Ok(not_sent(id, person, why));
    };
    update.with_name &= desired.name == update.desired.name;
    update.untags.retain(|tag| !desired.tags.contains(tag));
    update.desired = desired;
    let image = update.image(Some(&schema), &session.managed());
    if noted.as_ref() != Some(&image) {
        ctx.save_images(&[image]).await?;
    }
    let name = there
        .contact_id
        .clone()
        .unwrap_or_else(|| there.remote_id.clone());
    let wire = match session
        .api
        .patch(
            &name,
            &Patch::Fields {
                merge_fields: update.merge_fields(&schema),
            },
        )
        .await
    {
        Ok(wire) => wire,
        Err(Failure::Missing) => {
            return Ok(again(
                60,
                "its contact is not found in Mailchimp; looked for again",
            ));
        }
        Err(Failure::Invalid(problem)) => {
            return Ok(verdict(
                id,
                refusal_fate(
                    RefusalClass::of(&problem.all()),
                    &problem.all(),
                    update.attempts,
                    ctx.now(),
                ),
            ));
        }
        Err(Failure::Busy(why) | Failure::Broken(why)) => return Ok(again(5, &why)),
        Err(failure) => return Err(failure.into_error("changing a contact")),
    };
    let spelled = |tag: &String| {
        schema
            .segments
            .get(&tag.to_lowercase())
            .map_or_else(|| tag.clone(), |(name, _)| name.clone())
    };
    let to = |tags: &BTreeSet<String>, status: fn() -> TagStatus| -> Vec<TagTo> {
        tags.iter()
            .map(|tag| TagTo {
                name: spelled(tag),
                status: status(),
            })
            .collect()
    };
    let (adds, untags): (BTreeSet<String>, BTreeSet<String>) = (
        update
            .desired
            .tags
            .difference(&there.managed_tags)
            .cloned()
            .collect(),
        update.untags.iter().cloned().collect(),
    );
    let mut tags = to(&adds, || TagStatus::Active);
    tags.extend(to(&untags, || TagStatus::Inactive));
    if !tags.is_empty() {
        // By the id of the present address: other names are not documented for this call.
        match session
            .api
            .tag(
                &there.remote_id,
                &TagChange {
                    tags,
                    is_syncing: false,
                },
            )
            .await
        {
            Ok(()) => {}
            Err(Failure::Missing) => {
                return Ok(again(
                    60,
                    "its contact is not found in Mailchimp; looked for again",
                ));
            }
            Err(failure) => return Err(failure.into_error("changing a contact's tags")),
        }
        session.audience.note_made(adds.iter());
    }
    let mut member = observed_member(&wire, Some(&there), &session.managed(), ctx.now());
    member.remote_id.clone_from(&there.remote_id);
    member.managed_tags.extend(adds);
    member.managed_tags.retain(|tag| !untags.contains(tag));
    ctx.save_members(&[member], &[]).await?;
    let accepted = update.accepted(person, ctx.now());
    Ok(Verdict {
        note: accepted.note.or_else(|| Some(SERVED_THERE.to_owned())),
        ..accepted
    })
}
