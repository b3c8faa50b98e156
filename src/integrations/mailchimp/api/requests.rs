//! The bodies of requests, typed so that they cannot say what must never be said. None of them has
//! a `Debug`: they are full of donors.

use serde::Serialize;
use serde_json::{Map, Value};

/// The only statuses that a new member can be given. There is no way to give one to a member who is
/// there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusIfNew {
    Subscribed,
    /// Mailchimp asks them first.
    Pending,
}

/// One person of a batch.
#[derive(Serialize)]
pub(crate) struct Item {
    pub(crate) email_address: String,
    pub(crate) status_if_new: StatusIfNew,
    pub(crate) merge_fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// When a new person consented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_signup: Option<String>,
}

/// Up to 500 people. `sync_tags` is not part of it: it would take away tags that are not ours.
#[derive(Serialize)]
pub(crate) struct Batch<'a> {
    pub(crate) members: &'a [Item],
    pub(crate) update_existing: bool,
}

/// The only changes of a single member.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Patch {
    Unsubscribe { status: Unsubscribed },
    Move { email_address: String },
    Fields { merge_fields: Map<String, Value> },
    Permit { marketing_permissions: Vec<Permit> },
}

/// The only status that a member who is there can be given.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unsubscribed {
    Unsubscribed,
}

/// A permission that is given.
#[derive(Serialize)]
pub(crate) struct Permit {
    pub(crate) marketing_permission_id: String,
    pub(crate) enabled: bool,
}

/// Tags that one member loses or gets.
#[derive(Serialize)]
pub(crate) struct TagChange {
    pub(crate) tags: Vec<TagTo>,
    /// What waits for a tag is not set off.
    pub(crate) is_syncing: bool,
}

/// A tag that is taken off or put on.
#[derive(Serialize)]
pub(crate) struct TagTo {
    pub(crate) name: String,
    pub(crate) status: TagStatus,
}

/// What is said of a single member's tag.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TagStatus {
    Active,
    Inactive,
}

/// A merge field that is made.
#[derive(Serialize)]
pub(crate) struct NewField {
    pub(crate) tag: &'static str,
    pub(crate) name: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) required: bool,
    pub(crate) public: bool,
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
}
