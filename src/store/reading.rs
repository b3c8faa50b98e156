//! How a SQLite database is opened by whoever only reads: nothing is made beside it, and no right
//! to write is needed.
//!
//! A database in WAL mode needs its `-wal` and `-shm` beside it, and SQLite makes them for readers,
//! too. So while nobody has it open it is read as a file that does not change (`immutable`), and
//! whether that was true is looked at when it is closed. While somebody has it open, or was killed,
//! both files are there and are used.

use super::Error;
use std::fs::{Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where its header says how it is written.
const WRITE_VERSION: usize = 18;
const WAL: u8 = 2;

/// How a SQLite file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Beside those who write.
    Shared,
    /// Nobody has it open: as a file that does not change, with what would show that it did.
    Alone(PathBuf, Stamp),
}

/// What differs after a file was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    written_at: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            length: metadata.len(),
            written_at: metadata.modified().ok(),
        }
    }
}

impl Reading {
    /// Looks at a file.
    pub(super) fn of(file: &Path) -> Result<Reading, Error> {
        let failed = |error: std::io::Error| Error::File {
            cause: crate::files::whose(file, &error),
        };
        let mut opened = match crate::files::open_regular(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NothingYet {
                    place: format!("the database {} is not there", file.display()),
                });
            }
            Err(error) => return Err(failed(error)),
        };
        let metadata = opened.metadata().map_err(failed)?;
        if metadata.len() == 0 {
            return Err(Error::NothingYet {
                place: format!("the database {} is empty", file.display()),
            });
        }
        let mut header = [0; WRITE_VERSION + 1];
        let is_wal = opened.read_exact(&mut header).is_ok()
            && header.starts_with(MAGIC)
            && header[WRITE_VERSION] == WAL;
        let log = std::fs::metadata(beside(file, "-wal")).map(|log| log.len());
        let has_index = beside(file, "-shm").exists();
        match log {
            Ok(length) if length > 0 || has_index => Ok(Reading::Shared),
            _ if is_wal => Ok(Reading::Alone(file.to_owned(), Stamp::of(&metadata))),
            // With a journal of the older kind readers make nothing.
            _ => Ok(Reading::Shared),
        }
    }

    pub(super) const fn is_alone(&self) -> bool {
        matches!(self, Reading::Alone(..))
    }

    /// Whether nobody wrote where nobody was expected to.
    pub(super) fn was_right(&self) -> bool {
        match self {
            Reading::Shared => true,
            Reading::Alone(file, before) => {
                std::fs::metadata(file).is_ok_and(|now| Stamp::of(&now) == *before)
            }
        }
    }
}

/// What is in the way of reading beside a log that was left: its index can be made only by who may
/// write there.
pub(super) fn left_behind(file: &Path) -> Option<String> {
    let (log, index) = (beside(file, "-wal"), beside(file, "-shm"));
    (log.exists() && !index.exists()).then(|| {
        format!(
            "{} was not closed properly: what was written last is in {}, and reading it needs the right to write into that folder",
            file.display(),
            log.display()
        )
    })
}

/// Whoever writes must be able to write into what is there: the files of another user are found
/// before anything is tried.
pub(super) fn require_writable(file: &Path) -> Result<(), Error> {
    for file in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm")] {
        match OpenOptions::new().read(true).write(true).open(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::File {
                    cause: crate::files::whose(&file, &error),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
