//! What most commands need: configuration, logs, database, vault, and the organizations after their files were applied.

use super::args::Cli;
use super::exit::{Code, Failure};
use super::output;
use crate::config::{Config, ConfigError, LogFormat};
use crate::credentials::{Applied, apply};
use crate::integrations::{load_organizations, secret_keys};
use crate::store::{Organization, Settings, Store};
use crate::telemetry::{self, Format, Guard, Target};
use crate::vault::{KeyRing, Vault};

/// The configuration with logs set up.
pub(super) struct App {
    pub(super) config: Config,
    _logs: Guard,
}

impl App {
    /// Reads the configuration and sets logs up on standard error, or in the file it names.
    pub(super) fn start(cli: &Cli) -> Result<App, Failure> {
        let config = Config::load(cli.config.as_deref(), environment())?;
        App::with(cli, config)
    }

    /// The same for the daemon, whose logs are its voice: on standard output, or in the file.
    pub(super) fn daemon(cli: &Cli) -> Result<App, Failure> {
        let config = Config::load(cli.config.as_deref(), environment())?;
        let level = cli.log_level.as_deref().unwrap_or(&config.log.level).to_owned();
        App::log(config, &level, Target::Stdout)
    }

    pub(super) fn with(cli: &Cli, config: Config) -> Result<App, Failure> {
        let level = cli.log_level.as_deref().unwrap_or(&config.log.level);
        // Commands speak for themselves; their logs are for when somebody asked, or for the file.
        let quiet = cli.log_level.is_none() && config.log.file.as_os_str().is_empty();
        let level = if quiet { "error" } else { level };
        let level = level.to_owned();
        App::log(config, &level, Target::Stderr)
    }

    /// Sets logs up: in the file that the configuration names, else on `stream`.
    fn log(config: Config, level: &str, stream: Target) -> Result<App, Failure> {
        let target = if config.log.file.as_os_str().is_empty() {
            stream
        } else {
            Target::File { path: config.log.file.clone(), keep: config.log.keep }
        };
        let format = match config.log.format {
            LogFormat::Bunyan => Format::Bunyan,
            LogFormat::Pretty => Format::Pretty,
        };
        let logs = telemetry::init(format, level, &target).map_err(|error| Failure::new(Code::Configuration, error))?;
        Ok(App { config, _logs: logs })
    }

    /// The database, its schema up to date.
    pub(super) async fn store(&self) -> Result<Store, Failure> {
        let store = self.connect().await?;
        store.migrate().await?;
        Ok(store)
    }

    /// The database as it is.
    pub(super) async fn connect(&self) -> Result<Store, Failure> {
        let database = &self.config.database;
        Ok(Store::connect(&Settings { url: database.url.clone(), max_connections: database.max_connections }).await?)
    }

    /// The vault.
    pub(super) fn vault(&self) -> Result<Vault, Failure> {
        Ok(Vault::new(KeyRing::load(&self.config.vault.keys, &self.config.vault.key_file)?))
    }

    /// Applies the organizations' files and says aloud which are wrong.
    pub(super) async fn organizations(&self, store: &Store, vault: &Vault) -> Result<(Vec<Applied>, Vec<ConfigError>), Failure> {
        let files = load_organizations(&self.config.organizations.dir);
        Ok(apply(store, vault, files, secret_keys).await?)
    }
}

/// The environment, as far as it is text.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Prints what is wrong with files, each as an error of its own.
pub(super) fn complain(wrong: Vec<ConfigError>) {
    for error in wrong {
        Failure::from(error).print();
    }
}

/// One organization by Classy's id.
pub(super) async fn find(store: &Store, classy_id: i64) -> Result<Organization, Failure> {
    store.organization(classy_id).await?.ok_or_else(|| unknown(classy_id))
}

pub(super) fn unknown(classy_id: i64) -> Failure {
    Failure::usage(format!("there is no organization {classy_id} here")).hint("`classy-sync org list` shows those there are")
}

/// Says on standard error what was done.
pub(super) fn done(text: &str) {
    output::remark(text);
}
