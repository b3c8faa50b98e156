//! Those who wait, by organization: one of each in turn, so that one with a thousand requests does
//! not go before all others.

use std::collections::{HashMap, VecDeque};

/// A queue for each organization, and the order of their turns.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    waiting: HashMap<i64, VecDeque<T>>,
    turns: VecDeque<i64>,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        FairQueue {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
        }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn push(&mut self, organization: i64, one: T) {
        let queue = self.waiting.entry(organization).or_default();
        queue.push_back(one);
        if queue.len() == 1 {
            self.turns.push_back(organization);
        }
    }

    /// The next of the organization with the least of something; of several the one whose turn it
    /// is.
    pub(super) fn pop(&mut self, least: impl Fn(i64) -> usize) -> Option<(i64, T)> {
        let place = (0..self.turns.len()).min_by_key(|place| least(self.turns[*place]))?;
        let organization = self.turns.remove(place)?;
        let queue = self.waiting.get_mut(&organization)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&organization);
        } else {
            self.turns.push_back(organization);
        }
        Some((organization, next?))
    }

    /// The first in turn, left where it is.
    pub(super) fn peek(&self) -> Option<&T> {
        self.waiting.get(self.turns.front()?)?.front()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Organizations of which somebody waits.
    pub(super) fn organizations(&self) -> impl Iterator<Item = i64> {
        self.turns.iter().copied()
    }
}
