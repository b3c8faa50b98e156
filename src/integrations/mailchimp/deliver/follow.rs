//! Contacts who changed their address in Mailchimp: tags and fields go to the contact itself, by
//! calls that change somebody who is there and make nobody.

use super::consent::{confirm, not_sent, still_desired};
use super::load_values::know_values;
use super::record::refusal;
use super::update::{Work, verdict};
use crate::domain::{Fate, Verdict};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{Patch, TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::api::texts::Class;
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::seen;
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::{is_out, out_reason};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Beside the fate of somebody whose contact has another address than Classy.
pub(crate) const SERVED_THERE: &str =
    "changed to another address in Mailchimp, and kept in step there";

/// Sends what differs, one contact after the other; a verdict for each.
pub(crate) async fn follow(
    desk: &Desk,
    ctx: &PluginContext,
    works: Vec<Work>,
) -> Result<Vec<Verdict>, PluginError> {
    let mut verdicts = Vec::with_capacity(works.len());
    for work in works {
        verdicts.push(one(desk, ctx, work).await?);
    }
    Ok(verdicts)
}

async fn one(desk: &Desk, ctx: &PluginContext, mut work: Work) -> Result<Verdict, PluginError> {
    let id = work.supporter_id;
    let again = |minutes: i64, reason: &str| {
        verdict(
            id,
            Fate::Deferred {
                until: ctx.now() + TimeDelta::minutes(minutes),
                reason: reason.to_owned(),
            },
        )
    };
    let Some(before) = work.before.clone() else {
        return Ok(again(
            1,
            "its contact is not known any more; looked at again",
        ));
    };
    ctx.go_on()?;
    let shelf = desk.shelf(ctx).await?;
    know_values(desk, ctx, std::slice::from_mut(&mut work)).await?;
    freshen(desk, ctx).await?;
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
    work.know(there.clone());
    if know_values(desk, ctx, std::slice::from_mut(&mut work)).await? {
        return Ok(again(1, "its contact changed meanwhile; looked at again"));
    }
    let sending = work.sending(Some(&shelf), &desk.managed());
    let noted = sending.image.clone();
    let person = confirm(ctx, &[sending]).await?.remove(&id);
    let (person, address) = (person.as_ref(), &work.picture.address);
    let picture = still_desired(person, address, &desk.managed(), ctx.now());
    let (Some(person), Some(picture)) = (person, picture) else {
        let why = "changed while it was sent; looked at again";
        return Ok(not_sent(id, person, why));
    };
    work.with_name &= picture.name == work.picture.name;
    work.untags.retain(|tag| !picture.tags.contains(tag));
    work.picture = picture;
    let image = work.image(Some(&shelf), &desk.managed());
    if noted.as_ref() != Some(&image) {
        ctx.save_images(&[image]).await?;
    }
    let name = there
        .contact_id
        .clone()
        .unwrap_or_else(|| there.remote_id.clone());
    let wire = match desk
        .api
        .patch(
            &name,
            &Patch::Fields {
                merge_fields: work.merge_fields(&shelf),
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
                refusal(
                    Class::of(&problem.all()),
                    &problem.all(),
                    work.attempts,
                    ctx.now(),
                ),
            ));
        }
        Err(Failure::Busy(why)) => return Ok(again(5, &why)),
        Err(failure) => return Err(failure.into_error("changing a contact")),
    };
    let spelled = |tag: &String| {
        shelf
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
        work.picture
            .tags
            .difference(&there.managed_tags)
            .cloned()
            .collect(),
        work.untags.iter().cloned().collect(),
    );
    let mut tags = to(&adds, || TagStatus::Active);
    tags.extend(to(&untags, || TagStatus::Inactive));
    if !tags.is_empty() {
        // By the id of the present address: other names are not documented for this call.
        match desk
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
        desk.audience.note_made(adds.iter());
    }
    let mut member = seen(&wire, Some(&there), &desk.managed(), ctx.now());
    member.remote_id.clone_from(&there.remote_id);
    member.managed_tags.extend(adds);
    member.managed_tags.retain(|tag| !untags.contains(tag));
    ctx.save_members(&[member], &[]).await?;
    let taken = work.taken(person, ctx.now());
    Ok(Verdict {
        note: taken.note.or_else(|| Some(SERVED_THERE.to_owned())),
        ..taken
    })
}
