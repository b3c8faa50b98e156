//! The files are applied: organizations made known, secrets sealed, those without a file paused.

use super::Error;
use super::sealed::{Credentials, open, seal};
use crate::config::{ConfigError, OrganizationFile};
use crate::domain::Fault;
use crate::store::{Organization, Status, Store};
use crate::vault::Vault;
use secrecy::ExposeSecret;

/// Why an organization is paused when nobody paused it.
const NO_FILE: &str = "its file was removed";

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
        self.file.digest == other.file.digest && sealed(self) == sealed(other) && self.problem == other.problem
    }
}

/// Applies all files. A wrong file stops only its own organization, which stays as it was.
///
/// # Errors
/// Database errors; what is wrong with a single organization is told in its [`Applied`].
pub async fn apply(
    store: &Store,
    vault: &Vault,
    files: Vec<Result<OrganizationFile, ConfigError>>,
) -> Result<(Vec<Applied>, Vec<ConfigError>), Error> {
    let mut applied = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        match file {
            Ok(file) => applied.push(apply_one(store, vault, file).await?),
            Err(error) => wrong.push(error),
        }
    }
    // A wrong file may be anybody's: nobody is paused for having no file while one cannot be read.
    if wrong.is_empty() {
        for organization in store.organizations().await? {
            let has_file = applied.iter().any(|applied| applied.organization.classy_id == organization.classy_id);
            if !has_file && organization.status != Status::Paused {
                store.tenant(&organization).set_status(Status::Paused, Some(NO_FILE)).await?;
            }
        }
    }
    Ok((applied, wrong))
}

async fn apply_one(store: &Store, vault: &Vault, file: OrganizationFile) -> Result<Applied, Error> {
    let organization = store.put_organization(file.classy_id, &file.name).await?;
    let tenant = store.tenant(&organization);
    if organization.status == Status::Paused && organization.status_reason.as_deref() == Some(NO_FILE) {
        tenant.set_status(Status::Active, None).await?;
    }
    let problem = match seal_new(vault, &organization, &file) {
        Ok(None) => None,
        Ok(Some(credentials)) => {
            seal(vault, &tenant, &credentials).await?;
            if organization.status == Status::Suspended {
                tenant.set_status(Status::Active, None).await?;
            }
            None
        }
        Err(error) => Some(error.fault()),
    };
    let organization = store.organization(file.classy_id).await?.ok_or(crate::store::Error::NoOrganization)?;
    Ok(Applied { organization, file, problem })
}

/// What the file says that is not sealed yet.
fn seal_new(vault: &Vault, organization: &Organization, file: &OrganizationFile) -> Result<Option<Credentials>, Error> {
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
    let client_id = file.classy.client_id.clone().or_else(|| sealed.as_ref().map(|sealed| sealed.client_id.clone()));
    let client_secret = written.or_else(|| sealed.as_ref().map(|sealed| sealed.client_secret.clone()));
    let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else {
        return Err(Error::None { classy_id: organization.classy_id });
    };
    let same =
        sealed.is_some_and(|sealed| sealed.client_id == client_id && sealed.client_secret.expose_secret() == client_secret.expose_secret());
    Ok((!same).then_some(Credentials { client_id, client_secret }))
}
