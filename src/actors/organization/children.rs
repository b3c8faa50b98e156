//! An organization's children, its feeds and its plugins: made, let begin in the order in which one
//! needs what another has read, and begun again when one died.

use super::Organization;
use crate::actors::entity_sync::messages::Begin;
use crate::actors::entity_sync::{EntitySync, Feed, FeedSchedule};
use crate::actors::plugin::{Outlet, Plugin};
use crate::clock;
use crate::entities::Entity;
use crate::supervision::{Cause, ChildDied, ChildSlot, Respawn, failpoint};
use crate::sync::FencedStore;
use actix::{Actor, AsyncContext, Context, Handler};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

impl Organization {
    fn known(&self, entity: Entity) -> Rc<RefCell<FeedSchedule>> {
        self.start.known.get(&entity).cloned().unwrap_or_default()
    }

    pub(super) fn make_feeds(&mut self, context: &Context<Self>) {
        for entity in Entity::ALL {
            let feed = Arc::new(Feed {
                shared: Arc::clone(&self.shared),
                client: self.start.client.clone(),
                sink: FencedStore::new(self.tenant.clone(), self.start.fence.clone()),
                classy_id: self.classy_id(),
                entity,
                kill: self.kill.child(),
            });
            let (owner, known) = (
                context.address().recipient().downgrade(),
                self.known(entity),
            );
            let make = move |exit_guard| {
                EntitySync::of_feed(
                    exit_guard,
                    Arc::clone(&feed),
                    owner.clone(),
                    Rc::clone(&known),
                    false,
                )
                .start()
            };
            let name = format!("{}/{entity}", self.classy_id()).into();
            self.feeds.insert(
                entity,
                ChildSlot::new(name, context.address().recipient().downgrade(), make),
            );
            self.start_feed(entity, context);
        }
        let plugins: Vec<String> = self.start.applied.file.plugins.keys().cloned().collect();
        for plugin in plugins {
            let name = format!("{}/{plugin}", self.classy_id()).into();
            let outlet = Arc::new(Outlet {
                shared: Arc::clone(&self.shared),
                applied: Arc::clone(&self.start.applied),
                store: self.tenant.clone(),
                fence: self.start.fence.clone(),
                plugin: plugin.clone(),
                kill: self.kill.child(),
                ready: Mutex::default(),
            });
            let (owner, scheduled) = (
                context.address().recipient().downgrade(),
                self.start.scheduled,
            );
            let make = move |exit_guard| {
                Plugin::of_outlet(exit_guard, Arc::clone(&outlet), owner.clone(), scheduled).start()
            };
            self.plugins.insert(
                plugin.clone(),
                ChildSlot::new(name, context.address().recipient().downgrade(), make),
            );
            self.start_plugin(&plugin, context);
        }
    }

    fn start_plugin(&mut self, plugin: &str, context: &Context<Self>) {
        let Some(child_slot) = self.plugins.get_mut(plugin) else {
            return;
        };
        let generation = child_slot.start();
        let keeper = child_slot
            .child()
            .map(|plugin| plugin.clone().recipient().downgrade());
        self.shared.registry.born(
            child_slot.name(),
            generation,
            context.address().recipient().downgrade(),
            keeper,
        );
    }

    fn start_feed(&mut self, entity: Entity, context: &Context<Self>) {
        let Some(child_slot) = self.feeds.get_mut(&entity) else {
            return;
        };
        let generation = child_slot.start();
        let keeper = child_slot
            .child()
            .map(|feed| feed.clone().recipient().downgrade());
        self.shared.registry.born(
            child_slot.name(),
            generation,
            context.address().recipient().downgrade(),
            keeper,
        );
    }

    /// Lets the feeds keep to their schedule: all whose parents were read, and the next one after
    /// them.
    pub(super) fn let_begin(&mut self) {
        if !self.start.scheduled || self.draining {
            return;
        }
        while let Some(entity) = Entity::ALL.get(self.begun).copied() {
            let parents_read = Entity::ALL[..self.begun].iter().all(|parent| {
                let known = self.known(*parent);
                let known = known.borrow();
                // One that fails must not hold the others: gifts land without their donors, too.
                // Nor one that failed in an earlier process and rests until it is tried again.
                let rests = known.rests_until.is_some_and(|until| until > clock::now());
                known.first_pass_at.is_some()
                    || known.failures > 0
                    || known.short_passes > 0
                    || rests
            });
            if !parents_read {
                return;
            }
            self.begun += 1;
            if let Some(feed) = self.feeds.get(&entity).and_then(ChildSlot::child) {
                feed.do_send(Begin);
            }
        }
    }
}

impl Handler<ChildDied> for Organization {
    type Result = ();

    fn handle(&mut self, death: ChildDied, context: &mut Context<Self>) {
        failpoint::here("organization::child_died");
        let feed = self
            .feeds
            .values_mut()
            .find_map(|child_slot| child_slot.died(&death));
        let cause = feed.or_else(|| {
            self.plugins
                .values_mut()
                .find_map(|child_slot| child_slot.died(&death))
        });
        let Some(cause) = cause else { return };
        if !self.draining {
            self.shared.registry.dead(&death.name, cause);
            return;
        }
        if cause == Cause::Panicked {
            tracing::error!(child = %death.name, "an actor panicked while it was drained");
        }
        self.stop_when_empty(context);
    }
}

impl Handler<Respawn> for Organization {
    type Result = ();

    fn handle(&mut self, respawn: Respawn, context: &mut Context<Self>) {
        if self.draining {
            return;
        }
        if let Some(entity) = Entity::ALL.into_iter().find(|entity| {
            self.feeds
                .get(entity)
                .is_some_and(|feed| feed.name() == &respawn.name)
        }) {
            self.start_feed(entity, context);
            if Entity::ALL
                .iter()
                .position(|other| *other == entity)
                .is_some_and(|place| place < self.begun)
                && let Some(feed) = self.feeds.get(&entity).and_then(ChildSlot::child)
            {
                feed.do_send(Begin);
            }
            let step = self.orders.again(entity);
            self.step(step, context);
        } else if let Some(plugin) = self
            .plugins
            .iter()
            .find(|(_, child_slot)| child_slot.name() == &respawn.name)
            .map(|(plugin, _)| plugin.clone())
        {
            self.start_plugin(&plugin, context);
            let step = self.orders.deliver_again(&plugin);
            self.step(step, context);
        }
    }
}
