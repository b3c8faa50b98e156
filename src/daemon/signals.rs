//! Signals in, and signals out to the daemon that holds the lock.

use super::holder::HeldBy;
use nix::sys::signal::{SigSet, Signal as Number};
use std::path::Path;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// Those that this process may heed.
fn ours() -> SigSet {
    [Number::SIGTERM, Number::SIGINT, Number::SIGHUP]
        .into_iter()
        .collect()
}

/// Holds signals back until somebody says how they are heeded: the first thing that a process does,
/// so that one that comes in its first moments is not lost and ends nothing in the middle. Threads
/// that are begun later inherit this; the first one is the one that hears.
pub fn hold_signals() {
    // Where the system refuses, signals act as they always did.
    let _ = ours().thread_block();
}

/// A file that may not grow further (`ulimit -f`, `LimitFSIZE=`) is an error of the write that meets
/// it, which is told with its reason. The signal that comes with it would end the process without a
/// word, and is never let through. On the first thread, before there are others.
pub fn hold_file_size_signal() {
    let _ = SigSet::from(Number::SIGXFSZ).thread_block();
}

/// Lets signals act as the system has it, or as [`Signals`] that exist have it. On the thread that
/// held them back.
pub fn let_signals() {
    let _ = ours().thread_unblock();
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End: TERM or INT.
    Stop,
    /// Read the configuration again: HUP.
    Reload,
}

/// The signals of this process.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
}

impl Signals {
    /// Takes the signals over from their defaults.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }

    /// The next signal to end; others are passed over.
    pub async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}

/// Sends a signal to the daemon that holds a pid file. `None` when there is none: nobody holds it,
/// or a command does, which is its user's alone.
///
/// # Errors
/// The file cannot be read, or the signal cannot be sent.
pub fn signal_process(pid_file: &Path, wanted: Signal) -> std::io::Result<Option<u32>> {
    let Some(pid) = HeldBy::of(pid_file)?
        .filter(HeldBy::is_daemon)
        .map(|held| held.pid)
    else {
        return Ok(None);
    };
    let signal = match wanted {
        Signal::Stop => Number::SIGTERM,
        Signal::Reload => Number::SIGHUP,
    };
    let raw = i32::try_from(pid)
        .map_err(|_| std::io::Error::other("the pid file holds no process id"))?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(raw), signal)?;
    Ok(Some(pid))
}
