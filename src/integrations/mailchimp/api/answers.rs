//! The bodies of answers, read leniently but for what decides about consent. None of them has a
//! `Debug`: they are full of donors.

use crate::domain::{Time, limits, scrubbed};
use chrono::DateTime;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Absent, `null` or a value.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A member as Mailchimp shows it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireMember {
    #[serde(deserialize_with = "lenient")]
    pub(crate) email_address: String,
    /// The same whatever the address becomes; blank where it is not told.
    #[serde(deserialize_with = "lenient")]
    pub(crate) contact_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) status: String,
    /// Of somebody who said no, or complained of a mail; blank where it is not told.
    #[serde(deserialize_with = "lenient")]
    pub(crate) unsubscribe_reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) merge_fields: Map<String, Value>,
    #[serde(deserialize_with = "moment")]
    pub(crate) last_changed: Option<Time>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) tags: Vec<WireTag>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) tags_count: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) marketing_permissions: Vec<WirePermission>,
}

impl WireMember {
    /// Whether it says who it is and in what state: without both, an answer about one member says
    /// nothing.
    pub(crate) fn is_identified(&self) -> bool {
        !self.email_address.is_empty() && !self.status.is_empty()
    }

    /// A field's text; blank when there is none.
    pub(crate) fn field(&self, tag: &str) -> &str {
        self.merge_fields
            .get(tag)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireTag {
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WirePermission {
    #[serde(deserialize_with = "lenient")]
    pub(crate) marketing_permission_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) text: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) enabled: bool,
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    let text = Option::<String>::deserialize(from)?.unwrap_or_default();
    Ok(DateTime::parse_from_rfc3339(&text)
        .ok()
        .map(Time::from)
        .filter(|at| limits::is_storable(*at)))
}

/// A page of members. Both are required: an answer without them would say that nobody is there and
/// nobody left.
#[derive(Deserialize)]
pub(crate) struct MemberPage {
    pub(crate) members: Vec<WireMember>,
    pub(crate) total_items: u64,
}

/// The audience. Whether it asks new people first decides about consent, so an answer that does not
/// say it is none.
#[derive(Deserialize)]
pub(crate) struct WireList {
    pub(crate) double_optin: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) marketing_permissions: bool,
    pub(crate) stats: WireStats,
}

#[derive(Deserialize)]
pub(crate) struct WireStats {
    pub(crate) member_count: u64,
    pub(crate) unsubscribe_count: Option<u64>,
    pub(crate) cleaned_count: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireFields {
    #[serde(deserialize_with = "lenient")]
    pub(crate) merge_fields: Vec<WireField>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) total_items: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireField {
    #[serde(deserialize_with = "lenient")]
    pub(crate) tag: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireSegments {
    #[serde(deserialize_with = "lenient")]
    pub(crate) segments: Vec<WireSegment>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) total_items: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireSegment {
    #[serde(deserialize_with = "lenient")]
    pub(crate) id: u64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) name: String,
}

/// What became of a batch.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct BatchAnswer {
    #[serde(deserialize_with = "lenient")]
    pub(crate) new_members: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) updated_members: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) errors: Vec<WireError>,
}

/// Why one person of a batch was not taken.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct WireError {
    #[serde(deserialize_with = "lenient")]
    pub(crate) email_address: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) error: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) field: String,
    #[serde(deserialize_with = "lenient")]
    pub(crate) field_message: String,
}

/// What became of a change of a segment.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SegmentAnswer {
    #[serde(deserialize_with = "lenient")]
    pub(crate) members_removed: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) errors: Vec<SegmentError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct SegmentError {
    #[serde(deserialize_with = "lenient")]
    pub(crate) email_addresses: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) error: String,
}

/// `application/problem+json`; real ones lack one part or the other now and then.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Problem {
    #[serde(deserialize_with = "lenient")]
    title: String,
    #[serde(deserialize_with = "lenient")]
    detail: String,
    #[serde(deserialize_with = "lenient")]
    errors: Vec<ProblemField>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ProblemField {
    #[serde(deserialize_with = "lenient")]
    message: String,
}

impl Problem {
    /// Its title, without anything that could be somebody's.
    pub(crate) fn title(&self) -> String {
        if self.title.is_empty() {
            "Mailchimp refused it without a reason".to_owned()
        } else {
            scrubbed(&self.title)
        }
    }

    /// Everything it says. May name somebody: only to be told apart by, never to be shown.
    pub(crate) fn all(&self) -> String {
        let messages = self.errors.iter().map(|field| field.message.as_str());
        let parts = [self.title.as_str(), self.detail.as_str()]
            .into_iter()
            .chain(messages);
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// The same, without anything that could be somebody's.
    pub(crate) fn plain(&self) -> String {
        scrubbed(&self.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_about_consent_must_be_told_and_the_rest_may_lack() {
        let read = |text: &str| {
            serde_json::from_str::<MemberPage>(text)
                .map(|page| page.members.len())
                .ok()
        };
        for nothing in [
            "{}",
            "{\"members\":null,\"total_items\":null}",
            "{\"members\":[]}",
            "{\"total_items\":0}",
        ] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
        let member = "{\"status\":null,\"tags\":null,\"merge_fields\":null,\"last_changed\":\"soon\",\"x\":1}";
        assert_eq!(
            read(&format!("{{\"members\":[{member}],\"total_items\":1}}")),
            Some(1)
        );
        for nothing in [
            "{}",
            "{\"stats\":{\"member_count\":1}}",
            "{\"double_optin\":null,\"stats\":{}}",
            "{\"double_optin\":true}",
        ] {
            assert!(
                serde_json::from_str::<WireList>(nothing).is_err(),
                "{nothing}"
            );
        }
        assert!(
            serde_json::from_str::<WireList>(
                "{\"double_optin\":true,\"stats\":{\"member_count\":1}}"
            )
            .is_ok()
        );
    }
}
