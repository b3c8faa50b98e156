//! Somebody said that something may have changed: feeds look sooner than planned, or plugins do.

use super::Organization;
use super::messages::Nudge;
use crate::actors::entity_sync::messages::Sync;
use crate::actors::plugin::messages::Wake;
use crate::domain::Entity;
use crate::kernel::Nursery;
use crate::sync::Task;
use actix::{Context, Handler};

impl Handler<Nudge> for Organization {
    type Result = ();

    fn handle(&mut self, Nudge { entities }: Nudge, _: &mut Context<Self>) {
        if self.draining {
            return;
        }
        if entities.is_empty() {
            self.plugins.values().filter_map(Nursery::child).for_each(|plugin| plugin.do_send(Wake));
        }
        // Feeds that wait for their parents' first load are not hurried.
        for entity in Entity::ALL.into_iter().take(self.begun).filter(|entity| entities.contains(entity)) {
            if let Some(feed) = self.feeds.get(&entity).and_then(Nursery::child) {
                feed.do_send(Sync { task: Task::CatchUp, reason: "webhook", ticket: None });
            }
        }
    }
}
