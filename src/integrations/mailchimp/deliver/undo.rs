//! What pushes changed of contacts is taken back, one contact after the other: looked at, and
//! written by calls that change somebody who is there and make nobody. There is no status in any of
//! them.

use crate::domain::{AddressClaim, Image, Member, Outcome, Profile, Taking};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::{BACKOFF, TRIES};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{Patch, TagChange, TagStatus, TagTo};
use crate::integrations::mailchimp::decide::reversal::{CurrentContact, Reversal, reverse};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::integrations::mailchimp::mirror::member::{hash, observed_member, values};
use crate::integrations::mailchimp::mirror::merge_fields::{FIRST_NAME, LAST_NAME};
use crate::integrations::mailchimp::mirror::name::Name;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{
    is_given_up, is_out, is_out_word, out_reason,
};
use crate::plugin::{PluginContext, PluginError};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const GONE: &str = "their contact is not in the audience any more";

const UNCONFIRMED: &str =
    "asked to confirm, and nothing is written before they do: say it again then";

/// The pushes to one contact of one person.
struct ContactJob<'a> {
    supporter_id: i64,
    images: Vec<&'a Image>,
    member: Option<Member>,
}

/// What became of one contact.
struct Restored {
    supporter_id: i64,
    outcome: Outcome,
    reversal: Reversal,
    /// As it is known from now on.
    member: Option<Member>,
}

/// Takes back, or says what would be taken back.
pub(crate) async fn take_back(
    session: &MailchimpSession,
    ctx: &PluginContext,
    people: &[Profile],
    images: &BTreeMap<i64, Vec<Image>>,
    really: bool,
) -> Result<Vec<Taking>, PluginError> {
    let writes = really && !ctx.is_preview();
    if writes {
        freshen(session, ctx).await?;
        // The lease is asked for once more.
        ctx.begin_sending(&[]).await?;
    }
    let refuses = |person: &Profile| {
        person.email_opt_in == Some(false) || matches!(person.claim, AddressClaim::Refused { .. })
    };
    let mut takings: BTreeMap<i64, Taking> = BTreeMap::new();
    let mut open: BTreeMap<i64, Vec<&Image>> = BTreeMap::new();
    for person in people {
        let id = person.supporter_id;
        let Some(theirs) = images.get(&id) else {
            continue;
        };
        if refuses(person) {
            let why = person.refusal().unwrap_or_else(|| "opted out".to_owned());
            takings.insert(
                id,
                Taking::nothing(id, Outcome::Left(why), last_mark(theirs)),
            );
        } else {
            open.insert(id, theirs.iter().collect());
        }
    }
    let mut calls = Vec::new();
    for job in jobs(ctx, &open).await? {
        calls.push(restore_one(session, ctx, job, writes));
    }
    let restored: Vec<Result<Restored, PluginError>> = stream::iter(calls)
        .buffer_unordered(session.api.connections())
        .collect()
        .await;
    let (mut members, mut trouble) = (Vec::new(), None);
    for restored in restored {
        match restored {
            Ok(mut restored) => {
                members.extend(restored.member.take());
                let mark = last_mark(&images[&restored.supporter_id]);
                let taking = takings.entry(restored.supporter_id).or_insert_with(|| {
                    Taking::nothing(restored.supporter_id, Outcome::AsBefore, mark)
                });
                add(taking, restored);
            }
            Err(error) => trouble = Some(error),
        }
    }
    // What was written is known before the trouble is told; in a preview, what would be.
    if really {
        ctx.save_members(&members, &[]).await?;
    }
    trouble.map_or_else(|| Ok(takings.into_values().collect()), Err)
}

fn last_mark(images: &[Image]) -> i64 {
    images.last().map_or(0, |image| image.mark)
}

/// Of several contacts of one person all that is written is told, and else the worst news.
fn add(taking: &mut Taking, restored: Restored) {
    taking.fields.extend(restored.reversal.fields.0.into_keys());
    taking.tags.extend(restored.reversal.tags);
    taking.untags.extend(restored.reversal.untags);
    taking.changed.extend(restored.reversal.changed);
    let weight = |outcome: &Outcome| match outcome {
        Outcome::AsBefore => 0,
        Outcome::ChangedSince => 1,
        Outcome::Left(_) => 2,
        Outcome::NotYet(_) => 3,
        Outcome::TakenBack => 4,
    };
    if weight(&restored.outcome) > weight(&taking.outcome) {
        taking.outcome = restored.outcome;
    }
}

