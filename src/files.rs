//! Files that only their owner may read, made so that nobody else on the machine can be in the way
//! or be hurt: nothing is followed through a symbolic link, nothing of somebody else is emptied,
//! removed or made private, and whatever is made is private from the first moment, whatever the
//! umask.

mod open_file;
mod socket;

pub use open_file::OpenFile;
pub use socket::{SocketPath, listener_of, remove_socket};

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Whose files are ours: the user that this process acts as.
fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Lets no file that this process makes be read by others, also those that libraries make
/// (SQLite's).
pub fn keep_new_files_private() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

/// Makes a folder and those above it, for its owner only; one that is there stays as it is.
///
/// # Errors
/// As the system says.
pub fn make_folder(folder: &Path) -> Result<()> {
    if folder.as_os_str().is_empty() {
        Ok(())
    } else {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }
}

/// Takes from a file the rights that others have to it.
///
/// # Errors
/// As the system says.
pub fn make_private(file: &File) -> Result<()> {
    if file.metadata()?.mode() & 0o077 == 0 {
        Ok(())
    } else {
        file.set_permissions(Permissions::from_mode(0o600))
    }
}

/// Opens a file of ours for reading and writing; one that is not there is made. One that is there
/// keeps its mode: see [`make_private`].
///
/// # Errors
/// A symbolic link, anything but a regular file, a file of somebody else, one that is linked
/// elsewhere, too.
pub fn open_own(path: &Path) -> Result<File> {
    // Two turns, since somebody may make or remove it between the two ways of opening.
    for _ in 0..2 {
        match options().create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map_err(|error| with_owner(path, error)),
        }
        match options().open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(explained(path, error)),
            Ok(file) => {
                let found = file.metadata()?;
                require_own(&found)?;
                return Ok(file);
            }
        }
    }
    Err(Error::other("it comes and goes"))
}

/// Makes a file that is not there yet and writes it.
///
/// # Errors
/// A file of that name that is there already; as the system says.
pub fn create(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = options()
        .create_new(true)
        .open(path)
        .map_err(|error| with_owner(path, error))?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a file of ours whole or not at all, or makes it.
///
/// # Errors
/// A symbolic link, anything but a regular file, or a file of somebody else in its place; as the
/// system says.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => require_own(&found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let folder = folder_of(path);
    // Under a name that nobody can know beforehand, made with O_EXCL and 0600.
    let mut new = tempfile::Builder::new()
        .prefix(".classy-sync-")
        .tempfile_in(&folder)?;
    new.write_all(content)?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|failed| failed.error)?;
    // The name is on disk only when its folder is.
    File::open(folder)?.sync_all()
}

/// Opens a regular file for reading. Links are followed: secrets in containers are links. Never
/// waits for whoever writes into a pipe.
///
/// # Errors
/// Anything but a regular file; as the system says.
pub fn open_regular(path: &Path) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY)
        .open(path);
    let file = opened.map_err(|error| with_owner(path, error))?;
    let found = file.metadata()?;
    if found.is_file() {
        Ok(file)
    } else {
        Err(Error::other(format!(
            "it is {}, not a file",
            kind_of(&found)
        )))
    }
}

/// Reads a text from a regular file of at most so many bytes.
///
/// # Errors
/// Anything but a regular file, a larger one, one that is not UTF-8; as the system says.
pub fn read_text(path: &Path, most_bytes: u64) -> Result<String> {
    let mut text = String::new();
    let read = open_regular(path)?
        .take(most_bytes + 1)
        .read_to_string(&mut text);
    // The system's text for bytes that are not UTF-8 is about streams.
    read.map_err(|error| {
        if error.kind() == ErrorKind::InvalidData {
            Error::new(error.kind(), "it is not UTF-8 text")
        } else {
            error
        }
    })?;
    if text.len() as u64 > most_bytes {
        Err(Error::other(format!(
            "it is larger than {most_bytes} bytes"
        )))
    } else {
        Ok(text)
    }
}

