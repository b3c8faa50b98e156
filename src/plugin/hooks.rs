//! Webhooks of the other side: how they are set up there, for kinds that have them.

use super::PluginError;
use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

/// A webhook as the other side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The other side's id.
    pub id: String,
    /// Where it tells.
    pub url: String,
    /// It tells what we want to hear, and of nothing that we did.
    pub is_as_wanted: bool,
}

/// A webhook that was just made.
#[derive(Debug)]
pub struct NewHook {
    /// The other side's id.
    pub id: String,
    /// What signs its messages; told this once.
    pub secret: SecretString,
}

/// The webhooks of one place.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// The plugin's secret under which what signs the messages is sealed.
    fn secret_key(&self) -> &'static str;

    /// Those that there are.
    async fn list(&self) -> Result<Vec<Hook>, PluginError>;

    /// Makes one. The other side asks the address at once whether somebody is there.
    async fn create(&self, url: &Url) -> Result<NewHook, PluginError>;

    /// Deletes one; one that is gone is deleted.
    async fn delete(&self, id: &str) -> Result<(), PluginError>;
}
