//! One organization's token: asked for once at a time, before it ends and when it is refused.

use super::answer::Answer;
use super::{Error, Settings, Transport};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// When the API does not say how long a token lives.
const UNTOLD: Duration = Duration::from_secs(300);
/// What it says is taken within these.
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(86_400);
/// Refreshed so long before its end, or a tenth of its life before when that is less.
const EARLY: Duration = Duration::from_secs(60);

/// A token and which one it is: a run reports the generation that was refused, so that many runs that fail with one token
/// cause one refresh.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) generation: u64,
}

enum Held {
    None,
    Good {
        token: Token,
        refresh_at: Instant,
    },
    /// The credentials were refused; they will not become better by asking again.
    Refused {
        status: u16,
    },
}

/// Where the token is kept.
pub(super) struct Tokens {
    held: Mutex<Held>,
    generation: std::sync::atomic::AtomicU64,
    pub(super) requests: std::sync::atomic::AtomicU64,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Tokens { held: Mutex::new(Held::None), generation: 0.into(), requests: 0.into() }
    }

    /// A token that is good now and is not of the refused generation. Whoever comes while one is asked for waits for it.
    pub(super) async fn get(
        &self,
        transport: &Transport,
        settings: &Settings,
        headers: &HeaderMap,
        refused: Option<u64>,
    ) -> Result<Token, Error> {
        let mut held = self.held.lock().await;
        match &*held {
            Held::Refused { status } => return Err(Error::CredentialsRefused { status: *status }),
            Held::Good { token, refresh_at } if Some(token.generation) != refused && Instant::now() < *refresh_at => {
                return Ok(token.clone());
            }
            Held::Good { .. } | Held::None => {}
        }
        self.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match request(transport, settings, headers).await {
            Ok((secret, life)) => {
                let generation = self.generation.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                let token = Token { secret, generation };
                *held = Held::Good { token: token.clone(), refresh_at: Instant::now() + life - EARLY.min(life / 10) };
                tracing::debug!(organization = settings.classy_id, generation, life_s = life.as_secs(), "got a token");
                Ok(token)
            }
            Err(Error::CredentialsRefused { status }) => {
                *held = Held::Refused { status };
                Err(Error::CredentialsRefused { status })
            }
            Err(error) => Err(error),
        }
    }
}

async fn request(transport: &Transport, settings: &Settings, headers: &HeaderMap) -> Result<(SecretString, Duration), Error> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", settings.client_id.as_str()),
        ("client_secret", settings.client_secret.expose_secret()),
    ];
    let answer = transport.post_form(settings.token_url.clone(), &form, headers).await?;
    let status = answer.status;
    match answer.classify("the token", &settings.token_url) {
        Ok(answer) => read(&answer),
        // A wrong pair is answered with 400 (contract 1); other refusals mean the same to us.
        Err(Error::Refused { .. } | Error::TokenRefused | Error::Forbidden { .. }) => Err(Error::CredentialsRefused { status }),
        Err(error) => Err(error),
    }
}

fn read(answer: &Answer) -> Result<(SecretString, Duration), Error> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: SecretString,
        #[serde(default)]
        expires_in: serde_json::Value,
    }
    let granted: Granted = serde_json::from_slice(&answer.body)
        .map_err(|_| Error::Protocol { cause: "the token endpoint's answer has no access_token".to_owned() })?;
    if granted.access_token.expose_secret().is_empty() {
        return Err(Error::Protocol { cause: "the token endpoint's access_token is empty".to_owned() });
    }
    let told = match &granted.expires_in {
        serde_json::Value::Number(seconds) => seconds.as_u64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let life = told.filter(|seconds| *seconds > 0).map_or(UNTOLD, Duration::from_secs).clamp(SHORTEST, LONGEST);
    Ok((granted.access_token, life))
}
