//! What a plugin's actor hears.

use actix::Message;

/// Look: something may have changed. Carries no data, so that a restart, a timer and a nudge run the same code.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Wake;

/// Stop.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Drain;
