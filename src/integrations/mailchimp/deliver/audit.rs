//! Who is in the audience, against the consent known here. Reads the audience itself, not the
//! mirror, and writes nothing.

use crate::domain::{Address, Member, Profile, Time};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::mirror::listing::{End, READINGS, Walk};
use crate::integrations::mailchimp::mirror::managed_tags::ManagedTags;
use crate::integrations::mailchimp::mirror::member::{hash, hash_of, is_somebody, observed_member};
use crate::integrations::mailchimp::mirror::memory::Memory;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::is_out_word;
use crate::plugin::{Finding, PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Somebody said no at Classy, and is mailed all the same, since they were there before us.
pub(crate) const STILL_SUBSCRIBED: &str = "opted_out_still_subscribed";

/// Somebody whom we subscribed is there, and nobody consents.
const WITHOUT_CONSENT: &str = "without_consent";

/// What concerns the audience as a whole.
const NOTICE: &str = "notice";

/// A contact lacks tags that it was given.
const UNTAGGED: &str = "tags_gone";

/// People in one look at the database.
const PEOPLE: u64 = 1_000;

/// One finding for each contact, and one for each consented supporter who is not there.
pub(crate) async fn audit(
    session: &MailchimpSession,
    ctx: &PluginContext,
) -> Result<Vec<Finding>, PluginError> {
    session
        .audience
        .load_setup(&session.api, &session.settings)
        .await?;
    let known: Memory = ctx.state().await?.unwrap_or_default();
    session.name_tags(&known);
    let notice = |text: &String| Finding {
        kind: NOTICE,
        supporter_id: None,
        remote_id: None,
        remote_status: None,
        detail: text.clone(),
    };
    let notices: Vec<Finding> = known.notices().map(notice).collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut findings = contacts(session, ctx, None, &mut seen).await?;
    findings.extend(contacts(session, ctx, Some("archived"), &mut seen).await?);
    findings.extend(missing(ctx, &seen).await?);
    // What somebody must decide comes first.
    findings.sort_by_key(|finding| finding.kind != STILL_SUBSCRIBED);
    Ok(notices.into_iter().chain(findings).collect())
}

async fn contacts(
    session: &MailchimpSession,
    ctx: &PluginContext,
    status: Option<&'static str>,
    seen: &mut HashSet<String>,
) -> Result<Vec<Finding>, PluginError> {
    for _ in 0..READINGS {
        let (mut walk, mut findings, mut met) =
            (Walk::new(status, None, None), Vec::new(), HashSet::new());
        while let Some(members) = walk.next(&session.api, ctx).await? {
            findings.extend(page(session, ctx, &members, &mut met).await?);
        }
        if let End::Whole(_) = walk.end() {
            seen.extend(met);
            return Ok(findings);
        }
    }
    Err(PluginError::Unavailable(
        "the audience changes faster than it can be read".to_owned(),
    ))
}

/// Findings on a page, each contact once.
async fn page(
    session: &MailchimpSession,
    ctx: &PluginContext,
    members: &[WireMember],
    met: &mut HashSet<String>,
) -> Result<Vec<Finding>, PluginError> {
    let shown: Vec<&WireMember> = members
        .iter()
        .filter(|member| is_somebody(member))
        .collect();
    let addresses: BTreeSet<Address> = shown
        .iter()
        .filter_map(|member| Address::parse(&member.email_address))
        .collect();
    let mut holders: BTreeMap<String, Vec<Profile>> = BTreeMap::new();
    for person in ctx.profiles_at(&addresses).await? {
        if let Some(address) = &person.address {
            holders.entry(hash_of(address)).or_default().push(person);
        }
    }
    let ids: Vec<String> = shown
        .iter()
        .map(|member| hash(&member.email_address))
        .collect();
    let known: BTreeMap<String, Member> = ctx
        .members(&ids)
        .await?
        .into_iter()
        .map(|member| (member.remote_id.clone(), member))
        .collect();
    let owners: Vec<i64> = known
        .values()
        .filter_map(|member| member.supporter_id)
        .collect();
    let owners: BTreeMap<i64, Profile> = ctx
        .profiles(&owners)
        .await?
        .into_iter()
        .map(|person| (person.supporter_id, person))
        .collect();
    let (none, managed) = (Vec::new(), session.managed());
    let mut findings = Vec::new();
    for (member, id) in shown.iter().zip(ids) {
        if met.insert(id.clone()) {
            let lost = known
                .get(&id)
                .map_or_else(Vec::new, |known| lost(member, known, &managed, ctx.now()));
            let (known, holders) = (known.get(&id), holders.get(&id).unwrap_or(&none));
            let owner = known
                .and_then(|known| known.supporter_id)
                .and_then(|id| owners.get(&id));
            findings.push(evaluate(member, known, holders, owner, id, &lost));
        }
    }
    add_reasons(ctx, &mut findings).await?;
    Ok(findings)
}

/// Whoever is there without consent may wait for something, which the ledger knows.
async fn add_reasons(ctx: &PluginContext, findings: &mut [Finding]) -> Result<(), PluginError> {
    let ids: Vec<i64> = findings
        .iter()
        .filter(|finding| finding.kind == WITHOUT_CONSENT)
        .filter_map(|finding| finding.supporter_id)
        .collect();
    let ledger = ctx.ledger(&ids).await?;
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.kind == WITHOUT_CONSENT)
    {
        let row = finding
            .supporter_id
            .and_then(|id| ledger.get(&id))
            .filter(|row| ["deferred", "held"].contains(&row.state.as_str()));
        if let Some((row, reason)) = row.and_then(|row| Some((row, row.reason.as_deref()?))) {
            finding
                .detail
                .push_str(&format!("; {}: {reason}", row.state));
        }
    }
    Ok(())
}

