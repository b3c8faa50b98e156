//! Orders of people: one at a time, its feeds one after the other, parents before children, then
//! its plugins. Equal orders that wait are one.

use crate::entities::Entity;
use crate::status::{FeedReport, Order, OrganizationReport, PluginReport};
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// An order and those who wait for it.
struct Waiting {
    order: Order,
    replies: Vec<oneshot::Sender<OrganizationReport>>,
}

/// One after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Feed(Entity),
    Plugin(String),
}

/// The order in hand.
struct Current {
    waiting: Waiting,
    left: VecDeque<Stage>,
    ticket: u64,
    done: Done,
}

/// What came of an order.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) feeds: Vec<FeedReport>,
    pub(super) plugins: Vec<PluginReport>,
}

impl Current {
    fn step(&self, stage: &Stage) -> Step {
        match stage {
            Stage::Feed(entity) => Step::Run(*entity, self.waiting.order.clone(), self.ticket),
            Stage::Plugin(name) => Step::Deliver(name.clone(), self.ticket),
        }
    }
}

/// What the organization has to do next for its orders.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing: somebody else's run, or no order.
    None,
    /// This feed is to run, with this ticket.
    Run(Entity, Order, u64),
    /// This plugin is to deliver, with this ticket.
    Deliver(String, u64),
    /// The order is done.
    Done(Done, Replies),
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
    /// In which order plugins deliver.
    plugins: Vec<String>,
    current: Option<Current>,
    waiting: VecDeque<Waiting>,
    tickets: u64,
}

impl Orders {
    pub(super) fn new(plugins: Vec<String>) -> Orders {
        Orders {
            plugins,
            ..Orders::default()
        }
    }

    /// Takes an order in.
    pub(super) fn push(
        &mut self,
        order: Order,
        reply: oneshot::Sender<OrganizationReport>,
    ) -> Step {
        match self
            .waiting
            .iter_mut()
            .find(|waiting| waiting.order == order)
        {
            Some(same) => same.replies.push(reply),
            None => self.waiting.push_back(Waiting {
                order,
                replies: vec![reply],
            }),
        }
        if self.current.is_some() {
            Step::None
        } else {
            self.next()
        }
    }

    /// A feed's run ended.
    pub(super) fn ended(&mut self, tickets: &[u64], report: &FeedReport, is_over: bool) -> Step {
        let Some(current) = self
            .current
            .as_mut()
            .filter(|current| tickets.contains(&current.ticket))
        else {
            return Step::None;
        };
        current.done.feeds.push(report.clone());
        if is_over {
            current.left.clear();
        }
        self.advance()
    }

    /// A plugin's delivery ended.
    pub(super) fn delivered(&mut self, tickets: &[u64], report: &PluginReport) -> Step {
        let Some(current) = self
            .current
            .as_mut()
            .filter(|current| tickets.contains(&current.ticket))
        else {
            return Step::None;
        };
        current.done.plugins.push(report.clone());
        self.advance()
    }

    /// A feed's actor died with the run in hand: what was asked of it is asked again of its next
    /// life.
    pub(super) fn again(&mut self, entity: Entity) -> Step {
        self.repeat(&Stage::Feed(entity))
    }

    /// The same of a plugin's.
    pub(super) fn deliver_again(&mut self, plugin: &str) -> Step {
        self.repeat(&Stage::Plugin(plugin.to_owned()))
    }

    fn repeat(&mut self, stage: &Stage) -> Step {
        match &self.current {
            Some(current) if current.left.front() == Some(stage) => current.step(stage),
            _ => Step::None,
        }
    }

    fn next(&mut self) -> Step {
        let Some(waiting) = self.waiting.pop_front() else {
            return Step::None;
        };
        let plugins = self
            .plugins
            .iter()
            .filter(|name| waiting.order.plugins.means(name))
            .cloned()
            .map(Stage::Plugin);
        let left = waiting
            .order
            .entities
            .iter()
            .copied()
            .map(Stage::Feed)
            .chain(plugins)
            .collect();
        self.current = Some(Current {
            waiting,
            left,
            ticket: 0,
            done: Done::default(),
        });
        self.start()
    }

    fn advance(&mut self) -> Step {
        if let Some(current) = &mut self.current {
            current.left.pop_front();
        }
        self.start()
    }

    fn start(&mut self) -> Step {
        let Some(mut current) = self.current.take() else {
            return Step::None;
        };
        match current.left.front().cloned() {
            Some(stage) => {
                self.tickets += 1;
                current.ticket = self.tickets;
                let step = current.step(&stage);
                self.current = Some(current);
                step
            }
            None => Step::Done(current.done, Replies(current.waiting.replies)),
        }
    }

    /// The order after one that was done.
    pub(super) fn after_done(&mut self) -> Step {
        if self.current.is_some() {
            Step::None
        } else {
            self.next()
        }
    }
}
