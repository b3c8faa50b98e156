//! What the machine says of disk and memory.

use super::facts::Space;
use std::path::Path;

/// The room where a folder is; none when the system does not say.
pub fn free_space(what: &'static str, folder: &Path) -> Option<Space> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
    Some(Space { what, free: bytes(found.blocks_available()), total: bytes(found.blocks()) })
}

/// Resident memory of this process in bytes; 0 where the system does not say.
pub fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
