//! Orders of people: one at a time, its feeds one after the other, parents before children. Equal orders that wait are one.

use crate::actors::{FeedReport, Order, OrganizationReport};
use crate::domain::Entity;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// An order and those who wait for it.
struct Waiting {
    order: Order,
    replies: Vec<oneshot::Sender<OrganizationReport>>,
}

/// The order in hand.
struct Current {
    waiting: Waiting,
    left: VecDeque<Entity>,
    ticket: u64,
    feeds: Vec<FeedReport>,
}

/// What the organization has to do next for its orders.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing: somebody else's run, or no order.
    None,
    /// This feed is to run, with this ticket.
    Run(Entity, Order, u64),
    /// The order is done.
    Done(Vec<FeedReport>, Replies),
}

/// Whoever waits for an order.
#[derive(Debug)]
pub(super) struct Replies(Vec<oneshot::Sender<OrganizationReport>>);

impl Replies {
    /// Tells them.
    pub(super) fn send(self, report: &OrganizationReport) {
        for reply in self.0 {
            // Whoever hung up does not want to know.
            let _ = reply.send(report.clone());
        }
    }
}

/// All orders of an organization.
#[derive(Default)]
pub(super) struct Orders {
    current: Option<Current>,
    waiting: VecDeque<Waiting>,
    tickets: u64,
}

impl Orders {
    /// Takes an order in.
    pub(super) fn push(&mut self, order: Order, reply: oneshot::Sender<OrganizationReport>) -> Step {
        match self.waiting.iter_mut().find(|waiting| waiting.order == order) {
            Some(same) => same.replies.push(reply),
            None => self.waiting.push_back(Waiting { order, replies: vec![reply] }),
        }
        if self.current.is_some() { Step::None } else { self.next() }
    }

    /// A feed's run ended.
    pub(super) fn ended(&mut self, tickets: &[u64], report: &FeedReport, is_over: bool) -> Step {
        let Some(current) = self.current.as_mut().filter(|current| tickets.contains(&current.ticket)) else { return Step::None };
        current.feeds.push(report.clone());
        if is_over {
            current.left.clear();
        }
        self.advance()
    }

    /// A feed's actor died with the run in hand: what was asked of it is asked again of its next life.
    pub(super) fn again(&mut self, entity: Entity) -> Step {
        match &self.current {
            Some(current) if current.left.front() == Some(&entity) => Step::Run(entity, current.waiting.order.clone(), current.ticket),
            _ => Step::None,
        }
    }

    fn next(&mut self) -> Step {
        let Some(waiting) = self.waiting.pop_front() else { return Step::None };
        let left = waiting.order.entities.iter().copied().collect();
        self.current = Some(Current { waiting, left, ticket: 0, feeds: Vec::new() });
        self.start()
    }

    fn advance(&mut self) -> Step {
        if let Some(current) = &mut self.current {
            current.left.pop_front();
        }
        self.start()
    }

    fn start(&mut self) -> Step {
        let Some(mut current) = self.current.take() else { return Step::None };
        match current.left.front().copied() {
            Some(entity) => {
                self.tickets += 1;
                current.ticket = self.tickets;
                let step = Step::Run(entity, current.waiting.order.clone(), current.ticket);
                self.current = Some(current);
                step
            }
            None => Step::Done(current.feeds, Replies(current.waiting.replies)),
        }
    }

    /// The order after one that was done.
    pub(super) fn after_done(&mut self) -> Step {
        if self.current.is_some() { Step::None } else { self.next() }
    }
}
