//! A segment of an audience. A static one is a tag: the same object under two names (contract 4).

use super::audience::Audience;
use super::status::Status;
use super::time;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its id, which is the tag's too.
    pub id: u64,
    /// Its name; several may have the same.
    pub name: String,
    /// A tag, not a saved search.
    pub is_static: bool,
    /// Made by a person, not by a program.
    pub foreign: bool,
    pub(super) created: i64,
    pub(super) updated: i64,
    /// Places of the members who carry it.
    pub(super) holders: BTreeSet<u32>,
}

/// Which members of a segment are seen, beside the subscribed ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Include {
    pub(super) cleaned: bool,
    pub(super) transactional: bool,
    pub(super) unsubscribed: bool,
}

impl Include {
    pub(super) const fn shows(self, status: Status) -> bool {
        match status {
            Status::Subscribed | Status::Pending => true,
            Status::Cleaned => self.cleaned,
            Status::Transactional => self.transactional,
            Status::Unsubscribed => self.unsubscribed,
            Status::Archived => false,
        }
    }
}

impl Segment {
    pub(super) fn as_tag(&self) -> Value {
        json!({"id": self.id, "name": self.name})
    }

    /// As the API shows it.
    pub(super) fn render(&self, audience: &Audience, include: Include) -> Value {
        let shown = |index: &&u32| {
            audience
                .member_at(**index)
                .is_some_and(|member| include.shows(member.status))
        };
        let mut out = json!({
            "id": self.id,
            "name": self.name,
            "member_count": self.holders.iter().filter(shown).count(),
            "type": if self.is_static { "static" } else { "saved" },
            "created_at": time::text(self.created),
            "updated_at": time::text(self.updated),
            "list_id": audience.id,
            "_links": [],
        });
        if !self.is_static {
            out["options"] = json!({"match": "any", "conditions": []});
        }
        out
    }
}
