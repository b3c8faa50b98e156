//! Who holds a pid file, as its file and the socket beside it say.

use crate::files;
use std::fs::TryLockError;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A number and a line end; what is longer is no pid file of ours.
pub(super) const LONGEST_PID: u64 = 32;

/// What holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The daemon.
    Daemon,
    /// Somebody's command, by its word.
    Command(&'static str),
}

/// Who holds a lock, as its file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBy {
    /// The process.
    pub pid: u32,
    /// The command's word; absent: the daemon.
    pub command: Option<String>,
}

impl HeldBy {
    /// The process that holds a pid file; `None` when nobody does. A daemon whose file was removed
    /// is known by its socket.
    ///
    /// # Errors
    /// The file cannot be read, or it names a process of somebody else than its owner: signals are
    /// not sent on the word of whoever could write a number there.
    pub fn of(path: &Path) -> std::io::Result<Option<HeldBy>> {
        let mut file = match files::open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(HeldBy::daemon_at_socket(path));
            }
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(HeldBy::daemon_at_socket(path)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                Read::by_ref(&mut file)
                    .take(LONGEST_PID)
                    .read_to_string(&mut text)?;
                let Some(held) = HeldBy::parse(&text) else {
                    return Ok(None);
                };
                let pid = held.pid;
                let process = std::fs::metadata(format!("/proc/{pid}"))
                    .ok()
                    .map(|process| process.uid());
                if process.is_some_and(|process| {
                    process != file.metadata().map_or(process, |file| file.uid())
                }) {
                    let text = format!(
                        "{} names process {pid}, which belongs to somebody else than the file",
                        path.display()
                    );
                    return Err(std::io::Error::new(
                        std::io::ErrorKind::PermissionDenied,
                        text,
                    ));
                }
                Ok(Some(held))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The daemon that listens beside a pid file that nobody has locked: somebody removed the one
    /// that it has.
    pub(super) fn daemon_at_socket(path: &Path) -> Option<HeldBy> {
        let pid = files::listener_of(&socket_of(path))?;
        Some(HeldBy { pid, command: None })
    }

    /// Whether it is a daemon.
    pub const fn is_daemon(&self) -> bool {
        self.command.is_none()
    }

    pub(super) fn parse(text: &str) -> Option<HeldBy> {
        let (pid, command) = text
            .trim()
            .split_once(' ')
            .map_or((text.trim(), None), |(pid, word)| {
                (pid, Some(word.trim().to_owned()))
            });
        Some(HeldBy {
            pid: pid.parse().ok()?,
            command,
        })
    }
}

impl std::fmt::Display for HeldBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.command {
            None => write!(f, "process {}", self.pid),
            Some(command) => write!(f, "process {} (`{command}`)", self.pid),
        }
    }
}

/// Where the daemon of a pid file may be spoken to: beside it.
pub fn socket_of(path: &Path) -> PathBuf {
    path.with_extension("sock")
}
