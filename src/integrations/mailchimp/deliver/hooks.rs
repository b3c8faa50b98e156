//! The webhooks of the audience.

use crate::integrations::Settings as Given;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::settings::Settings;
use crate::plugin::{Hook, Hooks, NewHook, PluginError};
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

/// The key of the plugin's table and of its sealed secrets.
pub(crate) const SECRET: &str = "webhook_secret";

/// What is told: whoever comes, goes or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Events {
    subscribe: bool,
    unsubscribe: bool,
    profile: bool,
    cleaned: bool,
    upemail: bool,
    campaign: bool,
}

/// Whose doing is told: not that of programs, since most of it is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sources {
    user: bool,
    admin: bool,
    api: bool,
}

const EVENTS: Events = Events {
    subscribe: true,
    unsubscribe: true,
    profile: true,
    cleaned: true,
    upemail: true,
    campaign: false,
};

const SOURCES: Sources = Sources {
    user: true,
    admin: true,
    api: false,
};

/// A webhook that is made.
#[derive(Serialize)]
pub(crate) struct NewWebhook<'a> {
    url: &'a str,
    events: Events,
    sources: Sources,
}

#[derive(Deserialize)]
pub(crate) struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
pub(crate) struct Webhook {
    id: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    events: Events,
    #[serde(default)]
    sources: Sources,
    /// In the answer to its making only.
    #[serde(default)]
    signing_secret: Option<SecretString>,
}

struct OfAudience {
    api: Api,
}

/// The webhooks of an organization's audience.
pub(crate) fn of(given: Given) -> Result<Box<dyn Hooks>, PluginError> {
    Ok(Box::new(OfAudience {
        api: Api::new(&Settings::new(&given)?)?,
    }))
}

#[async_trait]
impl Hooks for OfAudience {
    fn secret_key(&self) -> &'static str {
        SECRET
    }

    async fn list(&self) -> Result<Vec<Hook>, PluginError> {
        let found: Webhooks = self
            .api
            .webhooks()
            .await
            .map_err(|failure| failure.into_error("reading the audience's webhooks"))?;
        let hook = |one: Webhook| Hook {
            id: one.id,
            url: one.url,
            is_as_wanted: one.events == EVENTS && one.sources == SOURCES,
        };
        Ok(found.webhooks.into_iter().map(hook).collect())
    }

    async fn create(&self, url: &Url) -> Result<NewHook, PluginError> {
        let what = "making the webhook";
        let asked = NewWebhook {
            url: url.as_str(),
            events: EVENTS,
            sources: SOURCES,
        };
        let made: Webhook =
            self.api
                .make_webhook(&asked)
                .await
                .map_err(|failure| match failure {
                    Failure::Invalid(problem) => PluginError::Unexpected(format!(
                        "{what}: Mailchimp refused it: {}",
                        problem.plain()
                    )),
                    failure => failure.into_error(what),
                })?;
        match made.signing_secret {
            Some(secret) => Ok(NewHook {
                id: made.id,
                secret,
            }),
            None => {
                self.delete(&made.id).await?;
                Err(PluginError::Unexpected(format!(
                    "{what}: Mailchimp told no secret with it, so its messages could be anybody's; it was deleted"
                )))
            }
        }
    }

    async fn delete(&self, id: &str) -> Result<(), PluginError> {
        match self.api.drop_webhook(id).await {
            Ok(()) | Err(Failure::Missing) => Ok(()),
            Err(failure) => Err(failure.into_error("deleting the webhook")),
        }
    }
}
