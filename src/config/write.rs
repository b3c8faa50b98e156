//! Organization files written for a person: never over another, readable by their owner only,
//! comments kept.

use super::ConfigError;
use crate::files;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, value};

/// What a new organization's file says; the secret is sealed in the database and not among it.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// As Classy gave it; no secret.
    pub client_id: String,
    /// When it differs from the default.
    pub base_url: Option<String>,
    /// When it differs from the default.
    pub token_url: Option<String>,
}

/// Writes the file and returns its path.
///
/// # Errors
/// [`ConfigError::File`], also when a file of that name is there.
pub fn write_organization(dir: &Path, new: &NewOrganization) -> Result<PathBuf, ConfigError> {
    let mut document = DocumentMut::new();
    document["classy_id"] = value(new.classy_id);
    document["name"] = value(&new.name);
    let mut classy = Table::new();
    classy["client_id"] = value(&new.client_id);
    for (key, url) in [("base_url", &new.base_url), ("token_url", &new.token_url)] {
        if let Some(url) = url {
            classy[key] = value(url);
        }
    }
    document["classy"] = Item::Table(classy);
    let path = dir.join(format!("{}.toml", new.classy_id));
    let failed = |source| ConfigError::File {
        path: path.clone(),
        source,
    };
    files::make_folder(dir).map_err(failed)?;
    files::create(&path, document.to_string().as_bytes()).map_err(failed)?;
    Ok(path)
}

/// Adds a plugin with its settings, none of them secret, to an organization's file as
/// [`write_organization`] named it, and returns the path.
///
/// # Errors
/// [`ConfigError::File`] and [`ConfigError::Syntax`].
pub fn add_plugin(
    dir: &Path,
    classy_id: i64,
    plugin: &str,
    settings: &[(&str, &str)],
) -> Result<PathBuf, ConfigError> {
    let path = dir.join(format!("{classy_id}.toml"));
    edit_document(&path, |document| {
        let mut plugins = Table::new();
        plugins.set_implicit(true);
        let table = settings.iter().map(|(key, text)| (*key, value(*text)));
        plugins[plugin] = Item::Table(table.collect());
        document["plugins"] = Item::Table(plugins);
    })?;
    Ok(path)
}

/// Changes the client id in a file and takes a written-down secret out, since a newer one is
/// sealed.
///
/// # Errors
/// [`ConfigError::File`] and [`ConfigError::Syntax`].
pub fn set_client_id(path: &Path, client_id: &str) -> Result<(), ConfigError> {
    edit(path, |classy| {
        classy["client_id"] = value(client_id);
        classy.remove("client_secret");
    })
}

/// Takes a secret out of a file.
///
/// # Errors
/// [`ConfigError::File`] and [`ConfigError::Syntax`].
pub fn forget_secret(path: &Path) -> Result<(), ConfigError> {
    edit(path, |classy| {
        classy.remove("client_secret");
    })
}

fn edit(path: &Path, change: impl FnOnce(&mut Table)) -> Result<(), ConfigError> {
    edit_document(path, |document| {
        if let Some(classy) = document
            .entry("classy")
            .or_insert_with(|| Item::Table(Table::new()))
            .as_table_mut()
        {
            change(classy);
        }
    })
}

fn edit_document(path: &Path, change: impl FnOnce(&mut DocumentMut)) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::File {
        path: path.to_owned(),
        source,
    };
    let text = files::read_text(path, super::organization::MOST_BYTES).map_err(failed)?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        super::reason::syntax(
            &path.display().to_string(),
            &text,
            error.span(),
            error.message(),
        )
    })?;
    change(&mut document);
    files::replace(path, document.to_string().as_bytes()).map_err(failed)
}
