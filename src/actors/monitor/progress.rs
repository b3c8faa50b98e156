//! Keeps the board in step with what the database knows of how far feeds were read: after a start
//! of what was read before it, and later of what other processes read.

use crate::actors::Shared;
use crate::clock;
use crate::status::show_progress;
use std::sync::Arc;
use std::time::Duration;

/// The first looks follow each other soon: the board fills while the process starts.
const SOON: (u64, Duration) = (3, Duration::from_secs(1));
/// The last run of each feed is looked up at each so manieth look.
const EXACTLY_EVERY: u64 = 20;

/// Looks until the process ends.
pub(super) async fn follow(shared: Arc<Shared>, every: Duration) {
    for number in 0_u64.. {
        let exactly = number < SOON.0 || number % EXACTLY_EVERY == 0;
        // What cannot be read now stays as it was.
        if let Ok(known) = shared.store.feed_progress(exactly).await {
            show_progress(&shared.board, known, clock::now());
        }
        tokio::time::sleep(if number < SOON.0 { SOON.1 } else { every }).await;
    }
}
