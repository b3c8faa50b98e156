//! Sockets in the file system: how one of ours is removed, and how one is reached whose path is
//! longer than the system takes.

use super::{folder_of, kind_of, require_owner};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Removes a socket of ours; one that is not there is fine.
///
/// # Errors
/// Anything else in its place.
pub fn remove_socket(path: &Path) -> Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(Error::new(
            ErrorKind::AlreadyExists,
            format!("it is {}, not a socket, and is left alone", kind_of(&found)),
        ));
    }
    require_owner(&found)?;
    std::fs::remove_file(path)
}

/// So many bytes of a socket's path the system takes.
const LONGEST_SOCKET: usize = 107;

/// A socket's path as the system takes it. A longer one is reached by way of its folder, which is
/// held open as long as this lives.
#[derive(Debug)]
pub struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    /// Of the path that people know.
    ///
    /// # Errors
    /// A folder that cannot be opened; a name that is too long by itself.
    pub fn of(path: &Path) -> Result<SocketPath> {
        use std::os::fd::AsRawFd;
        if path.as_os_str().len() <= LONGEST_SOCKET {
            return Ok(SocketPath {
                path: path.to_owned(),
                _folder: None,
            });
        }
        let folder = File::open(folder_of(path))?;
        let short = Path::new("/proc/self/fd")
            .join(folder.as_raw_fd().to_string())
            .join(path.file_name().unwrap_or_default());
        if short.as_os_str().len() > LONGEST_SOCKET || !Path::new("/proc/self/fd").exists() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{} is too long for a socket: give daemon.pid_file a shorter one",
                    path.display()
                ),
            ));
        }
        Ok(SocketPath {
            path: short,
            _folder: Some(folder),
        })
    }

    /// What to hand to the system.
    pub fn get(&self) -> &Path {
        &self.path
    }
}
