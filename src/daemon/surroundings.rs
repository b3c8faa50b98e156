//! What the daemon finds out besides its organizations' rows: secrets of others, files that are
//! wrong, where it writes, where it may be asked.

use crate::actors::{Plan, Surroundings};
use crate::config::{Config, ConfigError, LEAST_TOKEN, OrganizationFile, Secret};
use crate::credentials::{self, Applied, apply, folder, require_keys};
use crate::health::{Messenger, Way};
use crate::http::{HookSecrets, Settings};
use crate::integrations::{mailchimp, secret_keys};
use crate::store::Store;
use crate::vault::Vault;
use secrecy::{ExposeSecret, SecretString};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// What a reading of the configuration brings.
pub(super) struct Prepared {
    /// The organizations with their files.
    pub(super) applied: Vec<Applied>,
    /// What is wrong with files.
    pub(super) wrong: Vec<ConfigError>,
    /// What those who watch go by, but for how this process is reached.
    pub(super) surroundings: Surroundings,
    /// What the server goes by.
    pub(super) settings: Settings,
}

/// Applies the organizations' files and finds out the rest.
///
/// # Errors
/// What is wrong with the main file, or with the database; a secret of the main file that cannot be
/// had.
pub(super) async fn prepare(
    config: &Config,
    files: Vec<Result<OrganizationFile, ConfigError>>,
    store: &Store,
    vault: &Vault,
) -> Result<Prepared, credentials::Error> {
    let dir = &config.organizations.dir;
    let (applied, wrong) = apply(store, vault, &folder(dir), files, secret_keys).await?;
    log_config_errors(&wrong);
    let keys_missing = require_keys(store, vault)
        .await
        .err()
        .map(|error| error.to_string());
    if let Some(error) = &keys_missing {
        // The organizations that these keys sealed cannot be served; the others can.
        tracing::error!(error, "keys are missing");
    }
    let messenger = Messenger::new(config.alerts_webhook()?, config.alerts_dead_man()?);
    let settings = Settings {
        organizations: applied
            .iter()
            .map(|applied| (applied.organization.classy_id, applied.clone()))
            .collect(),
        hooks: applied
            .iter()
            .map(|applied| (applied.organization.classy_id, hooks(vault, applied)))
            .collect(),
        token: required_token(config)?,
        open_on_loopback: config.http.open_on_loopback,
        metrics_per_organization: config.http.metrics_per_organization,
        has_alert_webhook: messenger.way() == Way::Webhook,
        guard: Plan::of(config).guard,
    };
    let surroundings = Surroundings {
        keys_missing,
        wrong_files: wrong.iter().map(ToString::to_string).collect(),
        places: places(config),
        private_files: config.private_files(),
        configuration_files: config.configuration_files(),
        messenger: Some(messenger),
        ..Surroundings::default()
    };
    Ok(Prepared {
        applied,
        wrong,
        surroundings,
        settings,
    })
}

fn log_config_errors(wrong: &[ConfigError]) {
    for error in wrong {
        tracing::error!(%error, "an organization's file is wrong; it stays as it was");
    }
}

/// The token; one that is easy to guess is told.
pub(super) fn required_token(config: &Config) -> Result<Option<SecretString>, ConfigError> {
    let token = config.token()?;
    if token
        .as_ref()
        .is_some_and(|token| token.expose_secret().chars().count() < LEAST_TOKEN)
    {
        tracing::warn!(
            "http.token has fewer than {LEAST_TOKEN} characters: whoever can reach the port may guess it"
        );
    }
    Ok(token)
}

fn hooks(vault: &Vault, applied: &Applied) -> HookSecrets {
    let found = |secret: &Option<Secret>, key| {
        let resolved = hook(applied, secret.as_ref(), key)?;
        resolved
            .inspect_err(|error| tracing::error!(organization = applied.file.classy_id, %error, "webhooks of this kind are not taken"))
            .ok()
    };
    let secrets = &applied.file.hooks;
    let sealed = credentials::open(vault, &applied.organization)
        .ok()
        .flatten();
    let sealed = sealed.and_then(|sealed| {
        sealed
            .of_plugin(mailchimp::KIND.name)
            .remove(mailchimp::WEBHOOK_SECRET)
    });
    HookSecrets {
        classy: found(&secrets.classy, "hooks.classy"),
        mailchimp: found(&secrets.mailchimp, "hooks.mailchimp")
            .into_iter()
            .chain(sealed)
            .collect(),
    }
}

fn hook(
    applied: &Applied,
    secret: Option<&Secret>,
    key: &str,
) -> Option<Result<SecretString, ConfigError>> {
    Some(
        secret
            .filter(|secret| !secret.is_unset())?
            .resolve(&applied.file.path, key),
    )
}

fn places(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let folder = |path: &Path| {
        path.parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned()
    };
    let log = (!config.log.file.as_os_str().is_empty()).then(|| ("log", folder(&config.log.file)));
    std::iter::once(("pid file", folder(&config.daemon.pid_file)))
        .chain(log)
        .collect()
}

/// Opens `http.listen`. Without it the daemon serves all the same, and says so.
pub(super) fn listen(config: &Config) -> Result<TcpListener, String> {
    let address = config.http.listen;
    TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))
}
