//! An owner that hears what a feed tells it, and does nothing.

use crate::actors::entity_sync::messages::FeedEnded;
use crate::supervision::ChildDied;
use actix::{Actor, Context, Handler};

pub(super) struct Ear;

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<FeedEnded> for Ear {
    type Result = ();

    fn handle(&mut self, _: FeedEnded, _: &mut Context<Self>) {}
}

impl Handler<ChildDied> for Ear {
    type Result = ();

    fn handle(&mut self, _: ChildDied, _: &mut Context<Self>) {}
}
