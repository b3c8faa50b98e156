//! An organization's file: who it is, and how its data is reached.

use super::{ConfigError, RequestsPerMinute, Secret, calendar, reason, secret};
use crate::files;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use url::{Host, Url};

/// A file of one organization is smaller.
pub(super) const MOST_BYTES: u64 = 1_024 * 1_024;

/// An organization as its file describes it.
#[derive(Clone, Deserialize)]
pub struct OrganizationFile {
    /// Classy's id.
    pub classy_id: i64,
    /// What people call it.
    pub name: String,
    /// Whose days, months and years are counted: a name of the IANA database. Left out, what Classy
    /// says of the organization.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The month with which fiscal years begin, 1 to 12; a fiscal year is called after the year in
    /// which it ends.
    #[serde(default = "january")]
    pub fiscal_year_starts: i64,
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

const fn january() -> i64 {
    1
}

impl fmt::Debug for OrganizationFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tables of plugins, headers and ids may hold secrets.
        f.debug_struct("OrganizationFile")
            .field("classy_id", &self.classy_id)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
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
#[derive(Clone, Deserialize)]
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
    /// `"auto"`, or a number; 0 is unlimited.
    pub requests_per_minute: RequestsPerMinute,
    /// At least 1. Unless said 16 with a pace that is found, of which so many are used as it needs,
    /// and 4 with one that is set.
    pub max_concurrency: Option<usize>,
    /// Sent with every request.
    pub headers: BTreeMap<String, String>,
}

impl fmt::Debug for ClassySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassySettings").finish_non_exhaustive()
    }
}

impl Default for ClassySettings {
    fn default() -> Self {
        let url =
            |text: &str| Url::parse(text).unwrap_or_else(|_| unreachable!("a constant address"));
        ClassySettings {
            client_id: None,
            client_secret: None,
            base_url: url("https://api.classy.org/2.0"),
            token_url: url("https://api.classy.org/oauth2/auth"),
            requests_per_minute: RequestsPerMinute::Auto,
            max_concurrency: None,
            headers: BTreeMap::new(),
        }
    }
}

/// A file that was read: the organization, or everything that is wrong.
pub type Read = Result<OrganizationFile, Vec<ConfigError>>;

/// Reads every `*.toml` of the folder; a wrong one is an error of its own. A folder that cannot be
/// read, also one that is not there, is an error and never no organization: it may be unmounted or
/// misspelt.
pub fn load_organizations(dir: &Path) -> Vec<Read> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(source) => {
            return vec![Err(vec![ConfigError::Folder {
                path: dir.to_owned(),
                source,
            }])];
        }
    };
    // Names that begin with a dot are what editors leave while they write.
    let is_meant = |path: &PathBuf| {
        let name = path
            .file_name()
            .map(OsStr::to_string_lossy)
            .unwrap_or_default();
        name.to_ascii_lowercase().ends_with(".toml") && !name.starts_with('.')
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(is_meant)
        .collect();
    paths.sort();
    let files: Vec<Read> = paths
        .iter()
        .map(|path| require_name(path).and_then(|()| read(path)))
        .collect();
    let mut owners: HashMap<i64, Vec<PathBuf>> = HashMap::new();
    for file in files.iter().flatten() {
        owners
            .entry(file.classy_id)
            .or_default()
            .push(file.path.clone());
    }
    // Files of one organization are one fault, told once.
    let mut told = HashSet::new();
    let only = |file: Read| match file {
        Ok(file) => match owners.get(&file.classy_id) {
            Some(files) if files.len() > 1 => {
                let fault = || {
                    Err(vec![ConfigError::Twice {
                        classy_id: file.classy_id,
                        files: files.clone(),
                    }])
                };
                told.insert(file.classy_id).then(fault)
            }
            _ => Some(Ok(file)),
        },
        wrong => Some(wrong),
    };
    files.into_iter().filter_map(only).collect()
}

/// A file that is nearly named as those that are read would seem to have been removed.
fn require_name(path: &Path) -> Result<(), Vec<ConfigError>> {
    if path
        .file_name()
        .and_then(OsStr::to_str)
        .is_some_and(|name| name.ends_with(".toml"))
    {
        return Ok(());
    }
    let source = std::io::Error::other(
        "is not read: the name of an organization's file is UTF-8 and ends in .toml",
    );
    Err(vec![ConfigError::File {
        path: path.to_owned(),
        source,
    }])
}

