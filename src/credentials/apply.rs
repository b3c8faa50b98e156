//! The files are applied: organizations made known, secrets sealed, those without a file paused.

use super::Error;
use super::sealed::{Credentials, open, seal};
use crate::config::{ConfigError, OrganizationFile, Secret};
use crate::domain::{Fault, Zone};
use crate::store::{Organization, Status, Store};
use crate::vault::Vault;
use secrecy::SecretString;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Why an organization is paused when nobody paused it.
const NO_FILE: &str = "its file was removed";

/// Why an organization is paused that a person removed: what its file says is not sealed until they
/// resume it, since other machines may have a file of before.
pub const REMOVED: &str = "removed by hand";

/// One organization after its file was applied.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Its row.
    pub organization: Organization,
    /// Its file.
    pub file: OrganizationFile,
    /// Its credentials could not be had; the organization is known, and cannot be synced.
    pub problem: Option<Fault>,
}

impl Applied {
    /// Whether the two would be served in the same way.
    pub fn is_same(&self, other: &Applied) -> bool {
        let sealed = |applied: &Applied| applied.organization.credentials_encrypted.clone();
        self.file.digest == other.file.digest
            && sealed(self) == sealed(other)
            && self.problem == other.problem
    }
}

/// Which keys of a plugin's table are secrets; the plugins are known only to those above.
pub type SecretKeys = fn(&str) -> &'static [&'static str];

/// A folder of organizations' files, as others on the same database tell it from theirs:
/// `HOST:PATH`.
pub fn folder(dir: &Path) -> String {
    const LONGEST: usize = 120;
    let path = std::fs::canonicalize(dir)
        .unwrap_or_else(|_| dir.to_owned())
        .display()
        .to_string();
    let path: String = path
        .chars()
        .rev()
        .take(LONGEST)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let host: String = gethostname::gethostname()
        .to_string_lossy()
        .chars()
        .take(60)
        .collect();
    format!("{host}:{path}")
}

/// Whether the lack of a file in a folder says anything about an organization: only where its file
/// was applied last. It may be served by others with files of their own.
pub fn is_of(organization: &Organization, folder: &str) -> bool {
    organization
        .applied_from
        .as_deref()
        .is_none_or(|from| from == folder)
}

/// Applies all files of a folder. A wrong file stops only its own organization, which stays as it
/// was.
///
/// # Errors
/// Database errors; what is wrong with a single organization is told in its [`Applied`].
pub async fn apply(
    store: &Store,
    vault: &Vault,
    folder: &str,
    files: Vec<Result<OrganizationFile, ConfigError>>,
    secret_keys: SecretKeys,
) -> Result<(Vec<Applied>, Vec<ConfigError>), Error> {
    store.keep_zones().await?;
    let mut applied = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        match file {
            Ok(file) => applied.push(apply_one(store, vault, file, secret_keys).await?),
            Err(error) => wrong.push(error),
        }
    }
    let ids: Vec<i64> = applied
        .iter()
        .map(|applied| applied.organization.classy_id)
        .collect();
    store.note_applied(&ids, folder).await?;
    let ids: HashSet<i64> = ids.into_iter().collect();
    // A wrong file may be anybody's: nobody is paused for having no file while one cannot be read.
    if wrong.is_empty() {
        for organization in store.organizations().await? {
            let has_file = ids.contains(&organization.classy_id);
            if !has_file && is_of(&organization, folder) && organization.status != Status::Paused {
                store
                    .tenant(&organization)
                    .set_status(Status::Paused, Some(NO_FILE))
                    .await?;
            }
        }
    }
    Ok((applied, wrong))
}

async fn apply_one(
    store: &Store,
    vault: &Vault,
    file: OrganizationFile,
    secret_keys: SecretKeys,
) -> Result<Applied, Error> {
    let organization = store.put_organization(file.classy_id, &file.name).await?;
    let tenant = store.tenant(&organization);
    match file.time_zone.as_deref().and_then(Zone::parse) {
        Some(zone) if organization.timezone.as_deref() != Some(zone.name()) => {
            tenant.set_zone(zone).await?
        }
        _ => {}
    }
    let (before, starts) = (organization.fiscal_year_starts, file.fiscal_year_starts);
    if before != starts {
        tenant.set_fiscal_year_starts(before, starts).await?;
    }
    if organization.status == Status::Paused
        && organization.status_reason.as_deref() == Some(NO_FILE)
    {
        tenant.set_status(Status::Active, None).await?;
    }
    let problem = match seal_new(vault, &organization, &file, secret_keys) {
        Ok(None) => None,
        Ok(Some(Sealing {
            credentials,
            opens_anew,
        })) => {
            seal(vault, &tenant, &credentials).await?;
            if opens_anew && organization.status == Status::Suspended {
                tenant.set_status(Status::Active, None).await?;
            }
            None
        }
        Err(error) => Some(error.fault()),
    };
    let organization = store
        .organization(file.classy_id)
        .await?
        .ok_or(crate::store::Error::NoOrganization)?;
    Ok(Applied {
        organization,
        file,
        problem,
    })
}

