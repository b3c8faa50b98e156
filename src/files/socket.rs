//! Sockets in the file system: how one of ours is removed, who listens at one, and how one is
//! reached whose path is longer than the system takes.

use super::{folder_of, kind_of, require_owner};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
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

/// Which process listens at a socket, as the system says: one that acts as the owner of the socket's
/// file; `None`: nobody does, or it is not known who. It does not matter whether that process has
/// time for an answer.
pub fn listener_of(path: &Path) -> Option<u32> {
    let owner = std::fs::symlink_metadata(path).ok()?.uid();
    let short = SocketPath::of(path).ok()?;
    let address = UnixAddr::new(short.get()).ok()?;
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let ours = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
    connect(ours.as_raw_fd(), &address).ok()?;
    let peer = getsockopt(&ours, PeerCredentials).ok()?;
    let pid = u32::try_from(peer.pid()).ok()?;
    (pid > 0 && peer.uid() == owner).then_some(pid)
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
