//! One writer a pid file: an advisory lock on a file that is never removed. The pid in it is only a hint for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// So much of a path's end is part of a holder's name.
const LONGEST: usize = 120;

/// The lock, held until dropped or until the process dies in any way.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
}

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// Another process has it.
    #[error("another classy-sync is at work: {} is held by {holder}", path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// What that process wrote into it.
        holder: String,
    },
    /// The file could not be opened or written.
    #[error("the pid file {} cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl PidFile {
    /// Takes the lock at once or says who has it. A file that a dead process left is not locked.
    ///
    /// # Errors
    /// See [`PidFileError`].
    pub fn lock(path: &Path) -> Result<PidFile, PidFileError> {
        let unusable = |source| PidFileError::Unusable { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(unusable)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Nothing readable in it is no reason to fail differently.
                let _ = file.read_to_string(&mut text);
                let pid = text.trim();
                let holder = if pid.is_empty() { "an unknown process".to_owned() } else { format!("process {pid}") };
                return Err(PidFileError::Held { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        file.set_len(0).map_err(unusable)?;
        file.seek(SeekFrom::Start(0)).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(PidFile { file, path: path.to_owned() })
    }

    /// The process that holds a pid file; `None` when nobody does.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn holder_pid(path: &Path) -> std::io::Result<Option<u32>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                Ok(text.trim().parse().ok())
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

    /// The name under which this process holds leases: the same for whoever gets this lock next, who may therefore take
    /// over at once what a killed predecessor left.
    pub fn holder(&self) -> String {
        let host = gethostname::gethostname();
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        // It is a key in the database, and those are short there.
        let path: String = path.display().to_string().chars().rev().take(LONGEST).collect::<Vec<_>>().into_iter().rev().collect();
        format!("{}:{path}", host.to_string_lossy().chars().take(60).collect::<String>())
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
        let first = PidFile::lock(&path).unwrap();
        let refused = PidFile::lock(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        let name = first.holder();
        drop(first);
        assert_eq!(PidFile::lock(&path).unwrap().holder(), name);
    }

    #[test]
    fn a_stale_file_is_not_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classy-sync.pid");
        std::fs::write(&path, "1\n").unwrap();
        PidFile::lock(&path).unwrap();
    }
}
