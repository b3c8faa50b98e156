//! What most commands need: configuration, logs, database, vault, and the organizations after their
//! files were applied.

use super::args::Cli;
use super::exit::{Code, Failure};
use super::output;
use crate::config::{Config, ConfigError, LogFormat, OrganizationFile};
use crate::credentials::{self, Applied, ApplyPreview, apply, folder, preview, require_keys};
use crate::integrations::{load_organizations, secret_keys};
use crate::store::{self, Organization, Settings, Store};
use crate::telemetry::{self, Format, Guard, Target};
use crate::vault::{self, KeyRing, Vault};
use std::ffi::OsString;

/// The configuration with logs set up.
pub(super) struct App {
    pub(super) config: Config,
    _logs: Guard,
}

/// What a sync would work with.
pub(super) struct Expected {
    /// Each organization with the database that knows it.
    pub(super) places: Vec<(Store, Applied)>,
    pub(super) vault: Vault,
    pub(super) wrong: Vec<ConfigError>,
    /// To be closed at the end.
    pub(super) store: Store,
}

impl App {
    /// Reads the configuration and sets logs up on standard error.
    pub(super) fn start(cli: &Cli) -> Result<App, Failure> {
        let config = Config::load(cli.config.as_deref(), environment())?;
        App::with(cli, config)
    }

    /// The same for the daemon, whose logs are its voice: on standard output, or in the file, which
    /// is the daemon's alone.
    pub(super) fn daemon(cli: &Cli) -> Result<App, Failure> {
        let config = Config::load(cli.config.as_deref(), environment())?;
        let level = cli
            .log_level
            .as_deref()
            .unwrap_or(&config.log.level)
            .to_owned();
        let file = &config.log.file;
        let target = if file.as_os_str().is_empty() {
            Target::Stdout
        } else {
            Target::File {
                path: file.clone(),
                keep: config.log.keep,
            }
        };
        App::log(config, &level, &target)
    }

    pub(super) fn with(cli: &Cli, config: Config) -> Result<App, Failure> {
        // Commands speak for themselves; their logs are for when somebody asked.
        let level = cli.log_level.as_deref().unwrap_or("error");
        App::log(config, level, &Target::Stderr)
    }

    fn log(config: Config, level: &str, target: &Target) -> Result<App, Failure> {
        let format = match config.log.format {
            LogFormat::Bunyan => Format::Bunyan,
            LogFormat::Pretty => Format::Pretty,
        };
        let logs = telemetry::init(format, level, target)
            .map_err(|error| Failure::new(Code::Configuration, error))?;
        Ok(App {
            config,
            _logs: logs,
        })
    }

