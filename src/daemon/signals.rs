//! Signals in, and signals out to the process that holds the lock.

use std::path::Path;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

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

/// Sends a signal to the process that holds a pid file. `None` when nobody holds it.
///
/// # Errors
/// The file cannot be read, or the signal cannot be sent.
pub fn signal_process(pid_file: &Path, wanted: Signal) -> std::io::Result<Option<u32>> {
    let Some(pid) = super::PidFile::holder_pid(pid_file)? else { return Ok(None) };
    let signal = match wanted {
        Signal::Stop => nix::sys::signal::Signal::SIGTERM,
        Signal::Reload => nix::sys::signal::Signal::SIGHUP,
    };
    let raw = i32::try_from(pid).map_err(|_| std::io::Error::other("the pid file holds no process id"))?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(raw), signal)?;
    Ok(Some(pid))
}
