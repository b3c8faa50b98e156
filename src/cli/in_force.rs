//! What a command changed is in force when it returns: a daemon beside it is told, and runs that
//! are to end have ended.

use super::app::App;
use super::exit::{Code, Failure};
use super::output;
use super::remote::{Daemon, absence};
use crate::daemon::HeldBy;
use crate::store::{Organization, Status, Store, readable};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// So long a process is waited for that does not let an organization go: longer than a lease that
/// nobody renews.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    /// The organization's row alone.
    Row,
    /// Its file, too.
    File,
}

/// Has the daemon of this folder act by it. Says so when there is one that cannot be reached.
pub(super) async fn tell_daemon(app: &App, changed: Changed) {
    let pid_file = &app.config.daemon.pid_file;
    let Some(daemon) = Daemon::of(pid_file).await else {
        if matches!(HeldBy::of(pid_file), Ok(Some(held)) if held.is_daemon()) {
            output::remark(&format!(
                "{}: it takes the change over by itself, if it still works",
                absence(pid_file)
            ));
        }
        return;
    };
    if changed == Changed::File {
        match daemon.reload().await {
            Ok(reloaded) => {
                return reloaded
                    .wrong
                    .iter()
                    .for_each(|wrong| output::remark(&format!("the daemon says: {wrong}")));
            }
            Err(failure) => output::remark(&format!(
                "the daemon did not read the organizations' files again: {}",
                failure.text()
            )),
        }
    }
    match daemon.notify_changed().await {
        Ok(None) => {}
        Ok(Some(obstacle)) => {
            output::remark(&format!("the daemon does not act by it yet: {obstacle}"))
        }
        Err(failure) => output::remark(&format!(
            "the daemon could not be told, and takes the change over by itself: {}",
            failure.text()
        )),
    }
}

/// Waits until no process works for an organization that was paused: not one more request is made
/// for it.
pub(super) async fn let_go(store: &Store, classy_id: i64) -> Result<(), Failure> {
    let begin = Instant::now();
    while let Some(holder) = store.lease_holder(classy_id).await? {
        if begin.elapsed() > PATIENCE {
            let who = readable(&holder);
            let text =
                format!("organization {classy_id} is paused, but {who} has not let it go yet");
            return Err(Failure::new(Code::Busy, text).hint(
                "requests that are under way there may still end; stop that process to be sure",
            ));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until whoever serves an organization acts by what was changed in its row. A process looks
/// at the database, says that it is there, and reads what changed; runs that go on as before have
/// ended by its next look.
pub(super) async fn taken_over(store: &Store, classy_id: i64) -> Result<(), Failure> {
    const LOOKS: usize = 2;
    let (begin, before) = (Instant::now(), store.lease_of(classy_id).await?);
    let (mut looks, mut last) = (0, before.as_ref().map(|(_, until)| *until));
    loop {
        let lease = store.lease_of(classy_id).await?;
        match (&before, &lease) {
            (_, None) if !store.has_daemons().await? => {
                output::remark(&format!(
                    "no process serves organization {classy_id} now: the next sync reads it, or `classy-sync run`"
                ));
                return Ok(());
            }
            (Some((old, _)), Some((holder, until))) if old == holder => {
                looks += usize::from(Some(*until) > last);
                last = last.max(Some(*until));
                if looks >= LOOKS {
                    return Ok(());
                }
            }
            // Whoever takes a lease reads the row afterwards.
            (_, Some(_)) => return Ok(()),
            // Whoever took it over found that it cannot be served like this, and let it go:
            // credentials that are refused, for one.
            (_, None) => {
                if let Some(Organization {
                    status: Status::Suspended,
                    status_reason: reason,
                    ..
                }) = store.organization(classy_id).await?
                {
                    output::remark(&format!(
                        "organization {classy_id} is suspended: {}",
                        reason.unwrap_or_default()
                    ));
                    return Ok(());
                }
            }
        }
        if begin.elapsed() > PATIENCE {
            let (text, hint) = match lease {
                Some((who, _)) => (
                    format!(
                        "organization {classy_id} is changed, but {} has not taken the change over yet",
                        readable(&who)
                    ),
                    "it goes on as before until it looks at the database again; stop that process to be sure",
                ),
                None => {
                    let has_credentials = store
                        .organization(classy_id)
                        .await?
                        .is_some_and(|one| one.credentials_encrypted.is_some());
                    (
                        format!(
                            "organization {classy_id} is changed, but no process has taken it over yet"
                        ),
                        if has_credentials {
                            "none of those that are at work may have its file: `classy-sync health`"
                        } else {
                            "its credentials were removed with it: `classy-sync org set-credentials`, or where its file is, `classy-sync reload`"
                        },
                    )
                }
            };
            return Err(Failure::new(Code::Busy, text).hint(hint));
        }
        sleep(LOOK).await;
    }
}

/// The same, unless the daemon of this folder serves it, which acts by it already.
pub(super) async fn in_force(app: &App, store: &Store, classy_id: i64) -> Result<(), Failure> {
    // Nobody serves one that is paused, and nobody will.
    if store
        .organization(classy_id)
        .await?
        .is_none_or(|organization| organization.status == Status::Paused)
    {
        return Ok(());
    }
    let ours = match Daemon::of(&app.config.daemon.pid_file).await {
        Some(daemon) => daemon.get("/api/v1/status").await?["holder"]
            .as_str()
            .map(str::to_owned),
        None => None,
    };
    if ours.is_some() && store.lease_holder(classy_id).await? == ours {
        Ok(())
    } else {
        taken_over(store, classy_id).await
    }
}
