//! What goes over the wire, both ways. What is sent is typed so that it cannot say what must never
//! be said; what comes back is read leniently. None of it has a `Debug`: it is full of donors.

use crate::domain::{Time, limits, scrubbed};
use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The only statuses that a new member can be given. There is no way to give one to a member who is
/// there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StatusIfNew {
    Subscribed,
    /// Mailchimp asks them first.
    Pending,
}

/// One person of a batch.
#[derive(Serialize)]
pub(super) struct Item {
    pub(super) email_address: String,
    pub(super) status_if_new: StatusIfNew,
    pub(super) merge_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    /// When a new person consented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timestamp_signup: Option<String>,
}

/// Up to 500 people. `sync_tags` is not part of it: it would take away tags that are not ours.
#[derive(Serialize)]
pub(super) struct Batch<'a> {
    pub(super) members: &'a [Item],
    pub(super) update_existing: bool,
}

/// The only changes of a single member.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Patch {
    Unsubscribe { status: Unsubscribed },
    Move { email_address: String },
    Fields { merge_fields: Map<String, Value> },
    Permit { marketing_permissions: Vec<Permit> },
}

/// The only status that a member who is there can be given.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unsubscribed {
    Unsubscribed,
}

/// A permission that is given.
#[derive(Serialize)]
pub(super) struct Permit {
    pub(super) marketing_permission_id: String,
    pub(super) enabled: bool,
}

/// Tags that one member loses or gets.
#[derive(Serialize)]
pub(super) struct TagChange {
    pub(super) tags: Vec<TagTo>,
    /// What waits for a tag is not set off.
    pub(super) is_syncing: bool,
}

/// A tag that is taken off or put on.
#[derive(Serialize)]
pub(super) struct TagTo {
    pub(super) name: String,
    pub(super) status: TagStatus,
}

/// What is said of a single member's tag.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TagStatus {
    Active,
    Inactive,
}

/// A merge field that is made.
#[derive(Serialize)]
pub(super) struct NewField {
    pub(super) tag: &'static str,
    pub(super) name: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) public: bool,
}

/// Absent, `null` or a value.
fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A member as Mailchimp shows it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireMember {
    #[serde(deserialize_with = "lenient")]
    pub(super) email_address: String,
    /// The same whatever the address becomes; blank where it is not told.
    #[serde(deserialize_with = "lenient")]
    pub(super) contact_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) status: String,
    /// Of somebody who said no, or complained of a mail; blank where it is not told.
    #[serde(deserialize_with = "lenient")]
    pub(super) unsubscribe_reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) merge_fields: Map<String, Value>,
    #[serde(deserialize_with = "moment")]
    pub(super) last_changed: Option<Time>,
    #[serde(deserialize_with = "lenient")]
    pub(super) tags: Vec<WireTag>,
    #[serde(deserialize_with = "lenient")]
    pub(super) tags_count: u64,
    #[serde(deserialize_with = "lenient")]
    pub(super) marketing_permissions: Vec<WirePermission>,
}

impl WireMember {
    /// Whether it says who it is and in what state: without both, an answer about one member says
    /// nothing.
    pub(super) fn is_told(&self) -> bool {
        !self.email_address.is_empty() && !self.status.is_empty()
    }

    /// A field's text; blank when there is none.
    pub(super) fn field(&self, tag: &str) -> &str {
        self.merge_fields
            .get(tag)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireTag {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WirePermission {
    #[serde(deserialize_with = "lenient")]
    pub(super) marketing_permission_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) text: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) enabled: bool,
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
pub(super) struct MemberPage {
    pub(super) members: Vec<WireMember>,
    pub(super) total_items: u64,
}

/// The audience. Whether it asks new people first decides about consent, so an answer that does not
/// say it is none.
#[derive(Deserialize)]
pub(super) struct WireList {
    pub(super) double_optin: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) marketing_permissions: bool,
    pub(super) stats: WireStats,
}

#[derive(Deserialize)]
pub(super) struct WireStats {
    pub(super) member_count: u64,
    pub(super) unsubscribe_count: Option<u64>,
    pub(super) cleaned_count: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireFields {
    #[serde(deserialize_with = "lenient")]
    pub(super) merge_fields: Vec<WireField>,
    #[serde(deserialize_with = "lenient")]
    pub(super) total_items: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireField {
    #[serde(deserialize_with = "lenient")]
    pub(super) tag: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireSegments {
    #[serde(deserialize_with = "lenient")]
    pub(super) segments: Vec<WireSegment>,
    #[serde(deserialize_with = "lenient")]
    pub(super) total_items: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireSegment {
    #[serde(deserialize_with = "lenient")]
    pub(super) id: u64,
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
}

/// What became of a batch.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct BatchAnswer {
    #[serde(deserialize_with = "lenient")]
    pub(super) new_members: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(super) updated_members: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(super) errors: Vec<WireError>,
}

/// Why one person of a batch was not taken.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct WireError {
    #[serde(deserialize_with = "lenient")]
    pub(super) email_address: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) error: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) field: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) field_message: String,
}

/// What became of a change of a segment.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SegmentAnswer {
    #[serde(deserialize_with = "lenient")]
    pub(super) members_removed: Vec<WireMember>,
    #[serde(deserialize_with = "lenient")]
    pub(super) errors: Vec<SegmentError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SegmentError {
    #[serde(deserialize_with = "lenient")]
    pub(super) email_addresses: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) error: String,
}

/// `application/problem+json`; real ones lack one part or the other now and then.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Problem {
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
    pub(super) fn title(&self) -> String {
        if self.title.is_empty() {
            "Mailchimp refused it without a reason".to_owned()
        } else {
            scrubbed(&self.title)
        }
    }

    /// Everything it says. May name somebody: only to be told apart by, never to be shown.
    pub(super) fn all(&self) -> String {
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
    pub(super) fn plain(&self) -> String {
        scrubbed(&self.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_sent_has_the_shape_of_the_schema_and_never_a_status_for_members() {
        let item = Item {
            email_address: "a@x.org".to_owned(),
            status_if_new: StatusIfNew::Pending,
            merge_fields: Map::from_iter([("FNAME".to_owned(), json!("Ada"))]),
            tags: vec!["Classy-Major".to_owned()],
            timestamp_signup: None,
        };
        let batch = json!(Batch {
            members: &[item],
            update_existing: true
        });
        let wanted = json!({
            "members": [{ "email_address": "a@x.org", "status_if_new": "pending", "merge_fields": { "FNAME": "Ada" }, "tags": ["Classy-Major"] }],
            "update_existing": true,
        });
        assert_eq!(batch, wanted);
        assert_eq!(
            json!(Patch::Unsubscribe {
                status: Unsubscribed::Unsubscribed
            }),
            json!({ "status": "unsubscribed" })
        );
        assert_eq!(
            json!(Patch::Move {
                email_address: "b@x.org".to_owned()
            }),
            json!({ "email_address": "b@x.org" })
        );
        let permits = vec![Permit {
            marketing_permission_id: "p1".to_owned(),
            enabled: true,
        }];
        assert_eq!(
            json!(Patch::Permit {
                marketing_permissions: permits
            }),
            json!({ "marketing_permissions": [{ "marketing_permission_id": "p1", "enabled": true }] })
        );
        let off = TagChange {
            tags: vec![TagTo {
                name: "Classy-Major".to_owned(),
                status: TagStatus::Inactive,
            }],
            is_syncing: false,
        };
        assert_eq!(
            json!(off),
            json!({ "tags": [{ "name": "Classy-Major", "status": "inactive" }], "is_syncing": false })
        );
    }

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
