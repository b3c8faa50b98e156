//! A list that moves while it is read is read whole, and what cannot be read whole is noticed.

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
            let (walk, shown, took) = walk(Walk::new(None, None, None), &mut list, |_, _| {}, 99);
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
fn a_list_that_counts_one_more_than_it_shows_ends() {
    for count in [0, 9, 1_000, 1_500] {
        let list = List::of(count, |number| number);
        let mut walk = Walk::new(None, None, None);
        let mut pages = 0;
        while walk.end.is_none() {
            let members = list.page(walk.ask);
            walk.note(&members, list.people.len() as u64 + 1, Some(day(5)), false);
            pages += 1;
            assert!(pages < 9, "{count}");
        }
        assert_eq!(walk.end(), End::Moved, "{count}");
    }
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
