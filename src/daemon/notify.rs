//! Words to systemd, where it started this process; silence elsewhere.

use crate::actors::Shared;
use crate::status::{Activity, Condition};
use sd_notify::NotifyState;
use std::sync::Arc;
use std::time::Duration;

/// A main thread that is later than this is not vouched for: the service manager then restarts the
/// process.
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

/// How often the one line for people is told anew.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Tells in one line what is going on.
pub(super) async fn tell(shared: Arc<Shared>) {
    loop {
        say(NotifyState::Status(&line(&shared)));
        tokio::time::sleep(STATUS_EVERY).await;
    }
}

fn line(shared: &Shared) -> String {
    let (mut serving, mut running, mut failing) = (0, 0, 0);
    for (organization, feeds) in shared.board.all() {
        serving += u32::from(organization.condition == Condition::Serving);
        for (_, feed) in feeds {
            running += u32::from(matches!(feed.activity, Activity::Running(_)));
            failing += u32::from(feed.last.is_some_and(|last| last.error.is_some()));
        }
    }
    format!(
        "serving {serving} organizations; {running} runs, {failing} feeds whose last run failed"
    )
}

/// Vouches for the process as long as its main thread has time.
pub(super) async fn vouch(shared: Arc<Shared>) {
    let Some(within) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        if shared.registry.lateness() < LATEST {
            say(NotifyState::Watchdog);
        }
        tokio::time::sleep(within / 3).await;
    }
}
