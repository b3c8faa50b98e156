//! Tags of a member, and the search for tags by name (contract 4).

use super::call::Call;
use super::draft::json_body;
use super::harm::Write;
use super::member::key_of;
use super::page::Page;
use super::problem::Problem;
use super::time;
use serde_json::{Value, json};

/// `GET /lists/{list_id}/members/{subscriber_hash}/tags`
pub(super) fn get(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let member = call
        .audience
        .served(index, call.moment)
        .ok_or_else(Problem::not_found)?;
    let page = Page::of(call)?;
    let tag = |held: &super::member::Held| {
        let segment = call.audience.segments.get(&held.segment)?;
        Some(json!({"id": segment.id, "name": segment.name, "date_added": time::text(held.since)}))
    };
    let all: Vec<Value> = member.tags.iter().filter_map(tag).collect();
    let total = all.len();
    Ok(json!({"tags": page.cut(all.into_iter()), "total_items": total, "_links": []}))
}

/// `POST` there: only what is named changes. A body of another shape is silently nothing.
pub(super) fn post(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let body = json_body(call.body)?;
    let quiet = body["is_syncing"] == true;
    call.lag(index);
    let watched = call.before(index);
    call.note(index, body.clone());
    let mut changed = false;
    for tag in body["tags"].as_array().into_iter().flatten() {
        let (Some(name), Some(status)) = (tag["name"].as_str(), tag["status"].as_str()) else {
            continue;
        };
        match status {
            "active" => {
                call.add_tags(index, &[name.to_owned()], quiet);
                changed = true;
            }
            "inactive" => {
                changed |= call
                    .audience
                    .tag(name)
                    .is_some_and(|tag| call.lose_tag(index, tag))
            }
            _ => {
                return Err(Problem::field(
                    "tags",
                    "Data presented is not one of the accepted values: active, inactive.",
                ));
            }
        }
    }
    if changed && call.switches.tags_move_last_changed {
        call.audience.touch(index, call.now);
    }
    call.compare(index, watched);
    Ok(Value::Null)
}

/// `GET /lists/{list_id}/tag-search`: by the beginning of the name, all without one; no pages.
pub(super) fn search(call: &mut Call<'_>) -> Result<Value, Problem> {
    let prefix = call.param("name").unwrap_or_default().to_lowercase();
    let found =
        call.audience.segments.values().filter(|segment| {
            segment.is_static && segment.name.to_lowercase().starts_with(&prefix)
        });
    let tags: Vec<Value> = found.map(super::segment::Segment::as_tag).collect();
    let total = tags.len();
    Ok(json!({"tags": tags, "total_items": total, "_links": []}))
}

impl Call<'_> {
    /// Writes down what is written about a member by a call that is no upsert.
    pub(super) fn note(&mut self, index: u32, sent: Value) {
        let Some(member) = self.audience.member_at(index) else {
            return;
        };
        let sent = sent.as_object().cloned().unwrap_or_default();
        let (endpoint, audience, email) = (
            self.endpoint.to_owned(),
            self.audience.id.clone(),
            key_of(&member.email),
        );
        let status = Some(member.status);
        self.harm.writes.push(Write {
            endpoint,
            audience,
            email,
            sent,
            before: status,
            after: status,
            refused: None,
        });
    }
}
