//! An order of a list, kept between requests: what changed is moved to its new place, and a
//! condition on what it is ordered by costs two searches instead of a look at every record.

use super::grammar::{Condition, Sort};
use super::list::Ask;
use super::value::Value;
use crate::simulator::fault::mix;
use crate::simulator::record::Record;
use std::cmp::Ordering;

/// Places of a list's records, in an order.
#[derive(Debug)]
pub(super) struct Order {
    by: Vec<Sort>,
    places: Vec<u32>,
}

fn compare(by: &[Sort], a: &Record, b: &Record) -> Ordering {
    by.iter()
        .map(|key| key.compare(a, b))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Order {
    /// Orders the records that are served at `count` places.
    pub(super) fn new<'a>(
        by: &[Sort],
        count: usize,
        serve: impl Fn(usize) -> Option<&'a Record>,
    ) -> Order {
        // The first key is looked up once for each record, the others only among equals.
        let first = |record: &'a Record| by.first().map_or(Value::Null, |key| key.of(record));
        let directed = |order: Ordering| by.first().map_or(order, |key| key.directed(order));
        let served = (0..count)
            .filter_map(|place| serve(place).map(|record| (first(record), place as u32, record)));
        let mut served: Vec<(Value<'_>, u32, &Record)> = served.collect();
        served.sort_by(|(a, _, one), (b, _, other)| {
            directed(a.compare(b)).then_with(|| compare(by, one, other))
        });
        Order {
            by: by.to_vec(),
            places: served.into_iter().map(|(_, place, _)| place).collect(),
        }
    }

    pub(super) fn by(&self) -> &[Sort] {
        &self.by
    }

    /// Moves what is at these places (sorted) to where it belongs now.
    pub(super) fn repair<'a>(
        &mut self,
        touched: &[u32],
        serve: impl Fn(usize) -> Option<&'a Record>,
    ) {
        self.places
            .retain(|place| touched.binary_search(place).is_err());
        for place in touched {
            let Some(record) = serve(*place as usize) else {
                continue;
            };
            let before = |other: &u32| {
                serve(*other as usize).is_some_and(|other| compare(&self.by, other, record).is_lt())
            };
            let index = self.places.partition_point(before);
            self.places.insert(index, *place);
        }
    }

    /// How many records meet the conditions, and the ids of one page of them.
    pub(super) fn page<'a>(
        &self,
        ask: &Ask<'_>,
        dice: u64,
        serve: impl Fn(usize) -> Option<&'a Record>,
    ) -> (usize, Vec<i64>) {
        let holds = |condition: &Condition, place: &u32| {
            serve(*place as usize).is_some_and(|record| condition.holds(record))
        };
        let mut within = self.places.as_slice();
        let mut others = Vec::new();
        for condition in ask.conditions {
            match self.by.first() {
                Some(key) if condition.is_lower_bound_of(key) && key.descending => {
                    within = &within[..within.partition_point(|place| holds(condition, place))];
                }
                Some(key) if condition.is_lower_bound_of(key) => {
                    within = &within[within.partition_point(|place| !holds(condition, place))..];
                }
                _ => others.push(condition),
            }
        }
        let sifted: Vec<u32>;
        if !others.is_empty() {
            sifted = within
                .iter()
                .filter(|place| others.iter().all(|condition| holds(condition, place)))
                .copied()
                .collect();
            within = &sifted;
        }
        let begin = (ask.page - 1)
            .saturating_mul(ask.per_page)
            .min(within.len());
        let end = begin.saturating_add(ask.per_page).min(within.len());
        (within.len(), self.window(within, begin, end, dice, serve))
    }

    /// What lies between two places of an order, with every group of equals that reaches in
    /// shuffled as a whole.
    fn window<'a>(
        &self,
        within: &[u32],
        begin: usize,
        end: usize,
        dice: u64,
        serve: impl Fn(usize) -> Option<&'a Record>,
    ) -> Vec<i64> {
        if begin == end {
            return Vec::new();
        }
        let equal =
            |a: usize, b: usize| match (serve(within[a] as usize), serve(within[b] as usize)) {
                (Some(a), Some(b)) => compare(&self.by, a, b).is_eq(),
                _ => false,
            };
        let first = (0..begin)
            .rev()
            .take_while(|index| equal(*index, begin))
            .last()
            .unwrap_or(begin);
        let last = (end..within.len())
            .take_while(|index| equal(*index, end - 1))
            .last()
            .map_or(end, |index| index + 1);
        let mut found: Vec<&Record> = within[first..last]
            .iter()
            .filter_map(|place| serve(*place as usize))
            .collect();
        for group in found.chunk_by_mut(|a, b| compare(&self.by, a, b).is_eq()) {
            group.sort_unstable_by_key(|record| mix(record.id as u64 ^ dice));
        }
        found
            .into_iter()
            .skip(begin - first)
            .take(end - begin)
            .map(|record| record.id)
            .collect()
    }
}