/// An error about a file, for people: a refusal says whose file it is, or whose folder when it is
/// not there.
pub fn whose(path: &Path, error: &Error) -> String {
    let text = format!("{}: {error}", path.display());
    if error.kind() != ErrorKind::PermissionDenied {
        return text;
    }
    owner_of(path).map_or_else(|| text.clone(), |owner| format!("{text}: {owner}"))
}

/// The same error; a refusal says whose file it is: a service's files may have been made by root
/// before.
fn with_owner(path: &Path, error: Error) -> Error {
    // What was not said by the system says it already.
    if error.kind() != ErrorKind::PermissionDenied || error.raw_os_error().is_none() {
        return error;
    }
    owner_of(path).map_or(error, |owner| {
        Error::new(
            ErrorKind::PermissionDenied,
            format!("permission denied: {owner}"),
        )
    })
}

/// Whose a file is, or its folder when it is not there or cannot be seen.
fn owner_of(path: &Path) -> Option<String> {
    let found = std::fs::symlink_metadata(path).map(|found| (path.to_owned(), found));
    let (place, found) = found
        .or_else(|_| {
            std::fs::symlink_metadata(folder_of(path)).map(|found| (folder_of(path), found))
        })
        .ok()?;
    let (owner, us) = (user_name(found.uid()), user_name(user()));
    let mode = found.mode() & 0o777;
    Some(format!(
        "{} belongs to user {owner} (mode {mode:03o}), and this process is user {us}",
        place.display()
    ))
}

/// Who may open a file besides its owner: its mode when that is anybody. What a platform hands over
/// to this process alone (systemd's credentials, the secrets of Docker and Kubernetes) has modes of
/// its own for reading, and none by which others may write.
pub fn wide_mode(path: &Path) -> Option<u32> {
    let found = std::fs::metadata(path).ok()?;
    let mode = found.mode() & 0o777;
    let others = if is_handed_over(path) { 0o022 } else { 0o077 };
    (mode & others != 0).then_some(mode)
}

/// Whether a platform put the file there for this process.
pub fn is_handed_over(path: &Path) -> bool {
    let folder = folder_of(path);
    let within = |place: &Path| {
        folder.starts_with(place)
            || folder
                .canonicalize()
                .is_ok_and(|folder| folder.starts_with(place))
    };
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY")
        .filter(|place| !place.is_empty())
        .map(PathBuf::from);
    // Kubernetes mounts secrets and configurations as links through `..data`.
    within(Path::new("/run/secrets"))
        || credentials.is_some_and(|place| within(&place))
        || folder.join("..data").exists()
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // O_NONBLOCK: a pipe in its place must not make us wait.
    options
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
    options
}

fn require_own(found: &Metadata) -> Result<()> {
    if !found.is_file() {
        return Err(Error::other(format!(
            "it is {}, not a file, and is left alone",
            kind_of(found)
        )));
    }
    if found.nlink() > 1 {
        return Err(Error::other(
            "it has another name, too (a hard link), and is left alone",
        ));
    }
    require_owner(found)
}

fn require_owner(found: &Metadata) -> Result<()> {
    let (owner, us) = (found.uid(), user());
    if owner == us {
        return Ok(());
    }
    let text = format!(
        "it belongs to user {} and this process is user {}; it is left alone",
        user_name(owner),
        user_name(us)
    );
    Err(Error::new(ErrorKind::PermissionDenied, text))
}

fn user_name(uid: u32) -> String {
    match nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)) {
        Ok(Some(user)) => format!("'{}'", user.name),
        _ => format!("number {uid}"),
    }
}

/// The system's own words for a link that is not followed speak of too many of them.
fn explained(path: &Path, error: Error) -> Error {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Error::other(format!(
            "it is {}, not a file, and is left alone",
            kind_of(&found)
        )),
        Ok(found) => require_owner(&found).err().unwrap_or(error),
        Err(_) => error,
    }
}

fn kind_of(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    match () {
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "a file",
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .to_owned()
}

#[cfg(test)]
mod tests;
