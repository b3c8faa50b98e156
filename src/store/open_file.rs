//! The file of a SQLite database that is open: whether its name still leads to it.

use super::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A file by its name, and which one that was when it was opened.
#[derive(Clone)]
pub(super) struct OpenFile {
    path: PathBuf,
    /// Device and number on it; unknown while the file is not there yet.
    opened: Arc<OnceLock<(u64, u64)>>,
}

impl OpenFile {
    /// The one that has this name now.
    pub(super) fn new(path: PathBuf) -> OpenFile {
        let file = OpenFile {
            path,
            opened: Arc::default(),
        };
        // The first look is what later ones are held against.
        let _ = file.require_there();
        file
    }

    pub(super) const fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Refuses when somebody removed it or put another one in its place: what is open has no name
    /// any more, and whatever is written into it is lost with the process.
    pub(super) fn require_there(&self) -> Result<(), Error> {
        match (number(&self.path), self.opened.get()) {
            (None, None) => Ok(()),
            (Some(there), _) if *self.opened.get_or_init(|| there) == there => Ok(()),
            _ => Err(Error::File {
                cause: format!(
                    "{} was removed, or another file put in its place, while it was open: stop classy-sync, put back the database that is \
                     meant, and start it again",
                    self.path.display()
                ),
            }),
        }
    }
}

fn number(path: &Path) -> Option<(u64, u64)> {
    let there = std::fs::metadata(path).ok()?;
    Some((there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_removed_or_replaced_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let file = OpenFile::new(path.clone());
        assert!(file.require_there().is_ok(), "it is not made yet");
        std::fs::write(&path, "1").unwrap();
        assert!(file.require_there().is_ok());
        std::fs::write(&path, "2").unwrap();
        assert!(file.require_there().is_ok(), "it is written into");
        let other = folder.path().join("b.db");
        std::fs::write(&other, "3").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(file.require_there().is_err(), "replaced");
        std::fs::remove_file(&path).unwrap();
        assert!(file.require_there().is_err(), "removed");
    }
}
