//! A walk through a list of members that may move meanwhile: page by page, and at the end whether anybody can have been missed.

use super::api::{Api, PAGE};
use super::member::hash;
use super::wire::WireMember;
use crate::domain::Time;
use crate::plugin::{PluginContext, PluginError};
use std::collections::HashSet;

/// How often a list that moves while it is read is read again.
pub(super) const READINGS: u32 = 5;

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Everybody was met; everything that changed before this moment is known.
    Whole(Option<Time>),
    /// Fewer were met than there are, or the list became shorter: somebody may have slipped from one page to another.
    Moved,
}

/// One walk.
pub(super) struct Walk {
    status: Option<&'static str>,
    since: Option<Time>,
    met: HashSet<String>,
    offset: u64,
    total: Option<u64>,
    latest: Option<Time>,
    begun: Option<Time>,
    end: Option<End>,
}

impl Walk {
    /// Of members with a status (none: all but the archived ones) that changed since a moment.
    pub(super) fn new(status: Option<&'static str>, since: Option<Time>) -> Walk {
        Walk { status, since, met: HashSet::new(), offset: 0, total: None, latest: None, begun: None, end: None }
    }

    /// The next page; `None` at the end.
    pub(super) async fn next(&mut self, api: &Api, ctx: &PluginContext) -> Result<Option<Vec<WireMember>>, PluginError> {
        if self.end.is_some() {
            return Ok(None);
        }
        ctx.go_on()?;
        ctx.mark();
        let asked = api.members(self.status, self.since, self.offset).await;
        let (page, date) = asked.map_err(|failure| failure.into_error("reading the audience's members"))?;
        self.note(&page.members, page.total_items, date);
        Ok(Some(page.members))
    }

    /// How it ended; a walk that was not finished did not see everybody.
    pub(super) fn end(&self) -> End {
        self.end.unwrap_or(End::Moved)
    }

    fn note(&mut self, members: &[WireMember], total: u64, date: Option<Time>) {
        if self.total.is_some_and(|before| total < before) {
            self.end = Some(End::Moved);
        }
        self.total = Some(total);
        self.begun = self.begun.or(date);
        self.latest = members.iter().filter_map(|member| member.last_changed).chain(self.latest).max();
        self.met.extend(members.iter().map(|member| hash(&member.email_address)));
        self.offset += members.len() as u64;
        if self.end.is_none() && (members.is_empty() || self.offset >= total) {
            // What changed while a second page was read may be dated before the last that was seen.
            let reached = if self.offset > PAGE { self.latest.min(self.begun.or(self.latest)) } else { self.latest };
            let is_whole = self.met.len() as u64 >= total;
            self.end = Some(if is_whole { End::Whole(reached) } else { End::Moved });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::day;
    use super::*;

    fn page(numbers: std::ops::Range<i64>) -> Vec<WireMember> {
        let member = |number: i64| WireMember {
            email_address: format!("p{number}@x.org"),
            last_changed: Some(day(number)),
            ..WireMember::default()
        };
        numbers.map(member).collect()
    }

    fn walk(pages: &[(std::ops::Range<i64>, u64)]) -> End {
        let mut walk = Walk::new(None, None);
        for (numbers, total) in pages {
            assert!(walk.end.is_none(), "it ended too early");
            walk.note(&page(numbers.clone()), *total, Some(day(5)));
        }
        walk.end()
    }

    #[test]
    fn a_list_that_stands_still_is_read_whole() {
        assert_eq!(walk(&[(0..0, 0)]), End::Whole(None));
        assert_eq!(walk(&[(0..9, 9)]), End::Whole(Some(day(8))));
        assert_eq!(walk(&[(0..1_000, 1_200), (1_000..1_200, 1_200)]), End::Whole(Some(day(5))), "not later than the walk began");
    }

    #[test]
    fn somebody_who_slipped_away_between_two_pages_is_noticed() {
        // One of the first page changed and went to the end, so the one at the edge slipped to the page that was read already.
        assert_eq!(walk(&[(0..1_000, 1_200), (1_001..1_200, 1_200), (5..6, 1_200)]), End::Moved);
        // One of the first page was archived.
        assert_eq!(walk(&[(0..1_000, 1_200), (1_001..1_200, 1_199)]), End::Moved);
    }
}
