//! How many may be connected, and how long each of them may let us wait. Nothing of it can be
//! configured: the values are generous for whoever is well-behaved, and tests shorten them.

use std::time::Duration;

/// Places and deadlines of one listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at once.
    pub(super) places: usize,
    /// Connections beyond, when all others are at work: only whether the process lives and is ready
    /// is answered there.
    pub(super) spare: usize,
    /// Connections of one address elsewhere. This machine has no limit of its own: all of a proxy's
    /// visitors come from its address.
    pub(super) per_peer: usize,
    /// From the connection to the first byte of a request.
    pub(super) first_byte: Duration,
    /// From the first byte of a request to the end of its head, however many bytes a second.
    pub(super) head: Duration,
    /// From an answer to the next request.
    pub(super) idle: Duration,
    /// For a whole body. A handler that waits for one answers before; this is for those that do
    /// not.
    pub(super) body: Duration,
    /// Whoever cannot be written to must take `write_least` bytes in each such span, or all that is
    /// left.
    pub(super) write: Duration,
    /// See `write`.
    pub(super) write_least: usize,
    /// How often one looks who is overdue.
    pub(super) sweep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            places: 256,
            spare: 32,
            per_peer: 64,
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            body: Duration::from_secs(15),
            write: Duration::from_secs(10),
            write_least: 32 * 1_024,
            sweep: Duration::from_millis(250),
        }
    }
}
