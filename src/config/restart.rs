//! Which settings a running process takes over only when it starts.

use super::Config;
use secrecy::ExposeSecret;

impl Config {
    /// The keys whose values in `new` are others than here and are in force only after a restart.
    pub fn needs_restart(&self, new: &Config) -> Vec<&'static str> {
        let (here, there) = (self, new);
        [
            (
                "database.url",
                here.database.url.expose_secret() != there.database.url.expose_secret(),
            ),
            (
                "database.max_connections",
                here.database.max_connections != there.database.max_connections,
            ),
            (
                "vault.key_file",
                here.vault.key_file != there.vault.key_file,
            ),
            (
                "vault.keys",
                here.vault.keys.expose_secret() != there.vault.keys.expose_secret(),
            ),
            (
                "sync.max_concurrent_runs",
                here.sync.max_concurrent_runs != there.sync.max_concurrent_runs,
            ),
            ("http.listen", here.http.listen != there.http.listen),
            (
                "log",
                (
                    here.log.format,
                    &here.log.level,
                    &here.log.file,
                    here.log.keep,
                ) != (
                    there.log.format,
                    &there.log.level,
                    &there.log.file,
                    there.log.keep,
                ),
            ),
            (
                "daemon.pid_file",
                here.daemon.pid_file != there.daemon.pid_file,
            ),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}
