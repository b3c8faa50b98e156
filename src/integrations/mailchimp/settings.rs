//! `[plugins.mailchimp]`: read strictly, since a wrong key would send donors' data to a wrong
//! place.

use crate::config::{Secret, check_url};
use crate::integrations::{Settings as Given, fingerprint, read};
use crate::plugin::PluginError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

/// The name of the plugin, and of its table.
pub(crate) const NAME: &str = "mailchimp";

/// Under this word its API key is configured and sealed.
pub const API_KEY: &str = "api_key";

/// For keys that do not say where their account is.
const EVERYWHERE: &str = "https://api.mailchimp.com/3.0";

/// Letters of a key before its data centre, at least; Mailchimp's have 32.
const LEAST_KEY: usize = 16;

/// Simultaneous requests of one user; Mailchimp refuses the eleventh.
pub(crate) const MOST_CONNECTIONS: usize = 10;

/// What becomes of a member whom we subscribed and who opts out at Classy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnOptOut {
    /// Unsubscribed.
    #[default]
    Unsubscribe,
    /// Left as it is.
    Ignore,
}

/// Whose opt-outs at Classy are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OptOutScope {
    /// Those of members whom we subscribed. A contact who was there before us gave consent
    /// elsewhere, and a box that was not ticked at Classy does not take it back.
    #[default]
    Ours,
    /// Those of everybody who is in the audience.
    Everybody,
}

/// The table as it is written.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    #[serde(rename = "api_key")]
    _api_key: Option<Secret>,
    #[serde(rename = "webhook_secret")]
    _webhook_secret: Option<Secret>,
    pub(crate) audience_id: String,
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    on_opt_out: OnOptOut,
    #[serde(default)]
    opt_out_scope: OptOutScope,
    #[serde(default = "prefix")]
    tag_prefix: String,
    /// Texts or ids of the audience's GDPR permissions that are enabled for people whom we add.
    #[serde(default)]
    marketing_permissions: Vec<String>,
    /// The tags of the first push set nothing off.
    #[serde(default)]
    quiet_first_push: bool,
    #[serde(default = "connections")]
    connections: usize,
}

fn prefix() -> String {
    "Classy-".to_owned()
}

const fn connections() -> usize {
    MOST_CONNECTIONS
}

/// Ready to work with.
pub(crate) struct Settings {
    pub(crate) api_key: SecretString,
    pub(crate) audience_id: String,
    pub(crate) base_url: Url,
    pub(crate) on_opt_out: OnOptOut,
    pub(crate) opt_out_scope: OptOutScope,
    pub(crate) tag_prefix: String,
    pub(crate) marketing_permissions: Vec<String>,
    pub(crate) quiet_first_push: bool,
    pub(crate) connections: usize,
}

fn wrong(key: &str, cause: impl Into<String>) -> PluginError {
    PluginError::Configuration {
        key: format!("plugins.{NAME}.{key}"),
        cause: cause.into(),
    }
}

/// Checks a table by itself.
pub(crate) fn config(table: &toml::Table) -> Result<Config, PluginError> {
    let config: Config = read(NAME, table)?;
    // Shorter than any key: one in its place would be shown as the audience's name.
    let is_id = (1..=24).contains(&config.audience_id.len())
        && config
            .audience_id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric());
    if !is_id {
        return Err(wrong(
            "audience_id",
            "expected the audience's id, letters and digits only (Audience, Settings, Audience ID)",
        ));
    }
    if !config.base_url.is_empty() {
        base_url(&config.base_url)?;
    }
    let prefix = &config.tag_prefix;
    if prefix.trim() != prefix
        || !(1..=40).contains(&prefix.chars().count())
        || prefix.chars().any(char::is_control)
    {
        return Err(wrong(
            "tag_prefix",
            "expected 1 to 40 characters without a space at either end; it tells our tags from everybody else's",
        ));
    }
    if !(1..=MOST_CONNECTIONS).contains(&config.connections) {
        return Err(wrong(
            "connections",
            format!("expected 1 to {MOST_CONNECTIONS}"),
        ));
    }
    Ok(config)
}

impl Settings {
    pub(crate) fn new(given: &Given) -> Result<Settings, PluginError> {
        let config = config(&given.table)?;
        let api_key = given.secret(NAME, API_KEY)?;
        let centre = data_centre(&api_key)?;
        let base_url = match (config.base_url.as_str(), centre) {
            ("", None) => base_url(EVERYWHERE)?,
            ("", Some(centre)) => base_url(&format!("https://{centre}.api.mailchimp.com/3.0"))?,
            (given, _) => base_url(given)?,
        };
        Ok(Settings {
            api_key,
            audience_id: config.audience_id,
            base_url,
            on_opt_out: config.on_opt_out,
            opt_out_scope: config.opt_out_scope,
            tag_prefix: config.tag_prefix,
            marketing_permissions: config.marketing_permissions,
            quiet_first_push: config.quiet_first_push,
            connections: config.connections,
        })
    }
}

impl Settings {
    /// A trace of what is the same for everybody who comes in: what an approval showed, and what
    /// must be so still when it is used. Whether they are asked to confirm is the kind of their
    /// change, and the audience has plans of its own.
    pub(crate) fn terms(&self) -> i64 {
        let mut permissions: Vec<&str> = self
            .marketing_permissions
            .iter()
            .map(String::as_str)
            .collect();
        permissions.sort_unstable();
        let quiet = if self.quiet_first_push { "quiet" } else { "" };
        fingerprint(format!("{}\n{quiet}\n{}", self.tag_prefix, permissions.join("\n")).as_bytes())
    }
}