    /// The database, its schema up to date; made when it is not there.
    pub(super) async fn store(&self) -> Result<Store, Failure> {
        let store = Store::connect(&self.settings()).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Refuses to make a database where there is nobody to sync.
    pub(super) fn require_organizations(&self) -> Result<(), Failure> {
        let is_there = Store::require_there(&self.settings()).is_ok();
        if self.files()?.is_empty() && !is_there {
            Err(no_organization())
        } else {
            Ok(())
        }
    }

    /// The organizations' files, the wrong ones, too; without their folder there is nothing to go
    /// by.
    fn files(&self) -> Result<Vec<Result<OrganizationFile, ConfigError>>, Failure> {
        let mut files = load_organizations(&self.config.organizations.dir);
        match files.pop_if(|file| matches!(file, Err(ConfigError::Folder { .. }))) {
            Some(Err(error)) => Err(error.into()),
            _ => Ok(files),
        }
    }

    /// The same for what changes only what is there already.
    pub(super) async fn store_that_exists(&self) -> Result<Store, Failure> {
        Store::require_there(&self.settings())?;
        self.store().await
    }

    /// The database for those who only look: nothing is made, nothing is migrated, no right to
    /// write is needed.
    pub(super) async fn store_to_read(&self) -> Result<Store, Failure> {
        let store = Store::connect_to_read(&self.settings()).await?;
        store.require_readable().await?;
        Ok(store)
    }

    pub(super) fn settings(&self) -> Settings {
        let database = &self.config.database;
        Settings {
            url: database.url.clone(),
            max_connections: database.max_connections,
        }
    }

    /// The vault. Without a single key it is told whether one was lost or there never was one.
    pub(super) async fn vault(&self, store: &Store) -> Result<Vault, Failure> {
        match KeyRing::load(&self.config.vault.keys, &self.config.vault.key_file) {
            Ok(keys) => Ok(Vault::new(keys)),
            Err(none @ vault::Error::NoKey { .. }) => {
                require_keys(store, &Vault::new(KeyRing::empty()))
                    .await
                    .map_err(|error| match error {
                        credentials::Error::KeysMissing { missing, .. } => {
                            credentials::Error::KeyFileLost {
                                path: self.config.vault.key_file.clone(),
                                missing,
                            }
                        }
                        other => other,
                    })?;
                Err(none.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All organizations as a sync would find them, with nothing written: those that the database
    /// knows, and the others in memory.
    pub(super) async fn expect(&self) -> Result<Expected, Failure> {
        let memory = Store::connect(&Settings {
            url: "sqlite::memory:".to_owned().into(),
            max_connections: 1,
        })
        .await?;
        memory.migrate().await?;
        let there = match Store::connect_to_read(&self.settings()).await {
            Ok(store) => store.require_readable().await.map(|()| store),
            Err(error) => Err(error),
        };
        let store = match there {
            Ok(store) => store,
            Err(store::Error::NothingYet { .. }) => memory.clone(),
            Err(error) => return Err(error.into()),
        };
        let vault = self.vault(&store).await?;
        let ApplyPreview {
            applied,
            new,
            wrong,
        } = self.preview_organizations(&store, &vault).await?;
        let (fresh, _) = apply(
            &memory,
            &vault,
            "",
            new.into_iter().map(Ok).collect(),
            secret_keys,
        )
        .await?;
        let mut places: Vec<(Store, Applied)> = applied
            .into_iter()
            .map(|applied| (store.clone(), applied))
            .collect();
        places.extend(fresh.into_iter().map(|applied| (memory.clone(), applied)));
        places.sort_by_key(|(_, applied)| applied.organization.classy_id);
        Ok(Expected {
            places,
            vault,
            wrong,
            store,
        })
    }

    /// What the organizations' files and the database say together; nothing is applied.
    pub(super) async fn preview_organizations(
        &self,
        store: &Store,
        vault: &Vault,
    ) -> Result<ApplyPreview, Failure> {
        Ok(preview(store, vault, self.files()?, secret_keys).await?)
    }

    /// Applies the organizations' files and says aloud which are wrong.
    pub(super) async fn organizations(
        &self,
        store: &Store,
        vault: &Vault,
    ) -> Result<(Vec<Applied>, Vec<ConfigError>), Failure> {
        Ok(apply(
            store,
            vault,
            &folder(&self.config.organizations.dir),
            self.files()?,
            secret_keys,
        )
        .await?)
    }
}

/// The environment as it is; a value that is no text is named where it is used.
pub(super) fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// Prints what is wrong with files, each as an error of its own.
pub(super) fn print_config_errors(wrong: Vec<ConfigError>) {
    for error in wrong {
        Failure::from(error).print();
    }
}

/// There is nobody to sync.
pub(super) fn no_organization() -> Failure {
    let hint =
        "`classy-sync org add` adds one; `classy-sync demo --once` shows everything without one";
    Failure::new(Code::Configuration, "there is no organization to sync").hint(hint)
}

/// One organization by Classy's id.
pub(super) async fn find(store: &Store, classy_id: i64) -> Result<Organization, Failure> {
    if let Some(organization) = store.organization(classy_id).await? {
        return Ok(organization);
    }
    let known: Vec<i64> = store
        .organizations()
        .await?
        .iter()
        .map(|organization| organization.classy_id)
        .collect();
    Err(unknown(classy_id, &known))
}

/// Refuses an organization that is not there, when one is named.
pub(super) async fn require(store: &Store, classy_id: Option<i64>) -> Result<(), Failure> {
    match classy_id {
        Some(id) => find(store, id).await.map(|_| ()),
        None => Ok(()),
    }
}

/// So many known names are listed.
const LISTED: usize = 10;

/// Refuses an organization that is not among the known ones.
pub(super) fn unknown(classy_id: i64, known: &[i64]) -> Failure {
    let listed = known
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let hint = match known.len() {
        0 => "there is none yet: `classy-sync org add` adds one".to_owned(),
        1..=LISTED => format!("those there are: {listed}"),
        more => format!(
            "those there are: {listed} and {} more, see `classy-sync org list`",
            more - LISTED
        ),
    };
    Failure::usage(format!("there is no organization {classy_id} here")).hint(hint)
}

/// Says on standard error what was done.
pub(super) fn done(text: &str) {
    output::done(text);
}
