//! Posts and signs. Tries again when the other side is busy; never follows it elsewhere.

use crate::config::signing_key;
use crate::domain::{Time, keep_secret};
use crate::net::{self, Backoff, UpTo, retry};
use crate::plugin::PluginError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

const TIMEOUT: Duration = Duration::from_secs(30);
const TRIES: u32 = 4;
const BACKOFF: Backoff = Backoff {
    base: Duration::from_secs(1),
    cap: Duration::from_secs(20),
};

/// Posts to one URL.
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    signer: Hmac<Sha256>,
}

/// What the other side said.
pub(super) enum Answer {
    /// It has it.
    Taken,
    /// It does not want this, and would not want it again.
    Refused(String),
}

impl Client {
    /// For one address and one secret.
    pub(super) fn new(url: Url, secret: &SecretString) -> Result<Client, PluginError> {
        let key = key(secret)?;
        // Whoever holds the address may post to it.
        keep_secret(&url.as_str().into());
        let http = net::client(|builder| {
            builder
                .timeout(TIMEOUT)
                .user_agent(concat!("classy-sync/", env!("CARGO_PKG_VERSION")))
        })
        .map_err(|error| PluginError::Unexpected(error.to_string()))?;
        let signer = Hmac::new_from_slice(&key)
            .map_err(|error| PluginError::Unexpected(format!("no signing key: {error}")))?;
        Ok(Client { http, url, signer })
    }

    /// Posts a body until it is taken or refused.
    pub(super) async fn post(&self, body: &str, now: Time) -> Result<Answer, PluginError> {
        let busy = |error: &PluginError| matches!(error, PluginError::Unavailable(_));
        retry(UpTo::new(TRIES, BACKOFF, busy), || {
            self.post_once(body, now)
        })
        .await
    }

    async fn post_once(&self, body: &str, now: Time) -> Result<Answer, PluginError> {
        match self.send(body, now).await {
            Ok(200..300) => Ok(Answer::Taken),
            Ok(status @ (401 | 403 | 404 | 410)) => Err(PluginError::Refused(format!(
                "the webhook's address answered {status}"
            ))),
            Ok(status @ 400..500) if status != 408 && status != 429 => Ok(Answer::Refused(
                format!("the webhook's address answered {status}"),
            )),
            Ok(status) => Err(PluginError::Unavailable(format!(
                "the webhook's address answered {status}"
            ))),
            // Without the URL, which may hold a token.
            Err(error) => Err(PluginError::Unavailable(format!(
                "the webhook's address cannot be reached: {}",
                error.without_url()
            ))),
        }
    }

    async fn send(&self, body: &str, now: Time) -> Result<u16, reqwest::Error> {
        // Equal for every try of the same body, so that the other side can tell a repetition.
        let id = format!("msg_{}", &hex(&Sha256::digest(body.as_bytes()))[..32]);
        let at = now.timestamp();
        let mut mac = self.signer.clone();
        mac.update(format!("{id}.{at}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", format!("v1,{signature}"))
            .body(body.to_owned());
        Ok(request.send().await?.status().as_u16())
    }
}

/// A secret that begins with `whsec_` is base64; any other is taken as it is.
pub(super) fn key(secret: &SecretString) -> Result<Zeroizing<Vec<u8>>, PluginError> {
    let wrong = |cause: &str| PluginError::Configuration {
        key: "plugins.webhook.secret".to_owned(),
        cause: cause.to_owned(),
    };
    signing_key(secret.expose_secret()).map_err(wrong)
}

/// The address in a secret, if it is one.
pub(super) fn parse(text: &SecretString) -> Option<Url> {
    Url::parse(text.expose_secret().trim()).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