fn read(path: &Path) -> Read {
    let place = path.display().to_string();
    let text = files::read_text(path, MOST_BYTES).map_err(|source| {
        vec![ConfigError::File {
            path: path.to_owned(),
            source,
        }]
    })?;
    let text = text.trim_start_matches('\u{feff}');
    // Of any error only what the parser says by itself: its display quotes the line, which may hold
    // a secret.
    let mut table: toml::Table = toml::from_str(text)
        .map_err(|error| vec![reason::syntax(&place, text, error.span(), error.message())])?;
    let (mut faults, mut without) = (Vec::new(), Vec::new());
    let mut file = loop {
        match typed(&table) {
            Ok((file, unknown)) => {
                faults.extend(
                    unknown
                        .iter()
                        .map(|key| reason::unknown_key(&place, text, key, KNOWN.into_iter())),
                );
                break file;
            }
            Err((path, message)) => {
                let key = if path == "." { "the file" } else { &path };
                // What is wrong behind a value is found without it, but not that it lacks then.
                if !without
                    .iter()
                    .any(|taken| message == format!("missing field `{taken}`"))
                {
                    faults.push(reason::value(&place, text, key, &message));
                }
                if !take_out(&mut table, &path) {
                    return Err(faults);
                }
                without.push(path);
            }
        }
    };
    path.clone_into(&mut file.path);
    let mut digest = DefaultHasher::new();
    text.hash(&mut digest);
    file.digest = digest.finish();
    faults.extend(check(&mut file, &place, text));
    if faults.is_empty() {
        Ok(file)
    } else {
        Err(faults)
    }
}

const KNOWN: [&str; 16] = [
    "classy_id",
    "name",
    "time_zone",
    "fiscal_year_starts",
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

/// The file's values and the keys that nobody reads; else where the first wrong value is, and what
/// the reader said.
fn typed(table: &toml::Table) -> Result<(OrganizationFile, Vec<String>), (String, String)> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let tracked =
        serde_path_to_error::Deserializer::new(toml::Value::Table(table.clone()), &mut track);
    let result: Result<OrganizationFile, _> =
        serde_ignored::deserialize(tracked, |key| unknown.push(key.to_string()));
    match result {
        Ok(file) => Ok((file, unknown)),
        Err(error) => Err((track.path().to_string(), error.message().to_owned())),
    }
}

/// Takes the value at a dotted path out. Whether it was there.
fn take_out(table: &mut toml::Table, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if !rest.is_empty()
        && let Some(toml::Value::Table(inner)) = table.get_mut(first)
        && take_out(inner, rest)
    {
        return true;
    }
    table.remove(first).is_some()
}

fn check(file: &mut OrganizationFile, place: &str, text: &str) -> Vec<ConfigError> {
    let mut faults = Vec::new();
    let mut wrong = |key: &str, cause: &str| {
        faults.push(ConfigError::Value {
            place: place.to_owned(),
            key: key.to_owned(),
            cause: cause.to_owned(),
        });
    };
    if file.classy_id <= 0 {
        wrong("classy_id", "expected a number above 0");
    }
    if file.name.trim().is_empty()
        || file.name.chars().any(char::is_control)
        || file.name.chars().count() > 200
    {
        wrong(
            "name",
            "expected a name of at most 200 characters, without line breaks and the like",
        );
    }
    for (key, cause) in calendar::faults(file.time_zone.as_deref(), file.fiscal_year_starts) {
        wrong(key, &cause);
    }
    let classy = &mut file.classy;
    if let Some(client_id) = &mut classy.client_id {
        *client_id = client_id.trim_matches(secret::is_blank).to_owned();
        if client_id.is_empty()
            || client_id
                .chars()
                .any(|c| secret::is_blank(c) || c.is_control())
        {
            wrong("classy.client_id", "expected one word");
        }
    }
    if classy.max_concurrency == Some(0) {
        wrong("classy.max_concurrency", "expected at least 1");
    }
    for (key, url) in [
        ("classy.base_url", &mut classy.base_url),
        ("classy.token_url", &mut classy.token_url),
    ] {
        if let Err(cause) = check_url(url) {
            wrong(key, cause);
        }
        if url.query().is_some() {
            wrong(key, "expected an address without a query");
        }
        if !url.cannot_be_a_base() {
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&path);
        }
    }
    for (name, value) in &classy.headers {
        let plain = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        let reserved = [
            "authorization",
            "host",
            "content-length",
            "content-type",
            "connection",
        ]
        .contains(&name.to_ascii_lowercase().as_str());
        if !plain || reserved || value.bytes().any(|byte| byte < b' ' || byte == 127) {
            let line = reason::line_of(text, &format!("classy.headers.{name}"))
                .map_or_else(String::new, |line| format!("line {line}: "));
            wrong(
                "classy.headers",
                &format!("{line}not a header that can be added"),
            );
        }
    }
    faults
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
