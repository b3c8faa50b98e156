//! What the daemon finds out besides its organizations' rows: secrets of others, files that are wrong, where it writes, where it may be
//! asked.

use crate::actors::{HookSecrets, Surroundings};
use crate::config::{Config, ConfigError, Secret};
use crate::credentials::{Applied, require_keys};
use crate::health::Messenger;
use crate::store::Store;
use crate::vault::Vault;
use secrecy::SecretString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// Finds it out.
///
/// # Errors
/// A secret of the main file that cannot be had; a listener that would let everybody in.
pub(super) async fn find(
    config: &Config,
    store: &Store,
    vault: &Vault,
    applied: &[Applied],
    wrong: &[ConfigError],
    not_listening: Option<String>,
) -> Result<Surroundings, ConfigError> {
    let keys_missing = require_keys(store, vault).await.err().map(|error| error.to_string());
    if let Some(error) = &keys_missing {
        // The organizations that these keys sealed cannot be served; the others can.
        tracing::error!(error, "keys are missing");
    }
    let secret = |secret: &Secret, key| main_secret(&config.file, secret, key);
    Ok(Surroundings {
        keys_missing,
        wrong_files: wrong.iter().map(ToString::to_string).collect(),
        places: places(config),
        organizations: applied.iter().map(|applied| (applied.organization.classy_id, applied.clone())).collect(),
        hooks: applied.iter().map(|applied| (applied.organization.classy_id, hooks(applied))).collect(),
        token: required_token(config)?,
        messenger: Some(Messenger::new(
            secret(&config.alerts.webhook, "alerts.webhook")?,
            secret(&config.alerts.dead_man, "alerts.dead_man")?,
        )),
        not_listening,
    })
}

/// The token; it must be there when others than this machine may ask.
pub(super) fn required_token(config: &Config) -> Result<Option<SecretString>, ConfigError> {
    let token = main_secret(&config.file, &config.http.token, "http.token")?;
    if token.is_none() && !config.http.listen.ip().is_loopback() {
        let cause = format!(
            "{} can be reached from elsewhere, so http.token is needed: set it, or CLASSY_SYNC_HTTP_TOKEN, or listen on 127.0.0.1",
            config.http.listen
        );
        return Err(ConfigError::Value { place: config.file.display().to_string(), key: "http.listen".to_owned(), cause });
    }
    Ok(token)
}

/// A variable that is not set is as good as left out; anything else must be there.
fn main_secret(file: &Path, secret: &Secret, key: &str) -> Result<Option<SecretString>, ConfigError> {
    if secret.is_unset() { Ok(None) } else { secret.resolve(file, key).map(Some) }
}

fn hooks(applied: &Applied) -> HookSecrets {
    let file = &applied.file;
    let found = |secret: &Option<Secret>, key| {
        let secret = secret.as_ref().filter(|secret| !secret.is_unset())?;
        let resolved = secret.resolve(&file.path, key);
        resolved.inspect_err(|error| tracing::error!(organization = file.classy_id, %error, "webhooks of this kind are not taken")).ok()
    };
    HookSecrets { classy: found(&file.hooks.classy, "hooks.classy"), mailchimp: found(&file.hooks.mailchimp, "hooks.mailchimp") }
}

fn places(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let folder = |path: &Path| path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let log = (!config.log.file.as_os_str().is_empty()).then(|| ("log", folder(&config.log.file)));
    std::iter::once(("pid file", folder(&config.daemon.pid_file))).chain(log).collect()
}

/// Opens `http.listen`. Without it the daemon serves all the same, and says so.
pub(super) fn listen(config: &Config) -> Result<TcpListener, String> {
    let address = config.http.listen;
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))
}
