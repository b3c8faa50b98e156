//! Who is in the audience, against the consent known here. Reads the audience itself, not the mirror, and writes nothing.

use super::desk::Desk;
use super::listing::{End, READINGS, Walk};
use super::member::{hash, hash_of, is_out_word};
use super::mirror::is_somebody;
use super::wire::WireMember;
use crate::domain::{Address, Member, Profile};
use crate::plugin::{Finding, PluginContext, PluginError};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// People in one look at the database.
const PEOPLE: u64 = 1_000;

/// One finding for each contact, and one for each consented supporter who is not there.
pub(super) async fn audit(desk: &Desk, ctx: &PluginContext) -> Result<Vec<Finding>, PluginError> {
    desk.audience.look(&desk.api, &desk.settings).await?;
    let mut seen: HashSet<String> = HashSet::new();
    let mut findings = contacts(desk, ctx, None, &mut seen).await?;
    findings.extend(contacts(desk, ctx, Some("archived"), &mut seen).await?);
    findings.extend(missing(ctx, &seen).await?);
    Ok(findings)
}

async fn contacts(
    desk: &Desk,
    ctx: &PluginContext,
    status: Option<&'static str>,
    seen: &mut HashSet<String>,
) -> Result<Vec<Finding>, PluginError> {
    for _ in 0..READINGS {
        let (mut walk, mut findings, mut met) = (Walk::new(status, None), Vec::new(), HashSet::new());
        while let Some(members) = walk.next(&desk.api, ctx).await? {
            findings.extend(page(ctx, &members, &mut met).await?);
        }
        if let End::Whole(_) = walk.end() {
            seen.extend(met);
            return Ok(findings);
        }
    }
    Err(PluginError::Unavailable("the audience changes faster than it can be read".to_owned()))
}

/// Findings on a page, each contact once.
async fn page(ctx: &PluginContext, members: &[WireMember], met: &mut HashSet<String>) -> Result<Vec<Finding>, PluginError> {
    let shown: Vec<&WireMember> = members.iter().filter(|member| is_somebody(member)).collect();
    let addresses: BTreeSet<Address> = shown.iter().filter_map(|member| Address::parse(&member.email_address)).collect();
    let mut holders: BTreeMap<String, Vec<Profile>> = BTreeMap::new();
    for person in ctx.profiles_at(&addresses).await? {
        if let Some(address) = &person.address {
            holders.entry(hash_of(address)).or_default().push(person);
        }
    }
    let ids: Vec<String> = shown.iter().map(|member| hash(&member.email_address)).collect();
    let known: BTreeMap<String, Member> = ctx.members(&ids).await?.into_iter().map(|member| (member.remote_id.clone(), member)).collect();
    let none = Vec::new();
    let mut findings = Vec::new();
    for (member, id) in shown.iter().zip(ids) {
        if met.insert(id.clone()) {
            findings.push(judge(member, known.get(&id), holders.get(&id).unwrap_or(&none), id));
        }
    }
    Ok(findings)
}

fn judge(member: &WireMember, known: Option<&Member>, holders: &[Profile], id: String) -> Finding {
    let speaker = holders.iter().find(|person| person.consented().is_some());
    let delivered_for = known.and_then(|known| known.supporter_id);
    let person = speaker.or_else(|| holders.iter().find(|person| Some(person.supporter_id) == delivered_for)).or_else(|| holders.first());
    let supporter_id = person.map(|person| person.supporter_id).or(delivered_for);
    let is_in = ["subscribed", "pending"].contains(&member.status.as_str());
    let is_ours = known.is_some_and(|known| known.subscribed_by_us);
    let why = || match (person.and_then(Profile::refusal), delivered_for) {
        (Some(refusal), _) => refusal,
        (None, Some(supporter)) => format!("supporter {supporter} has another address now"),
        (None, None) => "no supporter has this address".to_owned(),
    };
    let (kind, detail) = match speaker {
        Some(_) if is_out_word(&member.status) => {
            ("left", "consented here, but left there; respected until they come back by a form".to_owned())
        }
        Some(_) => ("ok", "consented here, and there".to_owned()),
        None if is_in && is_ours => ("without_consent", format!("subscribed by us: {}", why())),
        None if is_out_word(&member.status) && delivered_for.is_some() => ("left", why()),
        None => ("foreign", format!("not ours, and left alone: {}", why())),
    };
    Finding { kind, supporter_id, remote_id: Some(id), remote_status: Some(member.status.clone()), detail }
}

/// Consented supporters who are not there at all.
async fn missing(ctx: &PluginContext, seen: &HashSet<String>) -> Result<Vec<Finding>, PluginError> {
    let (mut findings, mut after) = (Vec::new(), i64::MIN);
    loop {
        let people = ctx.people_after(after, PEOPLE).await?;
        let Some(last) = people.last() else { return Ok(findings) };
        after = last.change_seq;
        let absent = people.iter().filter(|person| person.consented().is_some_and(|address| !seen.contains(&hash_of(address))));
        let absent: Vec<i64> = absent.map(|person| person.supporter_id).collect();
        let ledger = ctx.ledger(&absent).await?;
        findings.extend(absent.into_iter().map(|id| {
            let row = ledger.get(&id);
            let detail = row.map_or_else(
                || "consented here, and not delivered yet".to_owned(),
                |row| format!("consented here; {}: {}", row.state, row.reason.as_deref().unwrap_or("no reason is known")),
            );
            Finding { kind: "missing", supporter_id: Some(id), remote_id: None, remote_status: None, detail }
        }));
    }
}
