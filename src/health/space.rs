//! What the machine says of disk, memory and the modes of files.

use super::facts::{Space, WideFile};
use crate::files;
use std::path::{Path, PathBuf};

/// The room where a folder is; none when the system does not say.
pub fn free_space(what: &'static str, folder: &Path) -> Option<Space> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
    Some(Space {
        what,
        free: bytes(found.blocks_available()),
        total: bytes(found.blocks()),
    })
}

/// Resident memory of this process in bytes; 0 where the system does not say.
pub fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    kib.unwrap_or(0) * 1_024
}

/// Those among our files that others may open: data, keys and logs on the one hand, configuration
/// on the other.
pub fn wide_files<'a>(
    data: impl Iterator<Item = &'a PathBuf>,
    configuration: impl Iterator<Item = &'a PathBuf>,
) -> Vec<WideFile> {
    let all = data
        .map(|path| (path, false))
        .chain(configuration.map(|path| (path, true)));
    all.filter_map(|(path, is_configuration)| {
        Some(WideFile {
            path: path.clone(),
            mode: files::wide_mode(path)?,
            is_configuration,
        })
    })
    .collect()
}
