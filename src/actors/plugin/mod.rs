//! One enabled plugin of one organization. It is woken when a feed moved; what it delivers is the plugin's own matter.

pub(super) mod messages;

use crate::kernel::{Obituary, mischief};
use actix::{Actor, ActorContext, Context, Handler};
use messages::{Drain, Wake};

/// The actor of a plugin.
pub(super) struct Plugin {
    obituary: Obituary,
    classy_id: i64,
    wakes: u64,
}

impl Plugin {
    pub(super) const fn new(obituary: Obituary, classy_id: i64) -> Plugin {
        Plugin { obituary, classy_id, wakes: 0 }
    }
}

impl Actor for Plugin {
    type Context = Context<Self>;
}

impl Handler<Wake> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Wake, _: &mut Context<Self>) {
        mischief::here("plugin::wake");
        self.wakes += 1;
        let (plugin, generation) = (self.obituary.name(), self.obituary.generation());
        tracing::debug!(organization = self.classy_id, plugin = %plugin, generation, wakes = self.wakes, "a plugin was woken");
    }
}

impl Handler<Drain> for Plugin {
    type Result = ();

    fn handle(&mut self, _: Drain, context: &mut Context<Self>) {
        context.stop();
    }
}
