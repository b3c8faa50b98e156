//! What the daemon knows besides its organizations: found at the start and at each reload, read by
//! whoever watches.

use crate::files::OpenFile;
use crate::health::Messenger;
use std::path::PathBuf;

/// One picture of them; a reload puts a new one in its place.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// What the vault lacks.
    pub keys_missing: Option<String>,
    /// Organizations' files that could not be read.
    pub wrong_files: Vec<String>,
    /// What is written where, for the free space there.
    pub places: Vec<(&'static str, PathBuf)>,
    /// Files that hold what is private, besides the database's: keys, logs, the lock.
    pub private_files: Vec<PathBuf>,
    /// The configuration's files.
    pub configuration_files: Vec<PathBuf>,
    /// Why `http.listen` could not be opened.
    pub not_listening: Option<String>,
    /// What commands know this process by: the lock and the control socket.
    pub ways_in: Vec<OpenFile>,
    /// Where alerts go; absent: nowhere yet.
    pub messenger: Option<Messenger>,
}