/// What is to be sealed.
pub(super) struct Sealing {
    pub(super) credentials: Credentials,
    /// What is shown at the token endpoint is another than before.
    opens_anew: bool,
}

/// What the file says that is not sealed yet.
pub(super) fn seal_new(
    vault: &Vault,
    organization: &Organization,
    file: &OrganizationFile,
    secret_keys: SecretKeys,
) -> Result<Option<Sealing>, Error> {
    if organization.status == Status::Paused
        && organization.status_reason.as_deref() == Some(REMOVED)
        && organization.credentials_encrypted.is_none()
    {
        return Err(Error::Removed {
            classy_id: organization.classy_id,
        });
    }
    let sealed = open(vault, organization);
    let written = match &file.classy.client_secret {
        // A variable that is set only where secrets are first given is as good as left out.
        Some(secret) if secret.is_unset() && matches!(sealed, Ok(Some(_))) => None,
        Some(secret) => Some(secret.resolve(&file.path, "classy.client_secret")?),
        None => None,
    };
    let sealed = match (sealed, &written) {
        (Ok(sealed), _) => sealed,
        // What cannot be opened is replaced by what the file says.
        (Err(_), Some(_)) if file.classy.client_id.is_some() => None,
        (Err(error), _) => return Err(error),
    };
    let mut written = (file.classy.client_id.clone(), written);
    if let Some(sealed) = &sealed
        && sealed.has_replaced(written.0.as_deref(), written.1.as_ref())
    {
        tracing::warn!(
            organization = organization.classy_id,
            file = %file.path.display(),
            "the file has credentials that `org set-credentials` replaced; those that are sealed stay in force: take these out of the file"
        );
        written = (None, None);
    }
    let (client_id, client_secret) = written;
    let client_id = client_id.or_else(|| sealed.as_ref().map(|sealed| sealed.client_id.clone()));
    let client_secret =
        client_secret.or_else(|| sealed.as_ref().map(|sealed| sealed.client_secret.clone()));
    let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else {
        return Err(Error::None {
            classy_id: organization.classy_id,
        });
    };
    let plugins = plugin_secrets(file, sealed.as_ref(), secret_keys);
    let replaced = sealed
        .as_ref()
        .map(|sealed| sealed.replaced.clone())
        .unwrap_or_default();
    let credentials = Credentials {
        client_id,
        client_secret,
        plugins,
        replaced,
    };
    let is_same = sealed
        .as_ref()
        .is_some_and(|sealed| credentials.is_same(sealed));
    let opens_anew = !sealed
        .as_ref()
        .is_some_and(|sealed| credentials.opens_as(sealed));
    Ok((!is_same).then_some(Sealing {
        credentials,
        opens_anew,
    }))
}

/// The secrets of the plugins that the file names: as it says, else as they are sealed. One that
/// cannot be had is the plugin's own trouble, which says so when it begins.
fn plugin_secrets(
    file: &OrganizationFile,
    sealed: Option<&Credentials>,
    secret_keys: SecretKeys,
) -> BTreeMap<String, SecretString> {
    let mut secrets = BTreeMap::new();
    for (plugin, table) in &file.plugins {
        for key in secret_keys(plugin) {
            let name = format!("{plugin}.{key}");
            let written = table
                .get(key)
                .and_then(|value| value.clone().try_into::<Secret>().ok())
                .filter(|secret| !secret.is_unset());
            let written = written.and_then(|secret| match secret.resolve(&file.path, &format!("plugins.{name}")) {
                Ok(secret) => Some(secret),
                Err(error) => {
                    tracing::warn!(organization = file.classy_id, %error, "a plugin's secret cannot be read");
                    None
                }
            });
            if let Some(secret) = written.or_else(|| sealed?.plugins.get(&name).cloned()) {
                secrets.insert(name, secret);
            }
        }
    }
    secrets
}
