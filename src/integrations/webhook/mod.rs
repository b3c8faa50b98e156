//! `webhook`: posts changed supporters to a URL as signed JSON. Small and complete: the example of
//! a plugin.
//!
//! The signature is that of Standard Webhooks:
//! `webhook-signature: v1,BASE64(HMAC-SHA256(secret, "ID.TIMESTAMP.BODY"))`. An e-mail address is
//! in it only for people who may be mailed.
//!
//! The URL may hold a token, so it is sealed like the secret; what is stored and shown of it is the
//! host and a digest.

mod client;

use super::{Kind, Settings, fingerprint, read};
use crate::config::Secret;
use crate::domain::{Address, CheckResult, Fate, Planned, Profile, Step, Verdict};
use crate::plugin::{Plugin, PluginContext, PluginError, Sending};
use async_trait::async_trait;
use client::{Answer, Client};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

const NAME: &str = "webhook";

/// This plugin for the registry. Its address is a secret like its key, since it may hold a token.
pub const KIND: Kind = Kind {
    name: NAME,
    secrets: &["secret", "url"],
    check,
    check_secret,
    destination,
    exclusive: false,
    make,
    hooks: None,
};

/// `[plugins.webhook]`
#[derive(Debug, Deserialize)]
struct Config {
    /// Where to.
    url: Option<Secret>,
    /// Signs each request.
    secret: Option<Secret>,
    /// People in one request.
    #[serde(default = "batch")]
    batch: usize,
}

const fn batch() -> usize {
    100
}

struct Webhook {
    url: Url,
    destination: String,
    secret: SecretString,
    batch: usize,
    client: Option<Client>,
}

fn wrong(key: &str, cause: &str) -> PluginError {
    PluginError::Configuration {
        key: format!("plugins.{NAME}.{key}"),
        cause: cause.to_owned(),
    }
}

fn config(table: &toml::Table) -> Result<Config, PluginError> {
    let config: Config = read(NAME, table)?;
    if let Some(Secret::Plain(url)) = &config.url {
        address(url)?;
    }
    if let Some(Secret::Plain(secret)) = &config.secret {
        client::key(secret)?;
    }
    if !(1..=1_000).contains(&config.batch) {
        return Err(wrong("batch", "expected 1 to 1000"));
    }
    Ok(config)
}

fn check(table: &toml::Table) -> Result<(), PluginError> {
    config(table).map(drop)
}

fn check_secret(key: &str, secret: &SecretString) -> Result<(), PluginError> {
    if key == "url" {
        address(secret).map(drop)
    } else {
        client::key(secret).map(drop)
    }
}

fn address(text: &SecretString) -> Result<Url, PluginError> {
    let url = client::parse(text).ok_or_else(|| {
        wrong(
            "url",
            "expected an address such as https://example.org/path",
        )
    })?;
    crate::config::check_url(&url).map_err(|cause| wrong("url", cause))?;
    Ok(url)
}

fn destination(settings: &Settings) -> Result<String, PluginError> {
    Ok(shown(&address(&settings.secret(NAME, "url")?)?))
}

/// The host, and a digest that tells one path of it from another.
fn shown(url: &Url) -> String {
    format!(
        "{}#{:016x}",
        url.origin().ascii_serialization(),
        fingerprint(url.as_str().as_bytes())
    )
}

fn make(settings: Settings) -> Result<Box<dyn Plugin>, PluginError> {
    let Config { batch, .. } = config(&settings.table)?;
    let (url, secret) = (
        address(&settings.secret(NAME, "url")?)?,
        settings.secret(NAME, "secret")?,
    );
    client::key(&secret)?;
    Ok(Box::new(Webhook {
        destination: shown(&url),
        url,
        secret,
        batch,
        client: None,
    }))
}

#[async_trait]
impl Plugin for Webhook {
    fn destination(&self) -> &str {
        &self.destination
    }

    fn batch_size(&self) -> usize {
        self.batch
    }

    async fn initialize(&mut self, _: &PluginContext) -> Result<(), PluginError> {
        self.client = Some(Client::new(self.url.clone(), &self.secret)?);
        Ok(())
    }

    async fn setup(&mut self, _: &PluginContext) -> Result<(), PluginError> {
        Ok(())
    }