fn base_url(text: &str) -> Result<Url, PluginError> {
    let url = Url::parse(text).map_err(|error| wrong("base_url", error.to_string()))?;
    check_url(&url).map_err(|cause| wrong("base_url", cause))?;
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(wrong(
            "base_url",
            "expected an address without query, fragment, name or password",
        ));
    }
    Ok(url)
}

/// A key's form, wherever it is used.
pub(crate) fn check_key(key: &SecretString) -> Result<(), PluginError> {
    data_centre(key)?;
    let itself = key
        .expose_secret()
        .rsplit_once('-')
        .map_or(key.expose_secret(), |(key, _)| key);
    let is_whole = itself.len() >= LEAST_KEY
        && itself
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_whole {
        return Ok(());
    }
    Err(wrong(
        "api_key",
        "expected a key as Mailchimp shows it: 32 letters and digits, a dash and the data centre such as us6; copy it again",
    ))
}

/// The data centre in a key's suffix. Strict, since it becomes part of a host: anything else would
/// choose where the key is sent.
fn data_centre(key: &SecretString) -> Result<Option<String>, PluginError> {
    let key = key.expose_secret();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(
            "api_key",
            "expected a key of printable characters without spaces",
        ));
    }
    let Some((_, centre)) = key.rsplit_once('-') else {
        return Ok(None);
    };
    let bytes = centre.as_bytes();
    let letters = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let is_centre =
        letters == 2 && (3..=5).contains(&bytes.len()) && bytes[2..].iter().all(u8::is_ascii_digit);
    if !is_centre {
        return Err(wrong(
            "api_key",
            "what follows its last dash is no data centre such as us6; copy the key again",
        ));
    }
    Ok(Some(centre.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn settings(table: &str, key: &str) -> Result<Settings, String> {
        let secrets = BTreeMap::from([("api_key".to_owned(), SecretString::from(key.to_owned()))]);
        let given = Given {
            classy_id: 1,
            table: table.parse().unwrap(),
            secrets,
        };
        Settings::new(&given).map_err(|error| error.to_string())
    }

    const KEY: &str = "0123456789abcdef0123456789abcdef-us6";

    fn host(table: &str, key: &str) -> String {
        settings(table, key).map_or_else(|error| error, |settings| settings.base_url.to_string())
    }

    #[test]
    fn the_key_says_where_unless_the_file_does() {
        assert_eq!(
            host("audience_id = 'a1'", KEY),
            "https://us6.api.mailchimp.com/3.0"
        );
        assert_eq!(
            host("audience_id = 'a1'", "0123456789abcdef0123456789abcdef"),
            "https://api.mailchimp.com/3.0"
        );
        assert_eq!(
            host(
                "audience_id = 'a1'\nbase_url = 'http://127.0.0.1:1/3.0'",
                KEY
            ),
            "http://127.0.0.1:1/3.0"
        );
    }

    #[test]
    fn a_crafted_key_chooses_no_host_and_is_not_shown() {
        for suffix in [
            "us6.evil.org/",
            "evil.org",
            "us6@evil.org",
            "us",
            "us1234",
            "US6",
            "u6",
            "us6x",
            "",
            "us٣",
        ] {
            let error = host("audience_id = 'a1'", &format!("0123456789abcdef-{suffix}"));
            assert!(
                error.starts_with("plugins.mailchimp.api_key: "),
                "{suffix}: {error}"
            );
            assert!(!error.contains("0123456789abcdef"), "{error}");
        }
    }

    #[test]
    fn wrong_values_are_named() {
        for (table, key) in [
            ("audience_id = ''", "audience_id"),
            ("audience_id = '../x'", "audience_id"),
            (
                "audience_id = 'a'\nbase_url = 'http://example.org'",
                "base_url",
            ),
            (
                "audience_id = 'a'\nbase_url = 'https://u:p@example.org'",
                "base_url",
            ),
            ("audience_id = 'a'\ntag_prefix = ''", "tag_prefix"),
            ("audience_id = 'a'\nconnections = 11", "connections"),
            ("audience_id = 'a'\nconnections = 0", "connections"),
            ("audience_id = 'a'\non_opt_out = 'delete'", "on_opt_out"),
            (
                "audience_id = 'a'\nmarketing_permissions = 'all'",
                "marketing_permissions",
            ),
        ] {
            let error = settings(table, KEY).err().unwrap_or_default();
            assert!(
                error.starts_with(&format!("plugins.mailchimp.{key}: ")),
                "{table}: {error}"
            );
        }
    }

    #[test]
    fn a_key_that_is_none_is_not_quoted() {
        let error = settings("audience_id = 'a'\n'0123-us6' = 'api_key'", KEY)
            .err()
            .unwrap_or_default();
        assert!(
            error.starts_with("plugins.mailchimp: ")
                && error.contains("audience_id, base_url")
                && !error.contains("0123"),
            "{error}"
        );
        let error = settings("audience_id = 'a'\non_opt_out = '0123-us6'", KEY)
            .err()
            .unwrap_or_default();
        assert_eq!(
            error,
            "plugins.mailchimp.on_opt_out: expected `unsubscribe` or `ignore`"
        );
    }

    #[test]
    fn what_is_left_out_has_the_documented_default() {
        let settings = settings("audience_id = 'a1'", KEY).ok().unwrap();
        assert_eq!(
            (settings.on_opt_out, settings.tag_prefix.as_str()),
            (OnOptOut::Unsubscribe, "Classy-")
        );
        assert_eq!(
            (settings.connections, settings.marketing_permissions.len()),
            (10, 0)
        );
    }
}
