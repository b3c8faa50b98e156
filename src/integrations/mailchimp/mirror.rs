//! The mirror is brought up to date: who changed since the last look, page by page; who left is remembered, and whoever changed in a way
//! that matters is looked at again.

use super::api::Api;
use super::listing::{End, READINGS, Walk};
use super::member::{MOVED, hash, is_out_word, seen};
use super::renamed;
use super::tags::Managed;
use super::wire::WireMember;
use crate::domain::{Address, Member, Time};
use crate::plugin::{Left, PluginContext, PluginError};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Read again before the place that was reached: Mailchimp shows a change a while after it dates it.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

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
            let mut walk = Walk::new(status, self.since);
            while let Some(members) = walk.next(self.api, self.ctx).await? {
                self.apply(&members).await?;
            }
            if let End::Whole(reached) = walk.end() {
                return Ok(reached);
            }
        }
        Err(PluginError::Unavailable("the audience changes faster than it can be read".to_owned()))
    }

    async fn apply(&self, members: &[WireMember]) -> Result<(), PluginError> {
        let shown: Vec<&WireMember> = members.iter().filter(|member| is_somebody(member)).collect();
        let ids: Vec<String> = shown.iter().map(|member| hash(&member.email_address)).collect();
        let known: BTreeMap<String, Member> =
            self.ctx.members(&ids).await?.into_iter().map(|member| (member.remote_id.clone(), member)).collect();
        let mut renamed = renamed::find(self.api, self.ctx, &shown).await?;
        let mut changes = Changes::default();
        for (wire, id) in shown.iter().zip(&ids) {
            let before = renamed.remove(id);
            changes.note(wire, known.get(id), before.as_ref(), self.managed, self.ctx.now());
        }
        self.ctx.save_members(&changes.members.into_values().collect::<Vec<_>>(), &changes.left).await?;
        let mut due: BTreeSet<i64> = changes.due;
        // At the first look nobody was delivered yet.
        if self.since.is_some() && !changes.strangers.is_empty() {
            due.extend(self.ctx.profiles_at(&changes.strangers).await?.into_iter().map(|person| person.supporter_id));
        }
        self.ctx.make_due(&due.into_iter().collect::<Vec<_>>()).await
    }
}

/// Erased contacts are shown under an address that is nobody's.
pub(super) fn is_somebody(member: &WireMember) -> bool {
    let address = member.email_address.to_lowercase();
    address.contains('@') && !address.ends_with("@forgotten.mailchimp.com")
}

/// What a page changes.
#[derive(Default)]
struct Changes {
    members: BTreeMap<String, Member>,
    left: Vec<Left>,
    /// Supporters whose member is not as we left it.
    due: BTreeSet<i64>,
    /// Addresses of members that belong to no supporter yet.
    strangers: BTreeSet<Address>,
}

impl Changes {
    /// A member who is shown, as it was known by its address, and as it was known under an earlier one.
    fn note(&mut self, wire: &WireMember, old: Option<&Member>, earlier: Option<&Member>, managed: &Managed, now: Time) {
        let is_stale = old.and_then(|old| old.last_seen_at).zip(wire.last_changed).is_some_and(|(known, shown)| shown < known);
        let mut new = seen(wire, old.or(earlier), managed, now);
        if let Some(earlier) = earlier {
            new.supporter_id = new.supporter_id.or(earlier.supporter_id);
            new.subscribed_by_us |= earlier.subscribed_by_us && !is_out_word(&new.remote_status);
            self.give_up(earlier, now);
        }
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
        self.members.insert(new.remote_id.clone(), new);
    }

    /// An address whose contact has another one now.
    fn give_up(&mut self, earlier: &Member, now: Time) {
        let given_up = Member {
            remote_status: MOVED.to_owned(),
            managed_tags: BTreeSet::new(),
            subscribed_by_us: false,
            ever_left_at: earlier.ever_left_at.or(Some(now)),
            ..earlier.clone()
        };
        self.due.extend(given_up.supporter_id);
        self.left.extend(left(Some(earlier), &given_up));
        self.members.insert(given_up.remote_id.clone(), given_up);
    }
}

/// Evidence that somebody of ours left.
pub(super) fn left(old: Option<&Member>, new: &Member) -> Option<Left> {
    let was_in = old.is_some_and(|old| !is_out_word(&old.remote_status));
    let supporter_id = new.supporter_id.filter(|_| was_in && is_out_word(&new.remote_status))?;
    Some(Left { supporter_id, status: new.remote_status.clone(), at: new.last_seen_at })
}
