//! Values held against what they mean: an address can be understood, a secret is where it is said
//! to be. The kind of each value was checked before; whoever only looks at the database needs none
//! of this.

use super::{Config, ConfigError, DatabaseAddress, Secret};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Characters of a token that nobody guesses.
pub const LEAST_TOKEN: usize = 16;
/// Different characters in it, at least: one that repeats a few is guessed.
const LEAST_DIFFERENT: usize = 6;

impl Config {
    /// The place that a key's value comes from.
    pub(super) fn place_of(&self, key: &str) -> String {
        let variable = self
            .variables
            .get(key)
            .map(|name| format!("environment variable {name}"));
        variable.unwrap_or_else(|| self.file.display().to_string())
    }

    pub(super) fn wrong(&self, key: &str, cause: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            place: self.place_of(key),
            key: key.to_owned(),
            cause: cause.into(),
        }
    }

    /// Everything that is wrong with what the values mean.
    pub fn meanings(&self) -> Vec<ConfigError> {
        let mut faults = Vec::new();
        if let Err(reason) = DatabaseAddress::parse(self.database.url.expose_secret()) {
            faults.push(self.wrong(
                "database.url",
                format!("{reason}; in a user's name or password write %23 for #, %40 for @, %2F for / and %25 for %"),
            ));
        }
        faults.extend(self.token().err());
        faults.extend(self.alerts_webhook().err());
        faults.extend(self.alerts_dead_man().err());
        faults
    }

    /// `http.token`, if there is one; it must be there, and long, when others than this machine may
    /// ask.
    ///
    /// # Errors
    /// It cannot be had, or lets everybody in.
    pub fn token(&self) -> Result<Option<SecretString>, ConfigError> {
        let (token, listen) = (
            self.secret(&self.http.token, "http.token")?,
            self.http.listen,
        );
        let Some(token) = token else {
            let cause = || {
                format!(
                    "{listen} can be reached from elsewhere, so http.token is needed: set it, or CLASSY_SYNC_HTTP_TOKEN, or listen on 127.0.0.1"
                )
            };
            return if listen.ip().is_loopback() {
                Ok(None)
            } else {
                Err(self.wrong("http.listen", cause()))
            };
        };
        if token.expose_secret().chars().count() < LEAST_TOKEN && !listen.ip().is_loopback() {
            let cause = format!(
                "expected at least {LEAST_TOKEN} characters, since {listen} can be reached from elsewhere; `openssl rand -hex 24` makes one"
            );
            return Err(self.wrong("http.token", cause));
        }
        let different = token
            .expose_secret()
            .chars()
            .collect::<std::collections::HashSet<_>>()
            .len();
        if different < LEAST_DIFFERENT && !listen.ip().is_loopback() {
            let cause = format!(
                "it has {different} different characters, and {listen} can be reached from elsewhere; `openssl rand -hex 24` makes a better one"
            );
            return Err(self.wrong("http.token", cause));
        }
        Ok(Some(token))
    }

    /// Where alerts are posted, if that is said.
    ///
    /// # Errors
    /// It cannot be had, or is no address.
    pub fn alerts_webhook(&self) -> Result<Option<SecretString>, ConfigError> {
        self.address(&self.alerts.webhook, "alerts.webhook")
    }

    /// What is called while all is well, if that is said.
    ///
    /// # Errors
    /// It cannot be had, or is no address.
    pub fn alerts_dead_man(&self) -> Result<Option<SecretString>, ConfigError> {
        self.address(&self.alerts.dead_man, "alerts.dead_man")
    }

    fn address(&self, secret: &Secret, key: &str) -> Result<Option<SecretString>, ConfigError> {
        let address = self.secret(secret, key)?;
        let is_one = |address: &SecretString| {
            Url::parse(address.expose_secret())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        };
        match address {
            // Its value may be a token, so it is not repeated.
            Some(address) if !is_one(&address) => {
                Err(self.wrong(key, "expected an address such as https://example.org/path"))
            }
            address => Ok(address),
        }
    }

    /// A variable that is not set is as good as left out; anything else must be there.
    fn secret(&self, secret: &Secret, key: &str) -> Result<Option<SecretString>, ConfigError> {
        if secret.is_unset() {
            Ok(None)
        } else {
            secret.resolve(&self.file, key).map(Some)
        }
    }
}
