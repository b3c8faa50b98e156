//! A walk through a list of members that may move meanwhile: page by page, the longest unchanged
//! first.
//!
//! Whoever changes goes to the end of the list, and whoever leaves it makes it shorter: both only
//! draw the others forward. So each page begins a little before the end of the one before, and a
//! page that does not begin among what was read already is asked for further ahead. A list that
//! moves is read once, and what changed is met at its end; a walk that is cut off goes on where it
//! was.

use super::member::hash;
use crate::domain::Time;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::{Api, PAGE};
use crate::plugin::{PluginContext, PluginError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// How often a list is read again that showed fewer than it says there are.
pub(crate) const READINGS: u32 = 3;

/// So many of what was read are asked for once more with the next page.
const LAP: u64 = 50;

/// Beyond so many pages more than there were at the beginning, what changes meanwhile is left to
/// the next look.
const CHASE: u64 = 5;

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everybody was met; everything that changed before this moment is known.
    Whole(Option<Time>),
    /// Fewer were met than there are: the list did not keep its order.
    Moved,
}

/// How far a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListPosition {
    /// What the walk asks for.
    since: Option<Time>,
    /// So many of the list were read.
    offset: u64,
    /// When the last of them had changed. Whoever changed earlier was read.
    edge: Option<Time>,
}

/// One walk.
pub(crate) struct Walk {
    status: Option<&'static str>,
    place: ListPosition,
    /// Where the next page begins.
    ask: u64,
    /// Read before this walk went on, and not asked for again.
    base: u64,
    met: HashSet<String>,
    most: Option<u64>,
    begun: Option<Time>,
    end: Option<End>,
}

impl Walk {
    /// Of members with a status (none: all but the archived ones) that changed since a moment;
    /// `from`: where an earlier walk of the same kind was cut off.
    pub(crate) fn new(
        status: Option<&'static str>,
        since: Option<Time>,
        from: Option<ListPosition>,
    ) -> Walk {
        let place = from
            .filter(|from| from.since == since)
            .unwrap_or(ListPosition {
                since,
                offset: 0,
                edge: None,
            });
        let ask = place.offset.saturating_sub(LAP);
        Walk {
            status,
            place,
            ask,
            base: ask,
            met: HashSet::new(),
            most: None,
            begun: None,
            end: None,
        }
    }

    /// The next page; `None` at the end. Blank when it was asked for too late in the list.
    pub(crate) async fn next(
        &mut self,
        api: &Api,
        ctx: &PluginContext,
    ) -> Result<Option<Vec<WireMember>>, PluginError> {
        if self.end.is_some() {
            return Ok(None);
        }
        ctx.go_on()?;
        ctx.mark();
        let asked = api.members(self.status, self.place.since, self.ask).await;
        let (page, date) =
            asked.map_err(|failure| failure.into_error("reading the audience's members"))?;
        let known = match page
            .members
            .first()
            .filter(|first| first.last_changed == self.place.edge)
        {
            Some(first) => is_known(ctx, first).await?,
            None => false,
        };
        let goes_on = self.note(&page.members, page.total_items, date, known);
        Ok(Some(if goes_on { page.members } else { Vec::new() }))
    }

    /// How far it is.
    pub(crate) const fn place(&self) -> ListPosition {
        self.place
    }

    /// The ids of those whom it showed; `None` of a walk that went on where an earlier one was cut
    /// off, which showed others before.
    pub(crate) fn shown(&self) -> Option<&HashSet<String>> {
        (self.base == 0).then_some(&self.met)
    }

    /// When Mailchimp answered first, by its clock.
    pub(crate) const fn begun(&self) -> Option<Time> {
        self.begun
    }

    /// Whether there is no page left.
    pub(crate) const fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// How it ended; a walk that was not finished did not see everybody.
    pub(crate) fn end(&self) -> End {
        self.end.unwrap_or(End::Moved)
    }

    /// Up to when everything is known: to the last change that was shown. One that is dated later
    /// than Mailchimp's own clock says nothing of what comes until then.
    fn reached(&self) -> Option<Time> {
        let edge = self.place.edge?;
        Some(self.begun.map_or(edge, |begun| edge.min(begun)))
    }

    /// Takes a page in; answers whether it joins what was read before. `known`: its first is known
    /// as it is.
    ///
    /// What is known tells only where a walk that was cut off goes on. Within a walk it may have
    /// been read by an earlier one, and those before it were not met by this one.
    fn note(
        &mut self,
        members: &[WireMember],
        total: u64,
        date: Option<Time>,
        known: bool,
    ) -> bool {
        self.begun = self.begun.or(date);
        let joins = self.ask == 0
            || members.first().is_some_and(|first| {
                (known && self.met.is_empty())
                    || self.met.contains(&hash(&first.email_address))
                    || first
                        .last_changed
                        .is_some_and(|at| Some(at) < self.place.edge)
            });
        if !joins {
            self.ask = self.ask.min(total).saturating_sub(PAGE - LAP);
            // What is read once more counts once.
            self.base = self.base.min(self.ask);
            return false;
        }
        let met_before = self.met.len();
        self.met
            .extend(members.iter().map(|member| hash(&member.email_address)));
        self.place.edge = members
            .iter()
            .filter_map(|member| member.last_changed)
            .chain(self.place.edge)
            .max();
        let read = self.ask + members.len() as u64;
        let most = *self.most.get_or_insert(total + CHASE * PAGE);
        // A page of people who were met already, and no more of them than before, is the last one,
        // whatever the list counts.
        let brings_nothing = self.met.len() == met_before && read <= self.place.offset;
        if brings_nothing || read >= total || read >= most {
            let met = self.base + self.met.len() as u64;
            self.end = Some(if met >= total.min(most) {
                End::Whole(self.reached())
            } else {
                End::Moved
            });
        }
        // What went on to the end meanwhile made room before.
        self.place.offset = read;
        self.ask = read.saturating_sub(LAP);
        true
    }
}

/// Whether the mirror has a member exactly as it is shown.
pub(crate) async fn is_known(
    ctx: &PluginContext,
    member: &WireMember,
) -> Result<bool, PluginError> {
    let known = ctx.members(&[hash(&member.email_address)]).await?;
    Ok(known.first().is_some_and(|known| {
        known.last_seen_at.is_some() && known.last_seen_at == member.last_changed
    }))
}

#[cfg(test)]
mod tests;
