//! A file that is held open: whether its name still leads to it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A file by its name, and which one that was when it was opened.
#[derive(Debug, Clone)]
pub struct OpenFile {
    path: PathBuf,
    /// Device and number on it; unknown while the file is not there yet.
    opened: Arc<OnceLock<(u64, u64)>>,
}

impl OpenFile {
    /// The one that has this name now.
    pub fn new(path: PathBuf) -> OpenFile {
        let file = OpenFile {
            path,
            opened: Arc::default(),
        };
        // The first look is what later ones are held against.
        let _ = file.is_there();
        file
    }

    /// Its name.
    pub const fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Whether nobody removed it or put another one in its place: what is open has no name any more
    /// then. One that is not made yet is as good as there.
    pub fn is_there(&self) -> bool {
        match (number(&self.path), self.opened.get()) {
            (None, None) => true,
            (Some(there), _) => *self.opened.get_or_init(|| there) == there,
            (None, Some(_)) => false,
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
        assert!(file.is_there(), "it is not made yet");
        std::fs::write(&path, "1").unwrap();
        assert!(file.is_there());
        std::fs::write(&path, "2").unwrap();
        assert!(file.is_there(), "it is written into");
        let other = folder.path().join("b.db");
        std::fs::write(&other, "3").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(!file.is_there(), "replaced");
        std::fs::remove_file(&path).unwrap();
        assert!(!file.is_there(), "removed");
    }
}
