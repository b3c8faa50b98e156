//! Somebody said that something may have changed: feeds look sooner than planned, or plugins do. Or
//! the plan itself changed.

use super::Organization;
use super::messages::Nudge;
use crate::actors::entity_sync::messages::{Replan, Sync};
use crate::actors::plugin::messages::{Revive, Wake};
use crate::domain::Task;
use crate::entities::Entity;
use crate::supervision::ChildSlot;
use actix::{Context, Handler};

impl Handler<Nudge> for Organization {
    type Result = ();

    fn handle(&mut self, Nudge { entities }: Nudge, _: &mut Context<Self>) {
        if self.draining {
            return;
        }
        if entities.is_empty() {
            self.plugins
                .values()
                .filter_map(ChildSlot::child)
                .for_each(|plugin| plugin.do_send(Wake { is_urgent: false }));
        }
        // Feeds that wait for their parents' first load are not hurried.
        for entity in Entity::ALL
            .into_iter()
            .take(self.begun)
            .filter(|entity| entities.contains(entity))
        {
            if let Some(feed) = self.feeds.get(&entity).and_then(ChildSlot::child) {
                feed.do_send(Sync {
                    task: Task::CatchUp,
                    reason: "webhook",
                    ticket: None,
                });
            }
        }
    }
}

impl Handler<Replan> for Organization {
    type Result = ();

    fn handle(&mut self, _: Replan, _: &mut Context<Self>) {
        self.feeds
            .values()
            .filter_map(ChildSlot::child)
            .for_each(|feed| feed.do_send(Replan));
        self.plugins
            .values()
            .filter_map(ChildSlot::child)
            .for_each(|plugin| plugin.do_send(Revive));
    }
}
