//! One member of an audience, and how the API shows it.

use super::audience::Audience;
use super::status::{Left, Status};
use super::time::{self, hex};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A member's `tags` are cut here, `tags_count` is not (contract 2).
const TAGS_SHOWN: usize = 50;

/// Who an address belongs to: trimmed and in lower case.
pub(super) fn key_of(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The MD5 of an address in lower case, in hexadecimal digits.
pub(super) fn hash_of(email: &str) -> String {
    hex(&Md5::digest(key_of(email).as_bytes()))
}

/// A tag that a member carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) segment: u64,
    pub(super) since: i64,
}

/// One member.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// As it was written.
    pub email: String,
    /// In what state.
    pub status: Status,
    /// How the person left, until they come back by themselves.
    pub left: Option<Left>,
    /// Was there before the program, which has no business with it.
    pub foreign: bool,
    /// A program put it there, and the person has not come by a form since.
    pub by_program: bool,
    /// Merge fields that have a value, by tag.
    pub fields: Map<String, Value>,
    /// When it changed last, in seconds since 1970.
    pub last_changed: i64,
    /// The MD5 of the address.
    pub(super) id: String,
    pub(super) tags: Vec<Held>,
    pub(super) before_archive: Option<Status>,
    pub(super) reason: String,
    pub(super) permissions: BTreeMap<String, bool>,
    pub(super) vip: bool,
    pub(super) language: String,
    pub(super) email_type: String,
    pub(super) ip_signup: String,
    pub(super) ip_opt: String,
    pub(super) signed_up: i64,
    pub(super) opted_in: i64,
    pub(super) source: &'static str,
    /// How often a program made it new, and when last.
    pub(super) signups: (u32, i64),
}

impl Member {
    pub(super) fn new(email: &str, status: Status, now: i64) -> Member {
        Member {
            email: email.trim().to_owned(),
            status,
            left: None,
            foreign: false,
            by_program: false,
            fields: Map::new(),
            last_changed: now,
            id: hash_of(email),
            tags: Vec::new(),
            before_archive: None,
            reason: String::new(),
            permissions: BTreeMap::new(),
            vip: false,
            language: String::new(),
            email_type: "html".to_owned(),
            ip_signup: String::new(),
            ip_opt: String::new(),
            signed_up: now,
            opted_in: if status == Status::Subscribed { now } else { 0 },
            source: "API - Generic",
            signups: (0, 0),
        }
    }

    fn full_name(&self) -> String {
        let part = |tag: &str| {
            self.fields
                .get(tag)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        format!("{} {}", part("FNAME"), part("LNAME"))
            .trim()
            .to_owned()
    }
}

/// A member as the API shows it; `index` is its place in the audience.
pub(super) fn render(audience: &Audience, index: u32, member: &Member) -> Value {
    let id = &member.id;
    let tags: Vec<Value> = member
        .tags
        .iter()
        .filter_map(|held| Some(audience.segments.get(&held.segment)?.as_tag()))
        .collect();
    let mut fields = Map::new();
    for field in &audience.fields {
        fields.insert(
            field.tag.clone(),
            member
                .fields
                .get(&field.tag)
                .cloned()
                .unwrap_or_else(|| json!("")),
        );
    }
    let permissions = |(id, text): &(String, String)| {
        let enabled = member.permissions.get(id).copied().unwrap_or(false);
        json!({"marketing_permission_id": id, "text": text, "enabled": enabled})
    };
    json!({
        "id": id,
        "email_address": member.email,
        "unique_email_id": id[..10],
        "contact_id": audience.contact_id(index),
        "full_name": member.full_name(),
        "web_id": 500_000_000 + u64::from(index),
        "email_type": member.email_type,
        "status": member.status.as_str(),
        "unsubscribe_reason": member.reason,
        "consents_to_one_to_one_messaging": true,
        "merge_fields": fields,
        "interests": {},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": member.ip_signup,
        "timestamp_signup": time::text(member.signed_up),
        "ip_opt": member.ip_opt,
        "timestamp_opt": if member.opted_in == 0 { String::new() } else { time::text(member.opted_in) },
        "member_rating": 2,
        "last_changed": time::text(member.last_changed),
        "language": member.language,
        "vip": member.vip,
        "email_client": "",
        "location": {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": "", "region": ""},
        "marketing_permissions": audience.permissions.iter().map(permissions).collect::<Vec<_>>(),
        "source": member.source,
        "tags_count": tags.len(),
        "tags": tags.into_iter().take(TAGS_SHOWN).collect::<Vec<_>>(),
        "list_id": audience.id,
        "_links": [],
    })
}
