//! The records of one kind by id, and the replica that answers for them: some changes reach it
//! late, and until then it serves what was before.

use super::grammar::{Condition, Sort};
use super::order::Order;
use crate::simulator::record::Record;

/// Orders that are kept for later requests.
const ORDERS: usize = 4;

/// Records of one kind, by id.
#[derive(Debug, Default)]
pub struct List {
    records: Vec<Record>,
    late: Vec<Late>,
    orders: Vec<Order>,
    /// Places of records that may have changed since the orders were made.
    touched: Vec<u32>,
}

/// What the replica does not know yet.
#[derive(Debug)]
struct Late {
    id: i64,
    until: i64,
    /// What it serves meanwhile; nothing for a new record.
    before: Option<Record>,
}

impl List {
    /// A list of records that are in the order of their ids.
    pub(in crate::simulator) fn new(records: Vec<Record>) -> List {
        List {
            records,
            ..List::default()
        }
    }

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
        self.forget_orders();
        self.records.iter_mut()
    }

    /// One by id.
    pub fn get(&self, id: i64) -> Option<&Record> {
        self.position(id).ok().map(|index| &self.records[index])
    }

    /// One by id, to be changed.
    pub fn get_mut(&mut self, id: i64) -> Option<&mut Record> {
        let index = self.position(id).ok()?;
        self.touch(index);
        self.records.get_mut(index)
    }

    /// The record at a place, by id.
    pub fn nth(&self, index: usize) -> Option<&Record> {
        self.records.get(index)
    }

    /// Adds a record, or puts it in the place of the one with its id.
    pub fn put(&mut self, record: Record) {
        match self.position(record.id) {
            Ok(index) => {
                self.touch(index);
                self.records[index] = record;
            }
            Err(index) if index == self.records.len() => {
                self.touch(index);
                self.records.push(record);
            }
            Err(index) => {
                self.forget_orders();
                self.records.insert(index, record);
            }
        }
    }

    /// Takes a record out: hard, without a trace, as the source does.
    pub fn remove(&mut self, id: i64) -> Option<Record> {
        let index = self.position(id).ok()?;
        self.forget_orders();
        self.late.retain(|late| late.id != id);
        Some(self.records.remove(index))
    }

    /// Until a second the replica goes on serving this record as it is now, or as absent when it is
    /// not there yet.
    pub(in crate::simulator) fn keep_serving(&mut self, id: i64, until: i64) {
        let before = self.get(id).cloned();
        self.late.push(Late { id, until, before });
    }

    /// The record as the replica serves it.
    pub(super) fn served(&self, id: i64) -> Option<&Record> {
        self.position(id).ok().and_then(|index| self.serve(index))
    }

    /// How many records of a list there are that meet the conditions, and the ids of one page of
    /// them (from 1). Among equals the order is another one for each `dice`, so that only an order
    /// by id makes pages that fit together.
    pub(super) fn page(&mut self, ask: &Ask<'_>, dice: u64) -> (usize, Vec<i64>) {
        let order = match self.orders.iter().position(|order| order.by() == ask.sort) {
            Some(index) => self.orders.remove(index),
            None => Order::new(ask.sort, self.records.len(), |place| self.serve(place)),
        };
        let found = order.page(ask, dice, |place| self.serve(place));
        self.orders.truncate(ORDERS - 1);
        self.orders.insert(0, order);
        found
    }

    /// The replica learns what it is to know by now.
    pub(super) fn catch_up(&mut self, now: i64) {
        let known: Vec<i64> = self
            .late
            .extract_if(.., |late| late.until <= now)
            .map(|late| late.id)
            .collect();
        for id in known {
            if let Ok(index) = self.position(id) {
                self.touch(index);
            }
        }
        if self.touched.len() > self.records.len() / 16 {
            self.forget_orders();
        }
        if !self.touched.is_empty() {
            let mut touched = std::mem::take(&mut self.touched);
            touched.sort_unstable();
            touched.dedup();
            let mut orders = std::mem::take(&mut self.orders);
            orders
                .iter_mut()
                .for_each(|order| order.repair(&touched, |place| self.serve(place)));
            self.orders = orders;
        }
    }

    fn touch(&mut self, index: usize) {
        if !self.orders.is_empty() {
            self.touched.push(index as u32);
        }
    }

    fn forget_orders(&mut self) {
        self.orders.clear();
        self.touched.clear();
    }

    fn serve(&self, index: usize) -> Option<&Record> {
        let record = &self.records[index];
        match self.late.iter().find(|late| late.id == record.id) {
            Some(late) => late.before.as_ref(),
            None => Some(record),
        }
    }

    fn position(&self, id: i64) -> Result<usize, usize> {
        self.records.binary_search_by_key(&id, |record| record.id)
    }
}

/// What a request wants of a list.
pub(super) struct Ask<'a> {
    pub(super) conditions: &'a [Condition],
    pub(super) sort: &'a [Sort],
    pub(super) page: usize,
    pub(super) per_page: usize,
}
