//! The files and the database seen together by whoever only looks: as they would be applied, with
//! nothing written.

use super::Error;
use super::apply::{Applied, Sealing, SecretKeys, seal_new};
use super::sealed::seal_text;
use crate::config::{ConfigError, OrganizationFile};
use crate::store::Store;
use crate::vault::Vault;

/// Organizations by where they are known: in the files, in the database, or in both.
#[derive(Debug, Default)]
pub struct ApplyPreview {
    /// Organizations with a file and a row.
    pub applied: Vec<Applied>,
    /// Files of organizations that the database does not know yet.
    pub new: Vec<OrganizationFile>,
    /// Files that are wrong.
    pub wrong: Vec<ConfigError>,
}

/// Reads all files. What a file says and what is not sealed yet is sealed in memory only.
///
/// # Errors
/// The rows of the organizations cannot be read; what is wrong with a file is in the answer.
pub async fn preview(
    store: &Store,
    vault: &Vault,
    files: Vec<Result<OrganizationFile, ConfigError>>,
    secret_keys: SecretKeys,
) -> Result<ApplyPreview, Error> {
    let mut preview = ApplyPreview::default();
    for file in files {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                preview.wrong.push(error);
                continue;
            }
        };
        let Some(mut organization) = store.organization(file.classy_id).await? else {
            preview.new.push(file);
            continue;
        };
        file.name.clone_into(&mut organization.name);
        let sealed = match seal_new(vault, &organization, &file, secret_keys) {
            Ok(None) => Ok(None),
            Ok(Some(Sealing { credentials, .. })) => {
                seal_text(vault, file.classy_id, &credentials).map(Some)
            }
            Err(error) => Err(error),
        };
        let problem = match sealed {
            Ok(text) => {
                organization.credentials_encrypted = text.or(organization.credentials_encrypted);
                None
            }
            Err(error) => Some(error.fault()),
        };
        preview.applied.push(Applied {
            organization,
            file,
            problem,
        });
    }
    Ok(preview)
}