/// One job for each contact, whatever its address is by now.
async fn jobs<'a>(
    ctx: &PluginContext,
    open: &BTreeMap<i64, Vec<&'a Image>>,
) -> Result<Vec<ContactJob<'a>>, PluginError> {
    let all = || open.values().flatten();
    let ids: BTreeSet<String> = all().map(|image| image.remote_id.clone()).collect();
    let known: BTreeMap<String, Member> = ctx
        .members(&ids.into_iter().collect::<Vec<_>>())
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let here = |image: &Image| {
        known
            .get(&image.remote_id)
            .filter(|member| !is_given_up(member))
    };
    let contact = |image: &Image| {
        let of_member = known
            .get(&image.remote_id)
            .and_then(|member| member.contact_id.clone());
        of_member.or_else(|| image.contact_id.clone())
    };
    let contacts: BTreeSet<String> = all()
        .filter(|image| here(image).is_none())
        .filter_map(|image| contact(image))
        .collect();
    let mut elsewhere: BTreeMap<String, Member> = BTreeMap::new();
    for member in ctx
        .members_of_contacts(&contacts.into_iter().collect::<Vec<_>>())
        .await?
    {
        if let Some(name) = member.contact_id.clone().filter(|_| !is_given_up(&member)) {
            elsewhere.insert(name, member);
        }
    }
    let mut jobs = Vec::new();
    for (supporter_id, images) in open {
        let mut by_contact: BTreeMap<Option<String>, ContactJob<'a>> = BTreeMap::new();
        for image in images {
            let member = here(image)
                .or_else(|| elsewhere.get(&contact(image)?))
                .cloned();
            let name = member.as_ref().map(|member| member.remote_id.clone());
            let job = by_contact.entry(name).or_insert_with(|| ContactJob {
                supporter_id: *supporter_id,
                images: Vec::new(),
                member,
            });
            job.images.push(image);
        }
        jobs.extend(by_contact.into_values());
    }
    Ok(jobs)
}

async fn restore_one(
    session: &MailchimpSession,
    ctx: &PluginContext,
    job: ContactJob<'_>,
    writes: bool,
) -> Result<Restored, PluginError> {
    let restored = |outcome: Outcome| Restored {
        supporter_id: job.supporter_id,
        outcome,
        reversal: Reversal::default(),
        member: None,
    };
    let Some(member) = &job.member else {
        return Ok(restored(Outcome::Left(GONE.to_owned())));
    };
    if is_out(member) {
        return Ok(restored(Outcome::Left(out_reason(member))));
    }
    if let (false, Some(values)) = (writes, member.values.clone()) {
        let there = CurrentContact {
            values,
            tags: member
                .managed_tags
                .iter()
                .map(|tag| tag.to_lowercase())
                .collect(),
        };
        let outcome =
            (member.remote_status == "pending").then(|| Outcome::NotYet(UNCONFIRMED.to_owned()));
        return Ok(outcome.map_or_else(
            || foresee(&job, there, member, &session.managed()),
            restored,
        ));
    }
    let mut tries = 0;
    loop {
        ctx.go_on()?;
        ctx.mark();
        match restore(session, ctx, &job, member, writes).await {
            Ok(done) => return Ok(done),
            // It was erased or archived meanwhile, or has another address since this moment.
            Err(Failure::Missing) => return Ok(restored(Outcome::Left(GONE.to_owned()))),
            Err(Failure::Invalid(problem)) => {
                return Ok(restored(Outcome::NotYet(format!(
                    "Mailchimp does not take it: {}",
                    problem.plain()
                ))));
            }
            Err(Failure::Busy(_) | Failure::Broken(_)) if tries + 1 < TRIES => {
                tokio::time::sleep(BACKOFF.wait(tries)).await
            }
            Err(failure) => {
                return Err(failure.into_error("taking back what was changed of a contact"));
            }
        }
        tries += 1;
    }
}

fn plan(job: &ContactJob<'_>, there: &CurrentContact) -> Restored {
    let reversal = reverse(&job.images, there);
    let outcome = match (reversal.is_nothing(), reversal.changed.is_empty()) {
        (false, _) => Outcome::TakenBack,
        (true, false) => Outcome::ChangedSince,
        (true, true) => Outcome::AsBefore,
    };
    Restored {
        supporter_id: job.supporter_id,
        outcome,
        reversal,
        member: None,
    }
}

