//! Where alerts go: the log, and a webhook that speaks Slack's JSON. The dead-man address is called
//! here, too.

use super::checks::SOURCE;
use super::notice::{Notice, Occasion};
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How somebody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the webhook, which said that it took it.
    Webhook,
    /// By the log alone: no webhook is configured.
    Log,
}

impl Way {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Way::Webhook => "webhook",
            Way::Log => "log",
        }
    }
}

/// A notice did not arrive. Names no address: it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// No answer.
    #[error("the alert webhook does not answer: {cause}")]
    Silent {
        /// Without the address.
        cause: String,
    },
    /// Another answer than 2xx.
    #[error("the alert webhook answers {status}")]
    Refused {
        /// HTTP's.
        status: u16,
    },
    /// Nothing can be sent at all.
    #[error("no HTTP client could be made; the log says why")]
    NoClient,
    /// The address is none.
    #[error("alerts.webhook or alerts.dead_man is not an http:// or https:// address")]
    Address,
}

/// Carries notices. Clones share connections.
#[derive(Debug, Clone)]
pub struct Messenger {
    client: Option<reqwest::Client>,
    webhook: Option<SecretString>,
    dead_man: Option<SecretString>,
}

impl Messenger {
    /// With the addresses that are configured.
    pub fn new(webhook: Option<SecretString>, dead_man: Option<SecretString>) -> Messenger {
        let client = crate::net::client(|builder| builder.timeout(PATIENCE));
        Messenger {
            client: client
                .inspect_err(|error| tracing::error!(%error, "alerts go to the log only"))
                .ok(),
            webhook,
            dead_man,
        }
    }

    /// How notices go.
    pub const fn way(&self) -> Way {
        if self.webhook.is_some() {
            Way::Webhook
        } else {
            Way::Log
        }
    }

    /// Tells the log, once for each notice, and the webhook.
    ///
    /// # Errors
    /// The webhook's; a notice is then tried again.
    pub async fn tell(&self, notice: &Notice) -> Result<Way, Undelivered> {
        if notice.tries == 0 {
            log(notice);
        }
        let Some(webhook) = &self.webhook else {
            return Ok(Way::Log);
        };
        self.post(
            webhook,
            Some(serde_json::json!({ "text": text(notice) }).to_string()),
        )
        .await?;
        Ok(Way::Webhook)
    }

    /// Says that all is well, where somebody waits for it.
    ///
    /// # Errors
    /// No answer, or another one than 2xx.
    pub async fn alive(&self) -> Result<(), Undelivered> {
        match &self.dead_man {
            Some(address) => self.post(address, None).await,
            None => Ok(()),
        }
    }

    async fn post(&self, address: &SecretString, body: Option<String>) -> Result<(), Undelivered> {
        let client = self.client.as_ref().ok_or(Undelivered::NoClient)?;
        let url = url::Url::parse(address.expose_secret())
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()));
        let url = url.ok_or(Undelivered::Address)?;
        let request = match body {
            Some(body) => client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(body),
            None => client.get(url),
        };
        let answer = request.send().await.map_err(|error| Undelivered::Silent {
            cause: cause(error),
        })?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(Undelivered::Refused {
                status: status.as_u16(),
            })
        }
    }
}

/// What went wrong, without the address.
fn cause(error: reqwest::Error) -> String {
    match (error.is_timeout(), error.is_connect()) {
        (true, _) => format!("not within {} s", PATIENCE.as_secs()),
        (_, true) => "no connection".to_owned(),
        _ => "the connection broke".to_owned(),
    }
}

fn log(notice: &Notice) {
    let alert = &notice.alert;
    let (organization, key) = (
        alert.classy_id,
        alert.key.split('@').next().unwrap_or_default(),
    );
    match notice.occasion {
        Occasion::Resolved => tracing::info!(
            organization,
            key,
            message_text = alert.message,
            "alert resolved"
        ),
        _ if alert.severity == "failing" => {
            tracing::error!(organization, key, occasion = ?notice.occasion, reason = alert.message, "alert")
        }
        _ => {
            tracing::warn!(organization, key, occasion = ?notice.occasion, reason = alert.message, "alert")
        }
    }
}

/// One line for people.
fn text(notice: &Notice) -> String {
    let alert = &notice.alert;
    let word = match notice.occasion {
        Occasion::Opened | Occasion::Worse => alert.severity.to_uppercase(),
        Occasion::Still => format!("STILL {}", alert.severity.to_uppercase()),
        Occasion::Resolved => "RESOLVED".to_owned(),
    };
    let whom = alert.classy_id.map_or_else(
        || "classy-sync".to_owned(),
        |id| format!("organization {id}"),
    );
    let key = alert.key.split('@').next().unwrap_or_default();
    let since = alert.opened_at.format("%Y-%m-%d %H:%M:%S UTC");
    let text = match notice.occasion {
        Occasion::Resolved => format!(
            "[{word}] {whom}: {key} is well again (was since {since}: {})",
            alert.message
        ),
        // It says itself who waits, and for what.
        _ if key == SOURCE || key.starts_with("source:") => {
            format!("[{word}] {} (since {since})", alert.message)
        }
        _ => format!("[{word}] {whom}: {key}: {} (since {since})", alert.message),
    };
    // Slack reads these three as markup.
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
