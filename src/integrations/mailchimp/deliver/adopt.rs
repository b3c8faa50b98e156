//! Contacts who carry tags of ours though this database knows nothing of having put them there, as
//! in a new database over an audience that was kept in step before: a person may say that they are
//! ours, so that opt-outs at Classy reach them.

use crate::domain::{Address, Member, Profile};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::mirror::listing::{End, READINGS, Walk};
use crate::integrations::mailchimp::mirror::member::{IN, carries_ours, hash, hash_of};
use crate::integrations::mailchimp::mirror::memory::Memory;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::is_live;
use crate::plugin::{Finding, PluginContext, PluginError, REFUSED};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The kind of all others.
const ADOPTABLE: &str = "adoptable";

/// Contacts between two notes of what is done.
const PIECE: usize = 1_000;

/// Who they are, but for those of whom a person said it already. Reads the audience itself, and
/// writes nothing.
pub(crate) async fn adoptable(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<Vec<Finding>, PluginError> {
    session
        .audience
        .load_setup(&session.api, &session.settings)
        .await?;
    session.name_tags(&ctx.state::<Memory>().await?.unwrap_or_default());
    let managed = session.managed();
    let said: BTreeSet<String> = ctx.adoptions().await?.into_iter().flatten().collect();
    for _ in 0..READINGS {
        let (mut walk, mut found) = (Walk::new(None, None, None), BTreeMap::new());
        while let Some(members) = walk.next(&session.api, ctx).await? {
            let carrying: Vec<&WireMember> = members
                .iter()
                .filter(|member| carries_ours(member, &managed))
                .collect();
            found.extend(page(ctx, &carrying).await?);
        }
        if let End::Whole(_) = walk.end() {
            found.retain(|id, _| !said.contains(id));
            return Ok(found.into_values().collect());
        }
    }
    Err(PluginError::Unavailable(
        "the audience changes faster than it can be read".to_owned(),
    ))
}

/// Those of a page who are not ours yet, and may become so, by id.
async fn page(
    ctx: &PluginContext,
    carrying: &[&WireMember],
) -> Result<BTreeMap<String, Finding>, PluginError> {
    let ids: Vec<String> = carrying
        .iter()
        .map(|member| hash(&member.email_address))
        .collect();
    let known = ctx.members(&ids).await?;
    let mut left_out: BTreeSet<String> = known
        .into_iter()
        .filter(|member| member.subscribed_by_us)
        .map(|member| member.remote_id)
        .collect();
    // Whoever left and came back is there by their own word, which is later than any no that an
    // adoption would bring over them.
    left_out.extend(ctx.came_back(&ids).await?);
    let addresses: BTreeSet<Address> = carrying
        .iter()
        .filter_map(|member| Address::parse(&member.email_address))
        .collect();
    let mut holders: BTreeMap<String, Vec<Profile>> = BTreeMap::new();
    for person in ctx.profiles_at(&addresses).await? {
        if let Some(address) = &person.address {
            holders.entry(hash_of(address)).or_default().push(person);
        }
    }
    let none = Vec::new();
    let finding = |(member, id): (&&WireMember, &String)| {
        let people = holders.get(id).unwrap_or(&none);
        let refuser = people
            .iter()
            .find(|person| person.email_opt_in == Some(false));
        let (kind, detail) = match (refuser, people.is_empty()) {
            (Some(_), _) => (
                REFUSED,
                "opted out at Classy: unsubscribed by the delivery that adopts it",
            ),
            (None, false) => (
                ADOPTABLE,
                "its supporter did not opt out: from then on an opt-out reaches it",
            ),
            (None, true) => (ADOPTABLE, "no supporter has this address"),
        };
        let supporter_id = refuser
            .or_else(|| people.first())
            .map(|person| person.supporter_id);
        let (remote_id, remote_status) = (Some(id.clone()), Some(member.status.clone()));
        (
            id.clone(),
            Finding {
                kind,
                supporter_id,
                remote_id,
                remote_status,
                detail: detail.to_owned(),
            },
        )
    };
    Ok(carrying
        .iter()
        .zip(&ids)
        .filter(|(_, id)| !left_out.contains(*id))
        .map(finding)
        .collect())
}

/// Takes over those of whom a person said it, as far as they are in at this moment: whoever left is
/// nobody's.
pub(crate) async fn take_over(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<(), PluginError> {
    let Some(ids) = ctx.adoptions().await? else {
        return Ok(());
    };
    let is_in = |member: &Member| is_live(member) && IN.contains(&member.remote_status.as_str());
    let there = ctx.members(&ids).await?.into_iter().filter(is_in);
    let ours: Vec<Member> = there
        .map(|member| Member {
            subscribed_by_us: true,
            ..member
        })
        .collect();
    if !ours.is_empty() {
        // Who said no is looked at again. Before it is noted that they are ours, since the next
        // thing may be cut off.
        ctx.make_everybody_due().await?;
    }
    for piece in ours.chunks(PIECE) {
        ctx.save_members(piece, &[]).await?;
    }
    session.remember(ctx, |memory| memory.carried = 0).await?;
    if !ids.is_empty() {
        ctx.note(
            "adopted",
            json!({ "contacts": ours.len(), "said": ids.len() }),
        )
        .await?;
    }
    ctx.close_adoptions(&ids).await
}