/// The same, with the contact as it would be afterwards.
fn foresee(
    job: &ContactJob<'_>,
    there: CurrentContact,
    member: &Member,
    managed: &ManagedTags,
) -> Restored {
    let mut restored = plan(job, &there);
    let mut values = there.values;
    values.0.extend(
        restored
            .reversal
            .fields
            .0
            .iter()
            .map(|(tag, value)| (tag.clone(), value.clone())),
    );
    let mut after = Member {
        name_hash: Name::of(values.get(FIRST_NAME), values.get(LAST_NAME)).hash(),
        ..member.clone()
    };
    after.values = Some(values);
    retag(&mut after, &restored.reversal, managed);
    restored.member = Some(after).filter(|_| !restored.reversal.is_nothing());
    restored
}

fn retag(member: &mut Member, reversal: &Reversal, managed: &ManagedTags) {
    member.managed_tags.extend(
        reversal
            .tags
            .iter()
            .filter(|tag| managed.is_ours(tag))
            .cloned(),
    );
    member
        .managed_tags
        .retain(|tag| !reversal.untags.contains(tag));
}

/// Looks at a contact as it is at this moment, and writes what takes it back.
async fn restore(
    session: &MailchimpSession,
    ctx: &PluginContext,
    job: &ContactJob<'_>,
    member: &Member,
    writes: bool,
) -> Result<Restored, Failure> {
    let wire = match (
        session.api.member(&member.remote_id).await,
        &member.contact_id,
    ) {
        (Err(Failure::Missing), Some(contact)) => session.api.member(contact).await?,
        (answer, _) => answer?,
    };
    let refused = match wire.status.as_str() {
        "pending" => Some(Outcome::NotYet(UNCONFIRMED.to_owned())),
        status if is_out_word(status) => Some(Outcome::Left(format!("{status} in Mailchimp"))),
        _ => None,
    };
    if let Some(outcome) = refused {
        return Ok(Restored {
            supporter_id: job.supporter_id,
            outcome,
            reversal: Reversal::default(),
            member: None,
        });
    }
    let managed = session.managed();
    let mut restored = foresee(job, current_contact(&wire, member), member, &managed);
    if !writes || restored.reversal.is_nothing() {
        return Ok(restored);
    }
    let id = hash(&wire.email_address);
    let fields = &restored.reversal.fields.0;
    let named = wire.merge_fields.keys().filter_map(|name| {
        let (_, value) = fields
            .iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(name))?;
        Some((name.clone(), Value::String(value.clone())))
    });
    let merge_fields: serde_json::Map<String, Value> = named.collect();
    let after = if merge_fields.is_empty() {
        wire
    } else {
        session
            .api
            .patch(&id, &Patch::Fields { merge_fields })
            .await?
    };
    let to = |tags: &BTreeSet<String>, status: fn() -> TagStatus| -> Vec<TagTo> {
        tags.iter()
            .map(|tag| TagTo {
                name: tag.clone(),
                status: status(),
            })
            .collect()
    };
    let mut tags = to(&restored.reversal.tags, || TagStatus::Active);
    tags.extend(to(&restored.reversal.untags, || TagStatus::Inactive));
    if !tags.is_empty() {
        // Quietly: a tag that comes back is nobody's new interest.
        session
            .api
            .tag(
                &id,
                &TagChange {
                    tags,
                    is_syncing: true,
                },
            )
            .await?;
    }
    let mut known = observed_member(&after, Some(member), &managed, ctx.now());
    known.remote_id = id;
    retag(&mut known, &restored.reversal, &managed);
    restored.member = Some(known);
    Ok(restored)
}

fn current_contact(wire: &WireMember, member: &Member) -> CurrentContact {
    let mut tags: BTreeSet<String> = wire
        .tags
        .iter()
        .map(|tag| tag.name.trim().to_lowercase())
        .collect();
    if wire.tags_count > wire.tags.len() as u64 {
        // At most fifty are shown; of the others what is known here is believed.
        tags.extend(member.managed_tags.iter().map(|tag| tag.to_lowercase()));
    }
    CurrentContact {
        values: values(wire).unwrap_or_default(),
        tags,
    }
}