    async fn preview(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Planned>, PluginError> {
        let due = self.due(ctx, batch).await?;
        let step = |person: &Profile| match due.get(&person.supporter_id) {
            None => Step::Keep,
            Some(Known::New) => Step::Add,
            Some(Known::Changed) => Step::Change,
        };
        Ok(batch
            .iter()
            .map(|person| Planned::nothing(person.supporter_id, step(person), None))
            .collect())
    }

    async fn process(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError> {
        let due = self.due(ctx, batch).await?;
        let mut verdicts: Vec<Verdict> = batch
            .iter()
            .filter(|person| !due.contains_key(&person.supporter_id))
            .map(|person| verdict(ctx, person, Fate::Delivered))
            .collect();
        let people: Vec<Profile> = batch
            .iter()
            .filter(|person| due.contains_key(&person.supporter_id))
            .cloned()
            .collect();
        // A request that is refused is halved until the one person is found whom the other side
        // does not take.
        let mut parts = vec![people];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            ctx.go_on()?;
            let sending = part.iter().map(|person| Sending {
                supporter_id: person.supporter_id,
                address: None,
                intent: Step::Change,
                image: None,
            });
            let fresh = ctx.begin_sending(&sending.collect::<Vec<_>>()).await?;
            match self.client()?.post(&body(ctx, &fresh), ctx.now()).await? {
                Answer::Taken => verdicts.extend(
                    fresh
                        .iter()
                        .map(|person| verdict(ctx, person, Fate::Delivered)),
                ),
                Answer::Refused(_) if part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([left.to_vec(), right.to_vec()]);
                }
                Answer::Refused(why) => {
                    verdicts.extend(part.iter().map(|person| {
                        Verdict::of(person.supporter_id, Fate::Rejected(why.clone()))
                    }))
                }
            }
        }
        Ok(verdicts)
    }

    async fn health_check(&self, _: &PluginContext) -> CheckResult {
        // Asking without sending is not part of a webhook; what deliveries say is all there is.
        CheckResult::ok()
    }

    async fn shutdown(&mut self) -> Result<(), PluginError> {
        self.client = None;
        Ok(())
    }
}

/// Whether somebody was ever delivered.
enum Known {
    New,
    Changed,
}

impl Webhook {
    fn client(&self) -> Result<&Client, PluginError> {
        self.client
            .as_ref()
            .ok_or_else(|| PluginError::Unexpected("the webhook was not initialized".to_owned()))
    }

    /// Those of whom the other side does not have the present picture.
    async fn due(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<BTreeMap<i64, Known>, PluginError> {
        let ids: Vec<i64> = batch.iter().map(|person| person.supporter_id).collect();
        let ledger = ctx.ledger(&ids).await?;
        let known = |person: &Profile| match ledger
            .get(&person.supporter_id)
            .and_then(|row| row.fingerprint)
        {
            None => Some(Known::New),
            Some(old) => (old != fingerprint(picture(ctx, person).to_string().as_bytes()))
                .then_some(Known::Changed),
        };
        Ok(batch
            .iter()
            .filter_map(|person| Some((person.supporter_id, known(person)?)))
            .collect())
    }
}

fn verdict(ctx: &PluginContext, person: &Profile, fate: Fate) -> Verdict {
    Verdict {
        fingerprint: Some(fingerprint(picture(ctx, person).to_string().as_bytes())),
        review_at: person.engagement_ends(ctx.now()),
        ..Verdict::of(person.supporter_id, fate)
    }
}

fn body(ctx: &PluginContext, people: &[Profile]) -> String {
    let supporters: Vec<Value> = people.iter().map(|person| picture(ctx, person)).collect();
    json!({ "type": "supporters.changed", "timestamp": ctx.now().to_rfc3339(), "organization": ctx.classy_id(), "supporters": supporters })
        .to_string()
}

fn picture(ctx: &PluginContext, person: &Profile) -> Value {
    let time = |time: Option<crate::domain::Time>| time.map(|time| time.to_rfc3339());
    json!({
        "id": person.supporter_id,
        "email_address": person.mailable_address().map(Address::as_str),
        "email_opt_in": person.email_opt_in,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "absent": person.is_absent,
        "lifetime_donation_amount": person.lifetime_amount.to_string(),
        "lifetime_donation_count": person.lifetime_count,
        "monthly_recurring_amount": person.monthly_amount.to_string(),
        "first_donation_at": time(person.first_gift_at),
        "last_donation_at": time(person.last_gift_at),
        "donor_segment": person.value(),
        "frequency": person.frequency(),
        "engagement_status": person.engagement(ctx.now()),
    })
}
