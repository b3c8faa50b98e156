//! One writer a pid file: an advisory lock on a file that is never removed. The pid in it is a hint
//! for people; the word behind it says that its holder is a command, which nobody else may stop.

use crate::files;
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// So much of a path's end is part of a holder's name.
const LONGEST: usize = 90;

/// A number and a line end; what is longer is no pid file of ours.
const LONGEST_PID: u64 = 32;

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
    /// Whether it is a daemon.
    pub const fn is_daemon(&self) -> bool {
        self.command.is_none()
    }

    fn of(text: &str) -> Option<HeldBy> {
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

/// The lock, held until dropped or until the process dies in any way.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
    /// Of this life of a process: no other has it.
    life: u64,
}

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// Another process has it.
    #[error("another classy-sync is at work: {} is held by {holder}", path.display())]
    Held {
        /// Where it is.
        path: PathBuf,
        /// What that process wrote into it.
        holder: String,
    },
    /// It holds something else than a pid: somebody's file, which writing a pid would destroy.
    #[error("daemon.pid_file is {}, and that is no pid file: there is something else in it", path.display())]
    Foreign {
        /// Where it is.
        path: PathBuf,
    },
    /// The file could not be opened or written.
    #[error("the pid file {} cannot be used", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl PidFile {
    /// Takes the lock at once or says who has it. A file that a dead process left is not locked.
    ///
    /// # Errors
    /// See [`PidFileError`].
    pub fn lock(path: &Path, as_what: Holder) -> Result<PidFile, PidFileError> {
        let unusable = |source| PidFileError::Unusable {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            files::make_folder(folder).map_err(unusable)?;
        }
        // For its owner only: whoever may open it could hold its lock and keep every command out.
        let mut file = files::open_own(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Nothing readable in it is no reason to fail differently.
                let _ = file.take(LONGEST_PID).read_to_string(&mut text);
                let holder = HeldBy::of(&text)
                    .map_or_else(|| "an unknown process".to_owned(), |held| held.to_string());
                return Err(PidFileError::Held {
                    path: path.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // The configuration may name any file by mistake, the vault's key or the database.
        let mut before = Vec::new();
        Read::by_ref(&mut file)
            .take(LONGEST_PID + 1)
            .read_to_end(&mut before)
            .map_err(unusable)?;
        let is_ours = before.is_empty()
            || std::str::from_utf8(&before).is_ok_and(|text| HeldBy::of(text).is_some());
        if !is_ours || before.len() as u64 > LONGEST_PID {
            return Err(PidFileError::Foreign {
                path: path.to_owned(),
            });
        }
        files::make_private(&file).map_err(unusable)?;
        file.set_len(0).map_err(unusable)?;
        file.seek(SeekFrom::Start(0)).map_err(unusable)?;
        let word = match as_what {
            Holder::Daemon => String::new(),
            Holder::Command(word) => format!(" {word}"),
        };
        writeln!(file, "{}{word}", std::process::id()).map_err(unusable)?;
        Ok(PidFile {
            file,
            path: path.to_owned(),
            life: rand::random(),
        })
    }

    /// The process that holds a pid file; `None` when nobody does.
    ///
    /// # Errors
    /// The file cannot be read, or it names a process of somebody else than its owner: signals are
    /// not sent on the word of whoever could write a number there.
    pub fn held_by(path: &Path) -> std::io::Result<Option<HeldBy>> {
        let mut file = match files::open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                std::io::Read::by_ref(&mut file)
                    .take(LONGEST_PID)
                    .read_to_string(&mut text)?;
                let Some(held) = HeldBy::of(&text) else {
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

    /// Where the process that holds this file may be spoken to.
    pub fn socket(&self) -> PathBuf {
        PidFile::socket_of(&self.path)
    }

    /// Where the process that holds a pid file may be spoken to: beside it.
    pub fn socket_of(path: &Path) -> PathBuf {
        path.with_extension("sock")
    }

    /// The name under which this process holds leases, `HOST:PATH#PLACE.LIFE` (see
    /// [`crate::store::place_of`]). No other process has it, and whoever gets this lock next knows
    /// by the place that this life is over.
    pub fn holder(&self) -> String {
        let host = gethostname::gethostname();
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        // It is a key in the database, and those are short there.
        let path: String = path
            .display()
            .to_string()
            .chars()
            .rev()
            .take(LONGEST)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let host: String = host.to_string_lossy().chars().take(60).collect();
        let tidy = |text: String| text.replace('#', "_");
        format!(
            "{}:{}#{:016x}.{:016x}",
            tidy(host),
            tidy(path),
            self.place(),
            self.life
        )
    }

    /// Which lock this is, among all machines: two processes that have had the lock of one place
    /// cannot both be alive. Host names and paths do not tell, since containers share them; the
    /// running system and the file's number there do.
    fn place(&self) -> u64 {
        let system = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        match (system, self.file.metadata()) {
            (Ok(system), Ok(file)) => {
                let digest =
                    Sha256::digest(format!("{} {} {}", system.trim(), file.dev(), file.ino()));
                digest
                    .iter()
                    .take(8)
                    .fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
            // Nobody is taken for its predecessor.
            _ => self.life,
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // The lock goes with the descriptor; an empty file says that nobody is at work.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_and_the_next_gets_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/classy-sync.pid");
        let first = PidFile::lock(&path, Holder::Daemon).unwrap();
        let refused = PidFile::lock(&path, Holder::Daemon)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        assert!(PidFile::held_by(&path).unwrap().unwrap().is_daemon());
        let name = first.holder();
        drop(first);
        let next = PidFile::lock(&path, Holder::Daemon).unwrap().holder();
        assert!(
            next != name && crate::store::place_of(&next) == crate::store::place_of(&name),
            "another life at the same place: {next} {name}"
        );
        // The same name elsewhere is another place.
        // Kept under another name, so that the file system cannot give its number to the new one.
        std::fs::rename(&path, folder.path().join("before.pid")).unwrap();
        let elsewhere = PidFile::lock(&path, Holder::Daemon).unwrap().holder();
        assert_ne!(
            crate::store::place_of(&elsewhere),
            crate::store::place_of(&name)
        );
        assert_eq!(
            crate::store::readable(&elsewhere),
            crate::store::readable(&name)
        );
    }

    #[test]
    fn nobody_else_can_open_it_and_a_link_in_its_place_hurts_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classy-sync.pid");
        let mode = || std::fs::metadata(&path).unwrap().mode() & 0o777;
        drop(PidFile::lock(&path, Holder::Daemon).unwrap());
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .unwrap();
        drop(PidFile::lock(&path, Holder::Daemon).unwrap());
        assert_eq!(mode(), 0o600, "one of before is made private");
        let (victim, link) = (folder.path().join("victim"), folder.path().join("link.pid"));
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let refused = PidFile::lock(&link, Holder::Daemon).unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("symbolic link"), "{cause}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_file_that_is_something_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for content in [
            "k1:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=",
            "x",
            "pid 12",
            "12345678901234567890123456789012345",
            "\u{0}",
        ] {
            let path = folder.path().join("vault.key");
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .unwrap();
            assert!(
                matches!(
                    PidFile::lock(&path, Holder::Daemon),
                    Err(PidFileError::Foreign { .. })
                ),
                "{content}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert_eq!(
                std::fs::metadata(&path).unwrap().mode() & 0o777,
                0o644,
                "{content}: its mode, too"
            );
        }
        let stale = folder.path().join("stale.pid");
        std::fs::write(&stale, "4242 sync\n").unwrap();
        PidFile::lock(&stale, Holder::Daemon).unwrap();
    }

    #[test]
    fn a_command_is_told_from_a_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classy-sync.pid");
        let _lock = PidFile::lock(&path, Holder::Command("sync")).unwrap();
        let held = PidFile::held_by(&path).unwrap().unwrap();
        assert_eq!(
            (held.pid, held.command.as_deref(), held.is_daemon()),
            (std::process::id(), Some("sync"), false)
        );
    }

    #[test]
    fn a_stale_file_is_not_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classy-sync.pid");
        std::fs::write(&path, "1\n").unwrap();
        PidFile::lock(&path, Holder::Daemon).unwrap();
    }
}
