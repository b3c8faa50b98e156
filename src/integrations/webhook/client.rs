//! Posts and signs. Tries again when the other side is busy; never follows it elsewhere.

use crate::domain::Time;
use crate::plugin::PluginError;
use crate::resilience::Backoff;
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
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(20) };

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
    /// A secret that begins with `whsec_` is base64; any other is taken as it is.
    pub(super) fn new(url: Url, secret: &SecretString) -> Result<Client, PluginError> {
        let written = secret.expose_secret();
        let key = match written.strip_prefix("whsec_") {
            None => Zeroizing::new(written.as_bytes().to_vec()),
            Some(encoded) => STANDARD.decode(encoded).map(Zeroizing::new).map_err(|_| PluginError::Configuration {
                key: "plugins.webhook.secret".to_owned(),
                cause: "expected base64 after whsec_".to_owned(),
            })?,
        };
        // One that is there already serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent(concat!("classy-sync/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .build()
            .map_err(|error| PluginError::Unexpected(format!("no HTTP client: {error}")))?;
        let signer = Hmac::new_from_slice(&key).map_err(|error| PluginError::Unexpected(format!("no signing key: {error}")))?;
        Ok(Client { http, url, signer })
    }

    /// Posts a body until it is taken or refused.
    pub(super) async fn post(&self, body: &str, now: Time) -> Result<Answer, PluginError> {
        let mut tried = 0;
        loop {
            let problem = match self.post_once(body, now).await {
                Ok(status) if (200..300).contains(&status) => return Ok(Answer::Taken),
                Ok(status @ (401 | 403 | 404 | 410)) => {
                    return Err(PluginError::Refused(format!("the webhook's address answered {status}")));
                }
                Ok(status) if (400..500).contains(&status) && status != 408 && status != 429 => {
                    return Ok(Answer::Refused(format!("the webhook's address answered {status}")));
                }
                Ok(status) => format!("the webhook's address answered {status}"),
                // Without the URL, which may hold a token.
                Err(error) => format!("the webhook's address cannot be reached: {}", error.without_url()),
            };
            tried += 1;
            if tried >= TRIES {
                return Err(PluginError::Unavailable(problem));
            }
            tokio::time::sleep(BACKOFF.wait(tried)).await;
        }
    }

    async fn post_once(&self, body: &str, now: Time) -> Result<u16, reqwest::Error> {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
