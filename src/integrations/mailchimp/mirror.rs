//! The mirror is brought up to date: who changed since the last look, page by page; who left is remembered, and whoever changed in a way
//! that matters is looked at again.

use super::api::{Api, PAGE};
use super::member::{hash, is_out_word, seen};
use super::tags::Managed;
use super::wire::WireMember;
use crate::domain::{Address, Member, Time};
use crate::plugin::{Left, PluginContext, PluginError};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Read again before the place that was reached: Mailchimp shows a change a while after it dates it.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// How often a list that moves while it is read is read again.
const READINGS: u32 = 5;

/// What is remembered from one look to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Remembered {
    /// Everything that changed before is known.
    cursor: Option<Time>,
}

/// Brings it up to date. What is read is kept page by page; the place that was reached only at the end.
pub(super) async fn refresh(api: &Api, managed: &Managed, ctx: &PluginContext) -> Result<(), PluginError> {
    let remembered: Remembered = ctx.state().await?.unwrap_or_default();
    let reader = Reader { api, managed, ctx, since: remembered.cursor.map(|cursor| cursor - OVERLAP) };
    let reached = reader.read(None).await?;
    reader.read(Some("archived")).await?;
    if let Some(cursor) = reached.filter(|reached| remembered.cursor != Some(*reached)) {
        ctx.save_state(&Remembered { cursor: Some(cursor) }).await?;
    }
    Ok(())
}

struct Reader<'a> {
    api: &'a Api,
    managed: &'a Managed,
    ctx: &'a PluginContext,
    since: Option<Time>,
}

impl Reader<'_> {
    /// Reads a list until it was seen whole; answers with the moment up to which everything is known.
    async fn read(&self, status: Option<&'static str>) -> Result<Option<Time>, PluginError> {
        for _ in 0..READINGS {
            if let Some(reached) = self.read_once(status).await? {
                return Ok(reached);
            }
        }
        Err(PluginError::Unavailable("the audience changes faster than it can be read".to_owned()))
    }

    /// `None` when the list moved in a way that may have hidden somebody: fewer were met than there are, or it became shorter.
    async fn read_once(&self, status: Option<&'static str>) -> Result<Option<Option<Time>>, PluginError> {
        let mut met: HashSet<String> = HashSet::new();
        let (mut offset, mut total, mut latest, mut begun) = (0, None, None, None);
        loop {
            self.ctx.go_on()?;
            let asked = self.api.members(status, self.since, offset).await;
            let (page, date) = asked.map_err(|failure| failure.into_error("reading the audience's members"))?;
            if total.is_some_and(|total| page.total_items < total) {
                return Ok(None);
            }
            total = Some(page.total_items);
            begun = begun.or(date);
            latest = page.members.iter().filter_map(|member| member.last_changed).chain(latest).max();
            met.extend(page.members.iter().map(|member| hash(&member.email_address)));
            let count = page.members.len() as u64;
            offset += count;
            self.apply(&page.members).await?;
            if count == 0 || offset >= page.total_items {
                let is_whole = met.len() as u64 >= page.total_items;
                // What changed while a second page was read may be dated before the last that was seen.
                let reached = if offset > PAGE { latest.min(begun.or(latest)) } else { latest };
                return Ok(is_whole.then_some(reached));
            }
        }
    }

    async fn apply(&self, members: &[WireMember]) -> Result<(), PluginError> {
        let shown: Vec<&WireMember> = members.iter().filter(|member| is_somebody(member)).collect();
        let ids: Vec<String> = shown.iter().map(|member| hash(&member.email_address)).collect();
        let known: BTreeMap<String, Member> =
            self.ctx.members(&ids).await?.into_iter().map(|member| (member.remote_id.clone(), member)).collect();
        let mut changes = Changes::default();
        for (wire, id) in shown.iter().zip(&ids) {
            changes.note(wire, known.get(id), self.managed, self.ctx.now());
        }
        self.ctx.save_members(&changes.members, &changes.left).await?;
        let mut due: BTreeSet<i64> = changes.due;
        // At the first look nobody was delivered yet.
        if self.since.is_some() && !changes.strangers.is_empty() {
            due.extend(self.ctx.profiles_at(&changes.strangers).await?.into_iter().map(|person| person.supporter_id));
        }
        self.ctx.make_due(&due.into_iter().collect::<Vec<_>>()).await
    }
}

/// Erased contacts are shown under an address that is nobody's.
fn is_somebody(member: &WireMember) -> bool {
    let address = member.email_address.to_lowercase();
    address.contains('@') && !address.ends_with("@forgotten.mailchimp.com")
}

/// What a page changes.
#[derive(Default)]
struct Changes {
    members: Vec<Member>,
    left: Vec<Left>,
    /// Supporters whose member is not as we left it.
    due: BTreeSet<i64>,
    /// Addresses of members that belong to no supporter yet.
    strangers: BTreeSet<Address>,
}

impl Changes {
    fn note(&mut self, wire: &WireMember, old: Option<&Member>, managed: &Managed, now: Time) {
        let is_stale = old.and_then(|old| old.last_seen_at).zip(wire.last_changed).is_some_and(|(known, shown)| shown < known);
        let new = seen(wire, old, managed, now);
        if is_stale || old == Some(&new) {
            return;
        }
        let same =
            |old: &Member| (&old.remote_status, &old.managed_tags, old.name_hash) == (&new.remote_status, &new.managed_tags, new.name_hash);
        if !old.is_some_and(same) {
            match new.supporter_id {
                Some(supporter) => drop(self.due.insert(supporter)),
                None => self.strangers.extend(Address::parse(&wire.email_address)),
            }
        }
        self.left.extend(left(old, &new));
        self.members.push(new);
    }
}

/// Evidence that somebody of ours left.
pub(super) fn left(old: Option<&Member>, new: &Member) -> Option<Left> {
    let was_in = old.is_some_and(|old| !is_out_word(&old.remote_status));
    let supporter_id = new.supporter_id.filter(|_| was_in && is_out_word(&new.remote_status))?;
    Some(Left { supporter_id, status: new.remote_status.clone(), at: new.last_seen_at })
}
