//! Where a service keeps its files when its configuration is below `/etc`, where nothing is
//! written.

use std::path::{Path, PathBuf};

/// Where a service whose configuration is in /etc/NAME keeps data, what lives as long as it runs,
/// and logs.
pub(super) fn homes(file: &Path) -> Option<[PathBuf; 3]> {
    let folder = std::path::absolute(file)
        .ok()?
        .parent()?
        .strip_prefix("/etc")
        .ok()?
        .to_owned();
    let name = if folder.as_os_str().is_empty() {
        PathBuf::from("classy-sync")
    } else {
        folder
    };
    Some(["/var/lib", "/run", "/var/log"].map(|home| Path::new(home).join(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_below_etc() {
        let config = |file: &str| {
            homes(Path::new(file))
                .map(|homes| homes.map(|home| home.display().to_string()).join(" "))
        };
        assert_eq!(
            config("/etc/classy-sync/classy-sync.toml").as_deref(),
            Some("/var/lib/classy-sync /run/classy-sync /var/log/classy-sync")
        );
        assert_eq!(
            config("/etc/a/b/c.toml").as_deref(),
            Some("/var/lib/a/b /run/a/b /var/log/a/b")
        );
        assert_eq!(
            config("/etc/c.toml").as_deref(),
            Some("/var/lib/classy-sync /run/classy-sync /var/log/classy-sync")
        );
        assert!(
            ["/srv/etc/c.toml", "/etcetera/c.toml", "c.toml"]
                .iter()
                .all(|file| config(file).is_none())
        );
    }
}
