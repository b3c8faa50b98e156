//! Contacts who changed their address in Mailchimp: tags and fields go to the contact itself, by
//! calls that change somebody who is there and make nobody.

use super::client::Failure;
use super::desk::Desk;
use super::member::{is_out, out_reason, seen};
use super::picture::Picture;
use super::settle::refusal;
use super::texts::Class;
use super::undo::know_values;
use super::wire::{Patch, TagChange, TagStatus, TagTo};
use super::work::{Work, verdict};
use crate::domain::{Fate, Profile, Verdict};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Beside the fate of somebody whose contact has another address than Classy.
pub(super) const SERVED_THERE: &str =
    "changed to another address in Mailchimp, and kept in step there";

/// Sends what differs, one contact after the other; a verdict for each.
pub(super) async fn follow(
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
    desk.freshen(ctx).await?;
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
    let person = ctx.begin_sending(&[sending]).await?.pop();
    let picture = person
        .as_ref()
        .and_then(|person| Picture::of(person, &desk.managed(), ctx.now()));
    let (Some(person), Some(picture)) = (
        person.as_ref(),
        picture.filter(|picture| picture.address == work.picture.address),
    ) else {
        let why = person
            .as_ref()
            .and_then(Profile::refusal)
            .unwrap_or_else(|| "changed while it was sent; looked at again".to_owned());
        return Ok(verdict(id, Fate::Skipped(why)));
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
