//! One writer a pid file: an advisory lock on a file that is never removed. The pid in it is a hint
//! for people; the word behind it says that its holder is a command, which nobody else may stop.

use super::holder::{HeldBy, Holder, LONGEST_PID, socket_of};
use crate::files::{self, OpenFile};
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// So much of a path's end is part of a holder's name.
const LONGEST: usize = 90;

/// The lock, held until dropped or until the process dies in any way.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
    /// Whether the path still leads to it.
    name: OpenFile,
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
                let holder = HeldBy::parse(&text)
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
            || std::str::from_utf8(&before).is_ok_and(|text| HeldBy::parse(text).is_some());
        if !is_ours || before.len() as u64 > LONGEST_PID {
            return Err(PidFileError::Foreign {
                path: path.to_owned(),
            });
        }
        if let Some(daemon) = HeldBy::daemon_at_socket(path) {
            return Err(PidFileError::Held {
                path: path.to_owned(),
                holder: format!("{daemon}, whose pid file was removed"),
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
            name: OpenFile::new(path.to_owned()),
            life: rand::random(),
        })
    }

    /// The file, as whoever watches looks after it: commands know this process by it.
    pub fn name(&self) -> OpenFile {
        self.name.clone()
    }

    /// Where the process that holds this file may be spoken to.
    pub fn socket(&self) -> PathBuf {
        socket_of(&self.path)
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
        assert!(HeldBy::of(&path).unwrap().unwrap().is_daemon());
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
        let held = HeldBy::of(&path).unwrap().unwrap();
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
