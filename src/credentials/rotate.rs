//! Keys in use: who is sealed with which, what is missing, and sealing everything anew with the
//! current one.

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
    /// Whose credentials it seals, by Classy's id.
    pub organizations: Vec<i64>,
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// Organizations whose credentials were sealed anew.
    pub resealed: u64,
    /// Organizations whose credentials had been sealed with the current key before.
    pub current: u64,
}

/// Every key that is here or that something is sealed with.
///
/// # Errors
/// The organizations' sealed credentials cannot be read.
pub async fn key_use(store: &Store, vault: &Vault) -> Result<Vec<KeyUse>, Error> {
    let mut uses: BTreeMap<String, Vec<i64>> = vault
        .key_ids()
        .into_iter()
        .map(|id| (id, Vec::new()))
        .collect();
    for organization in store.organizations().await? {
        if let Some(sealed) = &organization.credentials_encrypted {
            let id = Vault::key_id_of(sealed).unwrap_or("(unreadable)");
            uses.entry(id.to_owned())
                .or_default()
                .push(organization.classy_id);
        }
    }
    let (current, known) = (vault.current_key_id(), vault.key_ids());
    Ok(uses
        .into_iter()
        .map(|(id, organizations)| KeyUse {
            present: known.contains(&id),
            current: Some(&id) == current.as_ref(),
            id,
            organizations,
        })
        .collect())
}

/// The start-up check: names the organizations whose key is missing, or is another one of the same
/// name.
///
/// # Errors
/// [`Error::KeysMissing`], [`Error::KeysWrong`]; database errors.
pub async fn require_keys(store: &Store, vault: &Vault) -> Result<(), Error> {
    let (mut missing, mut wrong) = (
        BTreeMap::<String, Vec<i64>>::new(),
        BTreeMap::<String, Vec<i64>>::new(),
    );
    for organization in store.organizations().await? {
        let Some(sealed) = &organization.credentials_encrypted else {
            continue;
        };
        let id = Vault::key_id_of(sealed).unwrap_or("(unreadable)");
        match open(vault, &organization) {
            Ok(_) => {}
            Err(Error::Vault(crate::vault::Error::MissingKey { .. })) => missing
                .entry(id.to_owned())
                .or_default()
                .push(organization.classy_id),
            Err(_) => wrong
                .entry(id.to_owned())
                .or_default()
                .push(organization.classy_id),
        }
    }
    if !missing.is_empty() {
        let present = match vault.key_ids().as_slice() {
            [] => "none".to_owned(),
            ids => ids
                .iter()
                .map(|id| format!("'{id}'"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        return Err(Error::KeysMissing {
            missing: told(missing),
            present,
        });
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::KeysWrong { wrong: told(wrong) })
    }
}

/// `'k1' (organizations 10001, 10002)`
fn told(keys: BTreeMap<String, Vec<i64>>) -> String {
    let one = |(id, organizations): (String, Vec<i64>)| {
        let word = if organizations.len() == 1 {
            "organization"
        } else {
            "organizations"
        };
        let organizations = organizations
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        format!("'{id}' ({word} {organizations})")
    };
    keys.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Seals every organization's credentials with the current key. Each is one statement, so a
/// rotation that was interrupted is simply run again; credentials that change meanwhile are left to
/// their newer value.
///
/// # Errors
/// A key that is missing, a text that does not open, database errors.
pub async fn rotate(store: &Store, vault: &Vault) -> Result<Rotated, Error> {
    require_keys(store, vault).await?;
    let mut rotated = Rotated {
        resealed: 0,
        current: 0,
    };
    for organization in store.organizations().await? {
        let Some(sealed) = &organization.credentials_encrypted else {
            continue;
        };
        if Vault::key_id_of(sealed) == vault.current_key_id().as_deref() {
            rotated.current += 1;
            continue;
        }
        if let Some(credentials) = open(vault, &organization)? {
            let new = seal_text(vault, organization.classy_id, &credentials)?;
            rotated.resealed += u64::from(
                store
                    .tenant(&organization)
                    .reseal_credentials(sealed, &new)
                    .await?,
            );
        }
    }
    Ok(rotated)
}
