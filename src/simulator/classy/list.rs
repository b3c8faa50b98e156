//! A list of records by id, and the ways in which it can be filtered, sorted and paged: live, without a snapshot.

use super::grammar::{Condition, Sort};
use crate::simulator::world::Record;
use std::cmp::Ordering;

/// Records of one kind, by id.
#[derive(Debug, Default)]
pub struct List {
    records: Vec<Record>,
}

impl List {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// All of them, by id.
    pub fn iter(&self) -> std::slice::Iter<'_, Record> {
        self.records.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Record> {
        self.records.iter_mut()
    }

    /// One by id.
    pub fn get(&self, id: i64) -> Option<&Record> {
        self.position(id).ok().map(|index| &self.records[index])
    }

    /// One by id, to be changed.
    pub fn get_mut(&mut self, id: i64) -> Option<&mut Record> {
        self.position(id).ok().map(|index| &mut self.records[index])
    }

    /// The record at a place, by id.
    pub fn nth(&self, index: usize) -> Option<&Record> {
        self.records.get(index)
    }

    /// Adds a record, or puts it in the place of the one with its id.
    pub fn put(&mut self, record: Record) {
        match self.position(record.id) {
            Ok(index) => self.records[index] = record,
            Err(index) => self.records.insert(index, record),
        }
    }

    /// Takes a record out: hard, without a trace, as the source does.
    pub fn remove(&mut self, id: i64) -> Option<Record> {
        self.position(id).ok().map(|index| self.records.remove(index))
    }

    fn position(&self, id: i64) -> Result<usize, usize> {
        self.records.binary_search_by_key(&id, |record| record.id)
    }

    /// One page (from 1) of what matches, and how many match.
    pub(super) fn page(&self, conditions: &[Condition], sort: &[Sort], page: usize, per_page: usize, now: i64) -> (Vec<&Record>, usize) {
        let skip = (page - 1).saturating_mul(per_page);
        let visible = |record: &&Record| record.visible_at <= now;
        if conditions.is_empty()
            && matches!(sort, [Sort { field, descending: false }] if field == "id")
            && self.records.iter().all(|record| visible(&record))
        {
            return (self.records.iter().skip(skip).take(per_page).collect(), self.records.len());
        }
        let mut matching: Vec<&Record> =
            self.records.iter().filter(visible).filter(|record| conditions.iter().all(|condition| condition.holds(record))).collect();
        if sort.len() == 1 && sort[0].field == "updated_at" {
            // Among equals the order is whatever it is: by no rule that a client could rely on.
            matching.sort_unstable_by_key(|record| (record.updated_at, crate::simulator::fault::mix(record.id as u64)));
            if sort[0].descending {
                matching.reverse();
            }
        } else {
            matching.sort_by(|a, b| {
                sort.iter().map(|sort| sort.compare(a, b)).find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
            });
        }
        let total = matching.len();
        (matching.into_iter().skip(skip).take(per_page).collect(), total)
    }
}

/// A moment as the API writes it: `2025-05-29T17:45:43+0000`.
pub(in crate::simulator) fn clock_text(seconds: i64) -> String {
    let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    at.format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}
