//! Credentials as one sealed document, and the client that is made from them.

use super::Error;
use super::replaced::Replaced;
use crate::classy::{Client, Settings, Transport};
use crate::config::{OrganizationFile, RequestsPerMinute};
use crate::net::Pace;
use crate::store::{Organization, TenantStore};
use crate::vault::{Purpose, Vault};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What an organization shows at the token endpoint.
#[derive(Clone)]
pub struct Credentials {
    /// As Classy gave it; no secret.
    pub client_id: String,
    /// Opaque, and secret.
    pub client_secret: SecretString,
    /// The secrets of plugins, by `PLUGIN.KEY`.
    pub plugins: BTreeMap<String, SecretString>,
    /// What a command replaced.
    pub replaced: Replaced,
}

impl Credentials {
    /// One plugin's secrets, by key.
    pub fn of_plugin(&self, plugin: &str) -> BTreeMap<String, SecretString> {
        let own = |(name, secret): (&String, &SecretString)| {
            let (owner, key) = name.split_once('.')?;
            (owner == plugin).then(|| (key.to_owned(), secret.clone()))
        };
        self.plugins.iter().filter_map(own).collect()
    }

    /// Whether both hold the same.
    pub(super) fn is_same(&self, other: &Credentials) -> bool {
        let plain = |all: &BTreeMap<String, SecretString>| -> Vec<(String, String)> {
            all.iter()
                .map(|(name, secret)| (name.clone(), secret.expose_secret().to_owned()))
                .collect()
        };
        self.opens_as(other)
            && plain(&self.plugins) == plain(&other.plugins)
            && self.replaced == other.replaced
    }

    /// Whether what a file says, as far as it differs from this, is what a command replaced.
    pub(super) fn has_replaced(
        &self,
        client_id: Option<&str>,
        secret: Option<&SecretString>,
    ) -> bool {
        let in_force = self.client_secret.expose_secret();
        self.replaced.has(
            client_id.filter(|id| *id != self.client_id),
            secret.filter(|secret| secret.expose_secret() != in_force),
        )
    }

    /// Whether both show the same at the token endpoint.
    pub(super) fn opens_as(&self, other: &Credentials) -> bool {
        self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// The document inside the seal.
#[derive(Serialize)]
struct Written<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    plugins: BTreeMap<&'a str, &'a str>,
    replaced: &'a Replaced,
}

#[derive(Deserialize)]
struct Read {
    client_id: String,
    client_secret: SecretString,
    #[serde(default)]
    plugins: BTreeMap<String, SecretString>,
    #[serde(default)]
    replaced: Replaced,
}

/// Opens an organization's credentials; `None` when it has none.
///
/// # Errors
/// A missing key, a text that does not open.
pub fn open(vault: &Vault, organization: &Organization) -> Result<Option<Credentials>, Error> {
    let Some(sealed) = &organization.credentials_encrypted else {
        return Ok(None);
    };
    let document = vault.open(organization.classy_id, Purpose::Credentials, sealed)?;
    let read: Read = serde_json::from_str(document.expose_secret()).map_err(|_| {
        crate::vault::Error::Unreadable {
            cause: "it holds no credentials",
        }
    })?;
    let Read {
        client_id,
        client_secret,
        plugins,
        replaced,
    } = read;
    Ok(Some(Credentials {
        client_id,
        client_secret,
        plugins,
        replaced,
    }))
}

/// Seals credentials and stores them.
///
/// # Errors
/// The vault's and the database's.
pub async fn seal(
    vault: &Vault,
    tenant: &TenantStore,
    credentials: &Credentials,
) -> Result<(), Error> {
    let sealed = seal_text(vault, tenant.classy_id(), credentials)?;
    Ok(tenant.set_credentials(Some(&sealed)).await?)
}

pub(super) fn seal_text(
    vault: &Vault,
    classy_id: i64,
    credentials: &Credentials,
) -> Result<String, Error> {
    let document = Written {
        client_id: &credentials.client_id,
        client_secret: credentials.client_secret.expose_secret(),
        plugins: credentials
            .plugins
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.expose_secret()))
            .collect(),
        replaced: &credentials.replaced,
    };
    let text =
        Zeroizing::new(serde_json::to_string(&document).map_err(|_| crate::vault::Error::Sealing)?);
    Ok(vault.seal(
        classy_id,
        Purpose::Credentials,
        &SecretString::from(text.as_str()),
    )?)
}

/// The organization's API, with the sealed credentials and the file's settings.
///
/// # Errors
/// [`Error::None`] without credentials; the vault's.
pub fn client(
    transport: &Transport,
    vault: &Vault,
    organization: &Organization,
    file: &OrganizationFile,
) -> Result<Client, Error> {
    let credentials = open(vault, organization)?.ok_or(Error::None {
        classy_id: organization.classy_id,
    })?;
    let classy = &file.classy;
    let mut settings = Settings::new(
        organization.classy_id,
        classy.base_url.clone(),
        classy.token_url.clone(),
        credentials.client_id,
        credentials.client_secret,
    );
    let (pace, most) = match classy.requests_per_minute {
        RequestsPerMinute::Auto => (Pace::Auto, 16),
        RequestsPerMinute::Set(rate) => (Pace::PerMinute(rate), 4),
    };
    settings.requests_per_minute = pace;
    settings.max_concurrency = classy.max_concurrency.unwrap_or(most);
    settings.headers = classy
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(Client::new(transport, settings)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_what_is_in_force_is_none_of_before() {
        let secret = |text: &str| SecretString::from(text);
        let mut replaced = Replaced::default();
        replaced.by(("b", &secret("2")), [("a".to_owned(), secret("1"))]);
        replaced.by(("b", &secret("3")), [("b".to_owned(), secret("2"))]);
        replaced.by(("c", &secret("3")), [("b".to_owned(), secret("3"))]);
        let sealed = Credentials {
            client_id: "c".to_owned(),
            client_secret: secret("3"),
            plugins: BTreeMap::new(),
            replaced,
        };
        let is_old = |id: Option<&str>, text: Option<&str>| {
            sealed.has_replaced(id, text.map(secret).as_ref())
        };
        // As a command leaves its own file, and as one says it that has both.
        for (id, text) in [(Some("c"), None), (Some("c"), Some("3")), (None, None)] {
            assert!(!is_old(id, text), "{id:?} {text:?}");
        }
        for (id, text) in [
            (Some("a"), Some("1")),
            (Some("b"), Some("2")),
            (Some("b"), Some("3")),
            (Some("b"), None),
            (Some("c"), Some("2")),
            (None, Some("1")),
        ] {
            assert!(is_old(id, text), "{id:?} {text:?}");
        }
        assert!(
            !is_old(Some("c"), Some("4")) && !is_old(Some("d"), Some("3")),
            "new words"
        );
    }
}
