//! An organization's file: who it is, and how its data is reached.

use super::{ConfigError, Secret, nearest};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use url::{Host, Url};

/// An organization as its file describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct OrganizationFile {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Access to Classy.
    #[serde(default)]
    pub classy: ClassySettings,
    /// One table for each plugin, checked by the plugin itself.
    #[serde(default)]
    pub plugins: toml::Table,
    /// What signs the messages that others send here.
    #[serde(default)]
    pub hooks: Hooks,
    /// Where it was read from.
    #[serde(skip)]
    pub path: PathBuf,
    /// Of its text: tells whether it changed.
    #[serde(skip)]
    pub digest: u64,
}

/// `[hooks]`: secrets of webhooks. Without one, messages of that kind are not taken.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Hooks {
    /// `whsec_...`, from the endpoint's page at Classy.
    pub classy: Option<Secret>,
    /// From the answer to the webhook's creation at Mailchimp.
    pub mailchimp: Option<Secret>,
}

/// `[classy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ClassySettings {
    /// May be left out when it is sealed in the database.
    pub client_id: Option<String>,
    /// May be left out when it is sealed in the database.
    pub client_secret: Option<Secret>,
    /// Without a slash at the end.
    pub base_url: Url,
    /// The token endpoint.
    pub token_url: Url,
    /// 0 is unlimited.
    pub requests_per_minute: u32,
    /// At least 1.
    pub max_concurrency: usize,
    /// Sent with every request.
    pub headers: BTreeMap<String, String>,
}

impl Default for ClassySettings {
    fn default() -> Self {
        let url = |text: &str| Url::parse(text).unwrap_or_else(|_| unreachable!("a constant address"));
        ClassySettings {
            client_id: None,
            client_secret: None,
            base_url: url("https://api.classy.org/2.0"),
            token_url: url("https://api.classy.org/oauth2/auth"),
            requests_per_minute: 240,
            max_concurrency: 4,
            headers: BTreeMap::new(),
        }
    }
}

/// Reads every `*.toml` of the folder; a wrong one is an error of its own. No folder is no organization.
pub fn load_organizations(dir: &Path) -> Vec<Result<OrganizationFile, ConfigError>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(source) => return vec![Err(ConfigError::File { path: dir.to_owned(), source })],
    };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    let files: Vec<_> = paths.iter().map(|path| read(path)).collect();
    let mut owners: HashMap<i64, Vec<PathBuf>> = HashMap::new();
    for file in files.iter().flatten() {
        owners.entry(file.classy_id).or_default().push(file.path.clone());
    }
    let only = |file: OrganizationFile| match owners.get(&file.classy_id).map(Vec::as_slice) {
        Some([first, second, ..]) => Err(ConfigError::Twice { classy_id: file.classy_id, first: first.clone(), second: second.clone() }),
        _ => Ok(file),
    };
    files.into_iter().map(|file| file.and_then(only)).collect()
}

fn read(path: &Path) -> Result<OrganizationFile, ConfigError> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    let parsed = toml::Deserializer::parse(&text)
        .map_err(|error| ConfigError::Syntax { place: place.clone(), cause: error.to_string().trim().to_owned() })?;
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(parsed, &mut track);
    let result: Result<OrganizationFile, _> = serde_ignored::deserialize(tracked, |key| {
        unknown.get_or_insert(key.to_string());
    });
    let key = match track.path().to_string() {
        top if top == "." => "the file".to_owned(),
        path => path,
    };
    let mut file = result.map_err(|error| {
        // The parser's text quotes the line, which may hold a secret.
        let cause = error.message().to_owned();
        ConfigError::Value { place: place.clone(), key, cause }
    })?;
    if let Some(key) = unknown {
        const KNOWN: [&str; 14] = [
            "classy_id",
            "name",
            "classy",
            "plugins",
            "classy.client_id",
            "classy.client_secret",
            "classy.base_url",
            "classy.token_url",
            "classy.requests_per_minute",
            "classy.max_concurrency",
            "classy.headers",
            "hooks",
            "hooks.classy",
            "hooks.mailchimp",
        ];
        return Err(ConfigError::UnknownKey { place, near: nearest(&key, KNOWN.into_iter()), key });
    }
    path.clone_into(&mut file.path);
    let mut digest = DefaultHasher::new();
    text.hash(&mut digest);
    file.digest = digest.finish();
    check(&mut file, &place)?;
    Ok(file)
}

fn check(file: &mut OrganizationFile, place: &str) -> Result<(), ConfigError> {
    let wrong = |key: &str, cause: &str| Err(ConfigError::Value { place: place.to_owned(), key: key.to_owned(), cause: cause.to_owned() });
    if file.classy_id <= 0 {
        return wrong("classy_id", "expected a number above 0");
    }
    if file.name.trim().is_empty() {
        return wrong("name", "expected a name");
    }
    let classy = &mut file.classy;
    if classy.max_concurrency == 0 {
        return wrong("classy.max_concurrency", "expected at least 1");
    }
    for (key, url) in [("classy.base_url", &mut classy.base_url), ("classy.token_url", &mut classy.token_url)] {
        if let Err(cause) = check_url(url) {
            return wrong(key, cause);
        }
        if url.query().is_some() {
            return wrong(key, "expected an address without a query");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
    }
    for (name, value) in &classy.headers {
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let reserved =
            ["authorization", "host", "content-length", "content-type", "connection"].contains(&name.to_ascii_lowercase().as_str());
        if !plain || reserved || value.bytes().any(|byte| byte < b' ' || byte == 127) {
            return wrong(&format!("classy.headers.{name}"), "not a header that can be added");
        }
    }
    Ok(())
}

/// Secrets and donors' data go only over TLS, or to this machine; no user hides in the address.
///
/// # Errors
/// What was expected.
pub fn check_url(url: &Url) -> Result<(), &'static str> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err("expected https:// (http:// only to this machine)");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("expected an address without user or fragment");
    }
    Ok(())
}
