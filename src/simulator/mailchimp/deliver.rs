//! Webhooks sent: signed, again and again for 75 minutes until they are taken, given up at once by
//! a 410 (contract 8).

use super::webhook::{Event, Letter};
use crate::simulator::fault::{Fault, mix};
use crate::simulator::post;
use crate::simulator::server::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(75 * 60);

/// Sends what happens, as long as the world is there.
pub(in crate::simulator) async fn deliver(shared: Arc<Shared>, mut news: UnboundedReceiver<Event>) {
    let mut kept: Vec<Letter> = Vec::new();
    while let Some(event) = news.recv().await {
        let disorder = shared.world().has(Fault::MailchimpWebhookDisorder);
        let (letters, roll) = {
            let mut state = shared.mailchimp();
            let roll = mix(state.next());
            (
                state
                    .audiences
                    .get(&event.audience)
                    .map(|audience| event.letters(audience))
                    .unwrap_or_default(),
                roll,
            )
        };
        let due = match roll % 4 {
            _ if !disorder => letters,
            // Lost.
            0 => Vec::new(),
            1 => letters.iter().chain(&letters).cloned().collect(),
            // After the next ones.
            2 => std::mem::replace(&mut kept, letters),
            _ => letters.into_iter().chain(kept.drain(..)).collect(),
        };
        for letter in due {
            if !arrives(&shared, &letter).await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { insist(&shared, &letter).await });
            }
        }
    }
}

async fn insist(shared: &Shared, letter: &Letter) {
    let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
    while waited < LONGEST {
        tokio::time::sleep(pause).await;
        if arrives(shared, letter).await {
            return;
        }
        waited += pause;
        pause *= 2;
    }
}

/// Sends a letter once; answers whether that was enough. 410 ends the webhook.
async fn arrives(shared: &Shared, letter: &Letter) -> bool {
    let at = shared.mailchimp().now();
    let signature = letter.signature(at);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("user-agent", "MailChimp.com"),
        ("x-mailchimp-signature", signature.as_str()),
    ];
    let sent = tokio::time::timeout(
        PATIENCE,
        post::send("POST", &letter.hook.url, &headers, &letter.body),
    )
    .await;
    match sent {
        Ok(Ok(410)) => {
            if let Some(audience) = shared.mailchimp().audiences.get_mut(&letter.audience) {
                audience.hooks.retain(|hook| hook.id != letter.hook.id);
            }
            true
        }
        Ok(Ok(status)) => (200..300).contains(&status),
        _ => false,
    }
}
