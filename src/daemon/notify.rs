//! Words to systemd, where it started this process; silence elsewhere.

use crate::actors::Shared;
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;

/// A main thread that is later than this is not vouched for: the service manager then restarts the process.
const LATEST: Duration = Duration::from_secs(10);

/// Says one thing; without a service manager nobody hears it.
pub(super) fn say(state: NotifyState<'_>) {
    let _ = sd_notify::notify(&[state]);
}

/// Says that the configuration is read again; [`NotifyState::Ready`] ends it.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
    }
}

/// Vouches for the process as long as its main thread has time.
pub(super) async fn vouch(shared: Arc<Shared>) {
    let Some(within) = sd_notify::watchdog_enabled() else { return };
    loop {
        if shared.roster.lateness() < LATEST {
            say(NotifyState::Watchdog);
        }
        tokio::time::sleep(within / 3).await;
    }
}
