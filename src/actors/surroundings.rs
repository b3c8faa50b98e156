//! What the daemon knows besides its organizations: found at the start and at each reload, read by whoever watches and answers.

use crate::credentials::Applied;
use crate::health::Messenger;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What signs messages for one organization.
#[derive(Debug, Clone, Default)]
pub struct HookSecrets {
    /// Classy's webhooks.
    pub classy: Option<SecretString>,
    /// Mailchimp's webhooks.
    pub mailchimp: Option<SecretString>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// What the vault lacks.
    pub keys_missing: Option<String>,
    /// Organizations' files that could not be read.
    pub wrong_files: Vec<String>,
    /// What is written where, for the free space there.
    pub places: Vec<(&'static str, PathBuf)>,
    /// Organizations with their files, by Classy's id.
    pub organizations: BTreeMap<i64, Applied>,
    /// By Classy's id.
    pub hooks: BTreeMap<i64, HookSecrets>,
    /// Opens control calls, and everything when not on loopback.
    pub token: Option<SecretString>,
    /// Why `http.listen` could not be opened.
    pub not_listening: Option<String>,
    /// Where alerts go; absent: nowhere yet.
    pub messenger: Option<Messenger>,
}
