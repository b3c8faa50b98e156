//! Keys in use: who is sealed with which, what is missing, and sealing everything anew with the current one.

use super::Error;
use super::sealed::{open, seal_text};
use crate::store::Store;
use crate::vault::Vault;
use std::collections::BTreeMap;

/// A key and the organizations it sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key's id.
    pub id: String,
    /// Whether the vault has it.
    pub present: bool,
    /// Whether it seals.
    pub current: bool,
    /// Classy's ids.
    pub organizations: Vec<i64>,
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// Sealed anew.
    pub resealed: u64,
    /// Sealed with the current key already.
    pub current: u64,
}

/// Every key that is here or that something is sealed with.
///
/// # Errors
/// Database errors.
pub async fn key_use(store: &Store, vault: &Vault) -> Result<Vec<KeyUse>, Error> {
    let mut uses: BTreeMap<String, Vec<i64>> = vault.key_ids().into_iter().map(|id| (id.to_owned(), Vec::new())).collect();
    for organization in store.organizations().await? {
        if let Some(sealed) = &organization.credentials_encrypted {
            let id = Vault::key_id_of(sealed).unwrap_or("(unreadable)");
            uses.entry(id.to_owned()).or_default().push(organization.classy_id);
        }
    }
    let current = vault.current_key_id().map(str::to_owned);
    let known: Vec<String> = vault.key_ids().into_iter().map(str::to_owned).collect();
    Ok(uses
        .into_iter()
        .map(|(id, organizations)| KeyUse { present: known.contains(&id), current: Some(&id) == current.as_ref(), id, organizations })
        .collect())
}

/// The start-up check: names the organizations whose key is missing.
///
/// # Errors
/// [`Error::KeysMissing`]; database errors.
pub async fn require_keys(store: &Store, vault: &Vault) -> Result<(), Error> {
    let missing: Vec<String> = key_use(store, vault)
        .await?
        .into_iter()
        .filter(|key| !key.present)
        .map(|key| {
            let organizations = key.organizations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("'{}' (organizations {organizations})", key.id)
        })
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::KeysMissing { missing: missing.join("; ") }) }
}

/// Seals every organization's credentials with the current key. Each is one statement, so a rotation that was interrupted is
/// simply run again; credentials that change meanwhile are left to their newer value.
///
/// # Errors
/// A key that is missing, a text that does not open, database errors.
pub async fn rotate(store: &Store, vault: &Vault) -> Result<Rotated, Error> {
    require_keys(store, vault).await?;
    let mut rotated = Rotated { resealed: 0, current: 0 };
    for organization in store.organizations().await? {
        let Some(sealed) = &organization.credentials_encrypted else { continue };
        if Vault::key_id_of(sealed) == vault.current_key_id() {
            rotated.current += 1;
            continue;
        }
        if let Some(credentials) = open(vault, &organization)? {
            let new = seal_text(vault, organization.classy_id, &credentials)?;
            rotated.resealed += u64::from(store.tenant(&organization).reseal_credentials(sealed, &new).await?);
        }
    }
    Ok(rotated)
}
