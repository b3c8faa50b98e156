//! Webhooks of an audience and what they tell (contract 8).

use super::audience::Audience;
use super::member::Member;
use super::time::hex;
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use url::Url;

/// What can be heard, and by whose doing.
pub(super) const EVENTS: [&str; 6] = [
    "subscribe",
    "unsubscribe",
    "profile",
    "cleaned",
    "upemail",
    "campaign",
];
pub(super) const SOURCES: [&str; 3] = ["user", "admin", "api"];

/// A webhook.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) id: String,
    pub(super) url: Url,
    pub(super) events: Map<String, Value>,
    pub(super) sources: Map<String, Value>,
    pub(super) secret: String,
}

impl Hook {
    fn hears(&self, event: &Event) -> bool {
        self.events.get(event.kind) == Some(&json!(true))
            && self.sources.get(event.source) == Some(&json!(true))
    }
}

/// What happened to a member.
#[derive(Debug, Clone)]
pub(super) enum What {
    Subscribe,
    /// `unsub` or `delete`.
    Unsubscribe(&'static str),
    Profile,
    Cleaned,
    /// From this address.
    Upemail(String),
}

/// Something to be told.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct Event {
    pub(super) audience: String,
    pub(super) kind: &'static str,
    source: &'static str,
    body: String,
}

impl Event {
    /// What is told of a member; none when nobody listens.
    pub(super) fn of(
        audience: &Audience,
        member: &Member,
        what: What,
        source: &'static str,
        now: i64,
    ) -> Option<Event> {
        if audience.hooks.is_empty() {
            return None;
        }
        let id = &member.id[..10];
        let fired = DateTime::from_timestamp(now, 0)
            .unwrap_or_default()
            .format("%Y-%m-%d %H:%M:%S")
            .to_string();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let kind = match &what {
            What::Subscribe => "subscribe",
            What::Unsubscribe(_) => "unsubscribe",
            What::Profile => "profile",
            What::Cleaned => "cleaned",
            What::Upemail(_) => "upemail",
        };
        form.append_pair("type", kind)
            .append_pair("fired_at", &fired)
            .append_pair("data[list_id]", &audience.id);
        match what {
            What::Upemail(old) => {
                form.append_pair("data[new_id]", id)
                    .append_pair("data[new_email]", &member.email)
                    .append_pair("data[old_email]", &old);
            }
            What::Cleaned => {
                form.append_pair("data[campaign_id]", "4fjk2ma9xd")
                    .append_pair("data[reason]", "hard")
                    .append_pair("data[email]", &member.email);
            }
            What::Subscribe | What::Profile | What::Unsubscribe(_) => {
                if let What::Unsubscribe(action) = what {
                    form.append_pair("data[action]", action)
                        .append_pair("data[reason]", "manual");
                }
                form.append_pair("data[id]", id)
                    .append_pair("data[email]", &member.email)
                    .append_pair("data[email_type]", "html");
                form.append_pair("data[ip_opt]", &member.ip_opt)
                    .append_pair("data[merges][EMAIL]", &member.email);
                audience
                    .fields
                    .iter()
                    .for_each(|field| merge(&mut form, &field.tag, member.fields.get(&field.tag)));
            }
        }
        Some(Event {
            audience: audience.id.clone(),
            kind,
            source,
            body: form.finish(),
        })
    }

    /// What each webhook that hears it is sent.
    pub(super) fn letters(&self, audience: &Audience) -> Vec<Letter> {
        let letter = |hook: &Hook| Letter {
            hook: hook.clone(),
            audience: self.audience.clone(),
            body: self.body.clone(),
        };
        audience
            .hooks
            .iter()
            .filter(|hook| hook.hears(self))
            .map(letter)
            .collect()
    }
}

fn merge(
    form: &mut url::form_urlencoded::Serializer<'_, String>,
    tag: &str,
    value: Option<&Value>,
) {
    match value {
        Some(Value::Object(parts)) => {
            for (part, value) in parts {
                form.append_pair(
                    &format!("data[merges][{tag}][{part}]"),
                    value.as_str().unwrap_or_default(),
                );
            }
        }
        Some(Value::String(text)) => drop(form.append_pair(&format!("data[merges][{tag}]"), text)),
        Some(other) => drop(form.append_pair(&format!("data[merges][{tag}]"), &other.to_string())),
        None => drop(form.append_pair(&format!("data[merges][{tag}]"), "")),
    }
}

/// An event on its way to one webhook.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) hook: Hook,
    pub(super) audience: String,
    pub(super) body: String,
}

impl Letter {
    /// `t=...,v1=...` over the body at a moment.
    pub(super) fn signature(&self, at: i64) -> String {
        // A key of any length is good.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.hook.secret.as_bytes()) else {
            return String::new();
        };
        mac.update(format!("{at}.{}", self.body).as_bytes());
        format!("t={at},v1={}", hex(&mac.finalize().into_bytes()))
    }
}
