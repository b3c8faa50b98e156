//! What the server goes by; reading the configuration again puts new ones in their place.

use crate::credentials::Applied;
use crate::plugin::GuardSettings;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// What signs messages for one organization.
#[derive(Debug, Clone, Default)]
pub struct HookSecrets {
    /// Classy's webhooks.
    pub classy: Option<SecretString>,
    /// Mailchimp's webhooks: any of these, that of the file and the one that is sealed.
    pub mailchimp: Vec<SecretString>,
}

/// As of the last reading of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Organizations with their files, by Classy's id.
    pub organizations: BTreeMap<i64, Applied>,
    /// What signs the webhooks of each organization, by Classy's id.
    pub hooks: BTreeMap<i64, HookSecrets>,
    /// Opens control calls, and everything where reading is not open.
    pub token: Option<SecretString>,
    /// Reading is open to this machine although there is a token.
    pub open_on_loopback: bool,
    /// Metrics tell of each organization by itself.
    pub metrics_per_organization: bool,
    /// Alerts go to a webhook, and not to the log alone.
    pub has_alert_webhook: bool,
    /// How much harm plugins may do unasked.
    pub guard: GuardSettings,
}
