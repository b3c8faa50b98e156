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
        self.met
            .extend(members.iter().map(|member| hash(&member.email_address)));
        self.place.edge = members
            .iter()
            .filter_map(|member| member.last_changed)
            .chain(self.place.edge)
            .max();
        let read = self.ask + members.len() as u64;
        let most = *self.most.get_or_insert(total + CHASE * PAGE);
        if members.is_empty() || read >= total || read >= most {
            let met = self.base + self.met.len() as u64;
            self.end = Some(if met >= total.min(most) {
                End::Whole(self.place.edge)
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
mod tests {
    use super::*;
    use crate::integrations::mailchimp::tests::day;
    use std::collections::BTreeSet;

    /// A list as Mailchimp has it: people and when they changed, the longest unchanged first.
    struct List {
        people: Vec<(i64, i64)>,
        clock: i64,
    }

    impl List {
        fn of(count: i64, moment: impl Fn(i64) -> i64) -> List {
            List {
                people: (0..count).map(|number| (number, moment(number))).collect(),
                clock: 1_000_000,
            }
        }

        fn change(&mut self, number: i64) {
            self.people.retain(|(one, _)| *one != number);
            self.clock += 1;
            self.people.push((number, self.clock));
        }

        fn leave(&mut self, number: i64) {
            self.people.retain(|(one, _)| *one != number);
        }

        fn page(&self, offset: u64) -> Vec<WireMember> {
            let member = |(number, at): &(i64, i64)| WireMember {
                email_address: format!("p{number}@x.org"),
                last_changed: Some(day(1) + chrono::TimeDelta::seconds(*at)),
                ..WireMember::default()
            };
            self.people
                .iter()
                .skip(usize::try_from(offset).unwrap())
                .take(1_000)
                .map(member)
                .collect()
        }
    }

    /// Reads a list that moves before each page; answers with how it ended, who was shown as they
    /// are now, and in how many pages.
    fn walk(
        walk: Walk,
        list: &mut List,
        moves: impl FnMut(u64, &mut List),
        pages: u64,
    ) -> (Walk, BTreeSet<(String, Time)>, u64) {
        walk_again(walk, list, moves, pages, &BTreeSet::new())
    }

    /// The same with a mirror that knows some as they are.
    fn walk_again(
        mut walk: Walk,
        list: &mut List,
        mut moves: impl FnMut(u64, &mut List),
        pages: u64,
        mirror: &BTreeSet<(String, Time)>,
    ) -> (Walk, BTreeSet<(String, Time)>, u64) {
        let mut shown = BTreeSet::new();
        for page in 0..pages {
            moves(page, list);
            let members = list.page(walk.ask);
            let known = members.first().is_some_and(|first| {
                let at = first.last_changed;
                at == walk.place.edge
                    && at.is_some_and(|at| mirror.contains(&(first.email_address.clone(), at)))
            });
            if walk.note(&members, list.people.len() as u64, Some(day(5)), known) {
                shown.extend(
                    members
                        .into_iter()
                        .map(|member| (member.email_address, member.last_changed.unwrap())),
                );
            }
            if walk.end.is_some() {
                return (walk, shown, page + 1);
            }
        }
        (walk, shown, pages)
    }

    fn all(list: &List) -> BTreeSet<(String, Time)> {
        let one = |(number, at): &(i64, i64)| {
            (
                format!("p{number}@x.org"),
                day(1) + chrono::TimeDelta::seconds(*at),
            )
        };
        list.people.iter().map(one).collect()
    }

    #[test]
    fn a_list_that_stands_still_is_read_once() {
        for (count, pages) in [(0, 1), (9, 1), (1_000, 1), (1_200, 2), (5_900, 7)] {
            for spread in [1, 5_000, 1_000_000] {
                let mut list = List::of(count, |number| number / spread);
                let (walk, shown, took) =
                    walk(Walk::new(None, None, None), &mut list, |_, _| {}, 99);
                assert!(matches!(walk.end(), End::Whole(_)), "{count}");
                assert_eq!((shown, took), (all(&list), pages), "{count} by {spread}");
            }
        }
    }

    #[test]
    fn nobody_is_missed_in_a_list_that_moves_while_it_is_read() {
        // One moment for all of them: as after an import.
        for spread in [1, 10_000] {
            for jump in [1, 20, 300, 2_000] {
                let mut list = List::of(6_000, |number| number / spread);
                let moves = |page: u64, list: &mut List| {
                    for one in 0..if page < 4 { jump } else { 1 } {
                        let number = (i64::try_from(page).unwrap() * 977 + one * 7) % 6_000;
                        if one % 5 == 0 {
                            list.leave(number)
                        } else {
                            list.change(number)
                        }
                    }
                };
                let (walk, shown, took) = walk(Walk::new(None, None, None), &mut list, moves, 99);
                assert!(matches!(walk.end(), End::Whole(_)), "{jump} by {spread}");
                assert!(
                    shown.is_superset(&all(&list)),
                    "{jump} by {spread}: {took} pages"
                );
                assert!(took < 20, "{jump} by {spread}: {took} pages");
            }
        }
    }

    #[test]
    fn a_list_that_was_read_before_and_moves_fast_is_read_whole() {
        for jump in [20, 300, 800] {
            let mut list = List::of(6_000, |number| number / 10_000);
            let before = all(&list);
            let moves = |page: u64, list: &mut List| {
                for one in 0..if page < 6 { jump } else { 1 } {
                    list.change((i64::try_from(page).unwrap() * 977 + one) % 6_000);
                }
            };
            let new = Walk::new(None, None, None);
            let (walk, shown, _) = walk_again(new, &mut list, moves, 99, &before);
            assert!(matches!(walk.end(), End::Whole(_)), "{jump}");
            assert!(shown.is_superset(&all(&list)), "{jump}");
        }
    }

    #[test]
    fn a_walk_that_was_cut_off_goes_on_where_it_was() {
        let mut list = List::of(6_000, |number| number);
        let (cut, mut shown, _) = walk(Walk::new(None, None, None), &mut list, |_, _| {}, 4);
        (100..130).for_each(|number| list.change(number));
        let (on, more, took) = walk(
            Walk::new(None, None, Some(cut.place())),
            &mut list,
            |_, _| {},
            99,
        );
        shown.extend(more);
        assert!(matches!(on.end(), End::Whole(_)) && shown.is_superset(&all(&list)));
        assert!(took <= 3, "{took}");
        let other = Walk::new(None, Some(day(1)), Some(cut.place()));
        assert_eq!(other.ask, 0, "the place of another walk is none");
    }

    #[test]
    fn a_list_that_shows_fewer_than_it_counts_was_not_read_whole() {
        let mut walk = Walk::new(None, None, None);
        let list = List::of(1_500, |number| number);
        walk.note(&list.page(0), 1_500, None, false);
        walk.note(&list.page(950)[..500], 1_450, None, false);
        assert_eq!(
            walk.end(),
            End::Whole(Some(day(1) + chrono::TimeDelta::seconds(1_449)))
        );
        let mut walk = Walk::new(None, None, None);
        walk.note(&list.page(0)[..400], 1_500, None, false);
        walk.note(&[], 1_500, None, false);
        walk.note(&[], 1_500, None, false);
        assert_eq!(walk.end(), End::Moved);
    }
}
