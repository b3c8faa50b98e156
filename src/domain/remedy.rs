//! What is to be done about an error: the only thing that callers ask of one.

use std::time::Duration;

/// The cure for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The same request may work later.
    Retry {
        /// Not before this, when the other side said so.
        after: Option<Duration>,
    },
    /// The token of this generation was refused; another may work.
    Reauthorize {
        /// Which token it was.
        generation: u64,
    },
    /// This record or feed is bad; the rest goes on.
    Skip,
    /// This organization needs a person.
    Suspend,
    /// The process cannot go on.
    Stop,
}