/// Tags that a contact was given, and does not have.
fn lost(member: &WireMember, known: &Member, managed: &ManagedTags, now: Time) -> Vec<String> {
    let there = observed_member(member, Some(known), managed, now).managed_tags;
    known.managed_tags.difference(&there).cloned().collect()
}

/// `holders`: who has the address now; `owner`: for whom the contact was delivered, at whatever
/// address; `lost`: tags that the contact was given, and does not have.
pub(crate) fn evaluate(
    member: &WireMember,
    known: Option<&Member>,
    holders: &[Profile],
    owner: Option<&Profile>,
    id: String,
    lost: &[String],
) -> Finding {
    let speaker = holders
        .iter()
        .find(|person| person.mailable_address().is_some());
    let delivered_for = known.and_then(|known| known.supporter_id);
    let person = speaker
        .or_else(|| {
            holders
                .iter()
                .find(|person| Some(person.supporter_id) == delivered_for)
        })
        .or_else(|| holders.first());
    // The no of one for whom it was delivered is about it, though they have another address now.
    let person = owner
        .filter(|owner| speaker.is_none() && owner.email_opt_in == Some(false))
        .or(person);
    let supporter_id = person.map(|person| person.supporter_id).or(delivered_for);
    let is_in = ["subscribed", "pending"].contains(&member.status.as_str());
    let is_ours = known.is_some_and(|known| known.subscribed_by_us);
    let refuses = holders
        .iter()
        .chain(owner)
        .any(|person| person.email_opt_in == Some(false));
    let why = || match (person.and_then(Profile::refusal), delivered_for) {
        (Some(refusal), _) => refusal,
        (None, Some(supporter)) => format!("supporter {supporter} has another address now"),
        (None, None) => "no supporter has this address".to_owned(),
    };
    let (kind, detail) = match speaker {
        Some(_) if is_out_word(&member.status) => {
            ("left", "consented here, and out there, by themselves or since they said no before; respected until they come back by a form".to_owned())
        }
        Some(_) if !lost.is_empty() => (
            UNTAGGED,
            format!(
                "renamed, deleted or taken off by hand: {}; the next reading of everything, once a week, gives them again",
                lost.join(", ")
            ),
        ),
        Some(_) => ("ok", "consented here, and there".to_owned()),
        None if is_in && is_ours && person.is_some_and(|person| person.is_absent) => {
            (WITHOUT_CONSENT, "subscribed by us, and deleted at Classy without a word of no that was seen: left as it is".to_owned())
        }
        None if is_in && is_ours => (WITHOUT_CONSENT, format!("subscribed by us: {}", why())),
        None if is_in && refuses => (
            STILL_SUBSCRIBED,
            "opted out at Classy, still subscribed, not ours: left alone while plugins.mailchimp.opt_out_scope is \"ours\"".to_owned(),
        ),
        None if is_out_word(&member.status) && delivered_for.is_some() => ("left", why()),
        None => ("foreign", format!("not ours, and left alone: {}", why())),
    };
    Finding {
        kind,
        supporter_id,
        remote_id: Some(id),
        remote_status: Some(member.status.clone()),
        detail,
    }
}

/// Consented supporters who are not there at all.
async fn missing(ctx: &PluginContext, seen: &HashSet<String>) -> Result<Vec<Finding>, PluginError> {
    let (mut findings, mut after) = (Vec::new(), i64::MIN);
    loop {
        let people = ctx.people_after(after, PEOPLE).await?;
        let Some(last) = people.last() else {
            return Ok(findings);
        };
        after = last.change_seq;
        let absent = people.iter().filter(|person| {
            person
                .mailable_address()
                .is_some_and(|address| !seen.contains(&hash_of(address)))
        });
        let absent: Vec<i64> = absent.map(|person| person.supporter_id).collect();
        let ledger = ctx.ledger(&absent).await?;
        findings.extend(absent.into_iter().map(|id| {
            let row = ledger.get(&id);
            let detail = row.map_or_else(
                || "consented here, and not delivered yet".to_owned(),
                |row| {
                    format!(
                        "consented here; {}: {}",
                        row.state,
                        row.reason.as_deref().unwrap_or("no reason is known")
                    )
                },
            );
            Finding {
                kind: "missing",
                supporter_id: Some(id),
                remote_id: None,
                remote_status: None,
                detail,
            }
        }));
    }
}
