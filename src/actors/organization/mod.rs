//! One organization: owns its access to Classy (with it the token), its feeds and its plugins, and
//! carries out people's orders.
//!
//! The token is asked for by the first run that needs one and shared by all; an organization with
//! nothing to do asks for none.

mod children;
pub(super) mod messages;
mod nudge;
mod orders;
mod settle;

use super::Shared;
use super::entity_sync::messages::{FeedEnded, Sync};
use super::entity_sync::{EntitySync, FeedSchedule};
use super::plugin::Plugin;
use super::plugin::messages::{Deliver, PluginEnded, Wake};
use super::worker;
use crate::classy::Client;
use crate::credentials::Applied;
use crate::domain::FaultKind;
use crate::entities::Entity;
use crate::status::{Condition, OrganizationReport};
use crate::store::{Fence, Status, TenantStore};
use crate::supervision::run::{self, Ended};
use crate::supervision::{ChildSlot, ExitGuard, KillSwitch, failpoint};
use actix::{Actor, ActorContext, AsyncContext, Context, Handler};
use messages::{Drain, StartSync};
use orders::{Done, Orders, Step};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What an organization's actor is made from; kept by the supervisor for its next life.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// Row and file.
    pub(super) applied: Arc<Applied>,
    /// The right to write.
    pub(super) fence: Fence,
    /// Access to Classy, with its token.
    pub(super) client: Client,
    /// What is known of each feed, over all lives.
    pub(super) known: BTreeMap<Entity, Rc<RefCell<FeedSchedule>>>,
    /// Whether feeds keep to their schedule; if not, they run on order only.
    pub(super) scheduled: bool,
}

/// The actor of an organization.
pub(super) struct Organization {
    exit_guard: ExitGuard,
    shared: Arc<Shared>,
    start: Start,
    tenant: TenantStore,
    kill: KillSwitch,
    feeds: BTreeMap<Entity, ChildSlot<EntitySync>>,
    plugins: BTreeMap<String, ChildSlot<Plugin>>,
    orders: Orders,
    /// Feeds that may keep to their schedule: on a first load each waits until those before it ran
    /// once.
    begun: usize,
    draining: bool,
    /// The suspension was ordered.
    suspended: bool,
    /// Ends of orders and passes that are being written down.
    settling: usize,
}

impl Organization {
    pub(super) fn new(exit_guard: ExitGuard, shared: Arc<Shared>, start: Start) -> Organization {
        let orders = Orders::new(start.applied.file.plugins.keys().cloned().collect());
        Organization {
            kill: shared.kill.child(),
            tenant: shared.store.tenant(&start.applied.organization),
            exit_guard,
            shared,
            start,
            feeds: BTreeMap::new(),
            plugins: BTreeMap::new(),
            orders,
            begun: 0,
            draining: false,
            suspended: false,
            settling: 0,
        }
    }

    fn classy_id(&self) -> i64 {
        self.tenant.classy_id()
    }

    fn tell(&self, condition: Condition) {
        let organization = &self.start.applied.organization;
        self.shared.board.tell(
            organization.classy_id,
            &organization.name,
            self.exit_guard.generation(),
            condition,
        );
    }

    fn step(&mut self, step: Step, context: &mut Context<Self>) {
        match step {
            Step::None => {}
            Step::Run(entity, order, ticket) => {
                let order = Sync {
                    task: order.task,
                    reason: order.reason,
                    ticket: Some(ticket),
                };
                // One that is dead is asked when it lives again.
                if let Some(feed) = self.feeds.get(&entity).and_then(ChildSlot::child) {
                    feed.do_send(order);
                }
            }
            Step::Deliver(plugin, ticket) => {
                if let Some(plugin) = self.plugins.get(&plugin).and_then(ChildSlot::child) {
                    plugin.do_send(Deliver { ticket });
                }
            }
            Step::Done(Done { feeds, plugins }, replies) => {
                let stats = self.start.client.stats();
                let organization = &self.start.applied.organization;
                let report = OrganizationReport {
                    classy_id: organization.classy_id,
                    name: organization.name.clone(),
                    requests: stats.data_requests,
                    token_requests: stats.token_requests,
                    feeds,
                    plugins,
                    ..OrganizationReport::default()
                };
                let settle = settle::settle(self.tenant.clone(), organization.clone(), report);
                let runtime = self.shared.runtime.clone();
                self.settling += 1;
                run::spawn(
                    context,
                    self,
                    &runtime,
                    self.kill.child(),
                    settle,
                    move |actor: &mut Self, ended, context| {
                        if let Ended::Done(report) = ended {
                            replies.send(&report);
                        }
                        actor.settling -= 1;
                        let next = actor.orders.after_done();
                        actor.step(next, context);
                        actor.stop_when_empty(context);
                    },
                );
            }
        }
    }

