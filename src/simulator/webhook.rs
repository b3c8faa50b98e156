//! The sender of webhooks (contract 8): what was made or changed, signed the Svix way, to one
//! address over plain HTTP. It comes twice, late or never when it is told to; a refused one is
//! tried again a few times.

use super::fault::Fault;
use super::post;
use super::server::Shared;
use super::world::Kind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

/// How often one is sent until it is given up, and the first pause; each pause is twice the one
/// before.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where webhooks go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address, of plain HTTP.
    pub url: Url,
    /// What they are signed with: `whsec_` and a key in base64.
    pub secret: String,
}

/// Something that happened to a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct News {
    pub(super) organization: i64,
    pub(super) kind: Kind,
    pub(super) id: i64,
    pub(super) is_new: bool,
}

/// Sends what happens, as long as the world is there.
pub(super) async fn deliver(shared: Arc<Shared>, mut news: UnboundedReceiver<News>) {
    let mut kept = None;
    while let Some(one) = news.recv().await {
        let Some(webhook) = shared.options().webhook.clone() else {
            continue;
        };
        let Some(message) = Message::of(&shared, one) else {
            continue;
        };
        let (disorder, roll) = {
            let mut world = shared.world();
            (world.has(Fault::WebhookDisorder), world.roll())
        };
        let due = match roll % 4 {
            _ if !disorder => vec![message],
            // Lost.
            0 => Vec::new(),
            1 => vec![message.clone(), message],
            // After the next one.
            2 => kept.replace(message).into_iter().collect(),
            _ => std::iter::once(message).chain(kept.take()).collect(),
        };
        for message in due {
            if !message.arrives(&webhook).await {
                let webhook = webhook.clone();
                tokio::spawn(async move { message.insist(&webhook).await });
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    at: i64,
}

impl Message {
    /// The record as it is by now. Nothing is said about most kinds, nor about what is gone.
    fn of(shared: &Shared, news: News) -> Option<Message> {
        let mut world = shared.world();
        let (at, number) = (world.now(), world.roll());
        let record = world
            .organizations
            .get(&news.organization)?
            .lists
            .get(&news.kind)?
            .get(news.id)?;
        let about = news.kind.about();
        if !about.has_webhooks {
            return None;
        }
        let mut body = format!(
            "{{\"eventType\":\"{}.{}\",\"data\":",
            about.singular,
            if news.is_new { "created" } else { "updated" }
        );
        record.render(&world.faults, &mut body);
        body.push('}');
        Some(Message {
            id: format!("msg_{number:016x}"),
            body,
            at,
        })
    }

    async fn insist(&self, webhook: &Webhook) {
        for again in 1..TRIES {
            tokio::time::sleep(PAUSE * 2_u32.pow(again - 1)).await;
            if self.arrives(webhook).await {
                return;
            }
        }
    }

    fn signature(&self, secret: &str) -> io::Result<String> {
        let key = STANDARD
            .decode(secret.trim_start_matches("whsec_"))
            .map_err(io::Error::other)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(io::Error::other)?;
        mac.update(format!("{}.{}.{}", self.id, self.at, self.body).as_bytes());
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Sends it once; answers whether it was taken in time.
    async fn arrives(&self, webhook: &Webhook) -> bool {
        let sent = tokio::time::timeout(PATIENCE, self.send(webhook)).await;
        sent.is_ok_and(|sent| sent.is_ok_and(|status| (200..300).contains(&status)))
    }

    async fn send(&self, webhook: &Webhook) -> io::Result<u16> {
        let signature = format!("v1,{}", self.signature(&webhook.secret)?);
        let at = self.at.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", "Svix-Webhooks/1.0"),
            ("svix-id", self.id.as_str()),
            ("svix-timestamp", &at),
            ("svix-signature", &signature),
        ];
        post::send("POST", &webhook.url, &headers, &self.body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_published_example() {
        let message = Message {
            id: "msg_loFOjxBNrRLzqYUf".to_owned(),
            body: r#"{"event_type":"ping","data":{"success":true}}"#.to_owned(),
            at: 1_731_705_121,
        };
        let signature = message.signature("whsec_plJ3nmyCDGBKInavdOK15jsl").unwrap();
        assert_eq!(signature, "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    }
}