    /// While it is drained: stops when nothing is left below and every order is answered.
    fn stop_when_empty(&self, context: &mut Context<Self>) {
        let feeds = self
            .feeds
            .values()
            .any(|child_slot| child_slot.child().is_some());
        let plugins = self
            .plugins
            .values()
            .any(|child_slot| child_slot.child().is_some());
        if self.draining && !feeds && !plugins && self.settling == 0 {
            context.stop();
        }
    }

    /// Refused credentials: somebody must mend them. The supervisor sees the changed row and takes
    /// this organization down.
    fn suspend(&mut self, reason: String, context: &mut Context<Self>) {
        if std::mem::replace(&mut self.suspended, true) {
            return;
        }
        tracing::error!(
            organization = self.classy_id(),
            reason,
            "the organization is suspended: its credentials are refused"
        );
        let tenant = self.tenant.clone();
        let work = async move { tenant.set_status(Status::Suspended, Some(&reason)).await };
        run::spawn(
            context,
            self,
            &self.shared.runtime,
            self.kill.child(),
            work,
            |actor: &mut Self, ended, _| {
                if let Ended::Done(Err(error)) = ended {
                    tracing::warn!(organization = actor.classy_id(), %error, "the suspension could not be written down");
                }
            },
        );
    }
}

impl Actor for Organization {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        self.tell(Condition::Serving);
        self.make_feeds(context);
        self.let_begin();
    }
}

impl Drop for Organization {
    /// Whatever way it goes, its children go with it: runs by the kill tree, actors by word, since
    /// their timers keep them alive.
    fn drop(&mut self) {
        self.kill.cancel("its organization fell");
        for feed in self.feeds.values().filter_map(ChildSlot::child) {
            feed.do_send(worker::Fall);
        }
        for plugin in self.plugins.values().filter_map(ChildSlot::child) {
            plugin.do_send(worker::Fall);
        }
        let classy_id = self.tenant.classy_id();
        for entity in Entity::ALL {
            self.shared.registry.gone(&format!("{classy_id}/{entity}"));
        }
        for plugin in self.plugins.keys() {
            self.shared.registry.gone(&format!("{classy_id}/{plugin}"));
        }
    }
}

impl Handler<StartSync> for Organization {
    type Result = ();

    fn handle(&mut self, StartSync { order, reply }: StartSync, context: &mut Context<Self>) {
        failpoint::here("organization::start_sync");
        if self.draining {
            // The dropped reply tells whoever asked.
            return;
        }
        let step = self.orders.push(order, reply);
        self.step(step, context);
    }
}

impl Handler<FeedEnded> for Organization {
    type Result = ();

    fn handle(&mut self, ended: FeedEnded, context: &mut Context<Self>) {
        failpoint::here("organization::feed_ended");
        self.let_begin();
        if ended.report.inserted + ended.report.updated + ended.report.absent > 0 {
            let is_urgent = ended.report.entity == Entity::Supporters.as_str();
            for plugin in self.plugins.values().filter_map(ChildSlot::child) {
                plugin.do_send(Wake { is_urgent });
            }
        }
        let refused = ended
            .fault
            .as_ref()
            .filter(|fault| fault.kind == FaultKind::Credentials);
        // Of an order's runs the order itself draws the conclusion.
        if let (Some(fault), true) = (refused, self.start.scheduled) {
            self.suspend(fault.text.clone(), context);
        }
        let step = self
            .orders
            .ended(&ended.tickets, &ended.report, ended.is_over);
        self.step(step, context);
    }
}

impl Handler<PluginEnded> for Organization {
    type Result = ();

    fn handle(&mut self, ended: PluginEnded, context: &mut Context<Self>) {
        failpoint::here("organization::plugin_ended");
        let step = self.orders.delivered(&ended.tickets, &ended.report);
        self.step(step, context);
    }
}

impl Handler<Drain> for Organization {
    type Result = ();

    fn handle(&mut self, Drain { within }: Drain, context: &mut Context<Self>) {
        if let Some(within) = within {
            context.run_later(within, |actor, _| {
                actor
                    .kill
                    .cancel("it did not come to its next page in time")
            });
        }
        if self.draining {
            return;
        }
        self.draining = true;
        self.tell(Condition::Draining);
        for feed in self.feeds.values().filter_map(ChildSlot::child) {
            feed.do_send(worker::Drain);
        }
        for plugin in self.plugins.values().filter_map(ChildSlot::child) {
            plugin.do_send(worker::Drain);
        }
        self.stop_when_empty(context);
    }
}
