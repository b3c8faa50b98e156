//! Segments, which are tags when they are static: listed, made, filled in batches, replaced,
//! deleted (contract 4).

use super::call::Call;
use super::draft::json_body;
use super::member::render;
use super::page::Page;
use super::problem::Problem;
use super::segment::{Include, Segment};
use super::status::Status;
use serde_json::{Value, json};

const EMAILS_MAX: usize = 500;

fn include(call: &Call<'_>) -> Include {
    let flag = |name: &str| call.flag(name);
    Include {
        cleaned: flag("include_cleaned"),
        transactional: flag("include_transactional"),
        unsubscribed: flag("include_unsubscribed"),
    }
}

fn find<'a>(call: &'a Call<'_>, id: &str) -> Result<&'a Segment, Problem> {
    id.parse()
        .ok()
        .and_then(|id: u64| call.audience.segments.get(&id))
        .ok_or_else(Problem::not_found)
}

/// The tag with an id; a saved segment is none.
fn tag(call: &Call<'_>, id: &str) -> Result<u64, Problem> {
    let missing = || {
        Problem::new(
            404,
            "Resource Not Found",
            format!("A Static Segment with an id of {id} does not exist for this list."),
        )
    };
    find(call, id)
        .ok()
        .filter(|segment| segment.is_static)
        .map(|segment| segment.id)
        .ok_or_else(missing)
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// `GET /lists/{list_id}/segments`
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Problem> {
    let (page, include) = (Page::of(call)?, include(call));
    let kind = |segment: &Segment| if segment.is_static { "static" } else { "saved" };
    let (only, no) = (call.param("type"), call.param("exclude_type"));
    let takes = |segment: &&Segment| {
        only.is_none_or(|only| only == kind(segment)) && no.is_none_or(|no| no != kind(segment))
    };
    let found: Vec<&Segment> = call.audience.segments.values().filter(takes).collect();
    let total = found.len();
    let shown: Vec<Value> = page
        .cut(found.into_iter())
        .into_iter()
        .map(|segment| segment.render(call.audience, include))
        .collect();
    Ok(json!({"segments": shown, "list_id": call.audience.id, "total_items": total, "_links": []}))
}

/// `GET /lists/{list_id}/segments/{segment_id}`
pub(super) fn get(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    Ok(find(call, id)?.render(call.audience, include(call)))
}

/// `POST /lists/{list_id}/segments`: the same name a second time is another tag.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Problem> {
    let body = json_body(call.body)?;
    let Some(name) = body["name"].as_str().filter(|name| !name.trim().is_empty()) else {
        return Err(Problem::field("name", "This value should not be blank."));
    };
    let (is_static, saved) = (
        body["static_segment"].is_array(),
        body["options"].is_object(),
    );
    if !is_static && !saved {
        return Err(Problem::invalid(
            "Must provide either an \"options\" field or a \"static_segment\" field",
        ));
    }
    let id = call.audience.add_segment(name, is_static, false, call.now);
    for email in texts(&body["static_segment"]) {
        call.put_on(&email, id);
    }
    get(call, &id.to_string())
}

/// `PATCH`: another name, or other holders instead of all there were.
pub(super) fn replace(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let body = json_body(call.body)?;
    let segment = find(call, id)?;
    let (number, foreign, old, holders) = (
        segment.id,
        segment.foreign,
        segment.name.clone(),
        segment.holders.clone(),
    );
    if foreign {
        let mark = call.mark("", format!("{old}: changed"));
        call.harm.foreign_segments_changed.push(mark);
    }
    if let (Some(name), Some(segment)) = (
        body["name"].as_str(),
        call.audience.segments.get_mut(&number),
    ) {
        segment.name = name.trim().to_owned();
    }
    if body["static_segment"].is_array() {
        let tag = tag(call, id)?;
        let emails = texts(&body["static_segment"]);
        let keep: Vec<u32> = emails
            .iter()
            .filter_map(|email| call.known(email))
            .collect();
        for index in holders.iter().filter(|index| !keep.contains(index)) {
            call.take_off(*index, tag);
        }
        for email in &emails {
            call.put_on(email, tag);
        }
    }
    get(call, id)
}

/// `DELETE`: nobody carries it any more.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let segment = find(call, id)?;
    let (number, foreign, name, holders) = (
        segment.id,
        segment.foreign,
        segment.name.clone(),
        segment.holders.clone(),
    );
    for index in holders {
        call.take_off(index, number);
    }
    if foreign {
        let mark = call.mark("", format!("{name}: deleted"));
        call.harm.foreign_segments_changed.push(mark);
    }
    call.audience.segments.remove(&number);
    Ok(Value::Null)
}

/// `POST /lists/{list_id}/segments/{segment_id}`: so many in, so many out.
pub(super) fn batch(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let body = json_body(call.body)?;
    let tag = tag(call, id)?;
    let (add, remove) = (
        texts(&body["members_to_add"]),
        texts(&body["members_to_remove"]),
    );
    for (field, emails) in [("members_to_add", &add), ("members_to_remove", &remove)] {
        if emails.len() > EMAILS_MAX {
            return Err(Problem::field(
                field,
                format!("This collection should contain {EMAILS_MAX} elements or less."),
            ));
        }
        if !emails.is_empty() && emails.iter().all(|email| call.known(email).is_none()) {
            return Err(Problem::field(
                field,
                "None of the emails provided were subscribed to the list",
            ));
        }
    }
    let (mut added, mut there) = (Vec::new(), Vec::new());
    for email in add {
        match call.put_on(&email, tag) {
            Some((index, true)) => added.push(index),
            Some((_, false)) => there.push(email),
            None => {}
        }
    }
    let (mut removed, mut missing) = (Vec::new(), Vec::new());
    for email in remove {
        let Some(index) = call.known(&email) else {
            continue;
        };
        match call.take_off(index, tag) {
            true => removed.push(index),
            false => missing.push(email),
        }
    }
    let errors: Vec<Value> = [(there, "already exist"), (missing, "do not exist")]
        .into_iter()
        .filter(|(emails, _)| !emails.is_empty())
        .map(|(emails, what)| json!({"email_addresses": emails, "error": format!("Email addresses {what} in the static segment")}))
        .collect();
    let shown = |indexes: &[u32]| -> Vec<Value> {
        indexes
            .iter()
            .filter_map(|index| {
                Some(render(
                    call.audience,
                    *index,
                    call.audience.member_at(*index)?,
                ))
            })
            .collect()
    };
    Ok(json!({
        "members_added": shown(&added), "members_removed": shown(&removed), "errors": errors,
        "total_added": added.len(), "total_removed": removed.len(), "error_count": errors.len(), "_links": [],
    }))
}

/// `GET /lists/{list_id}/segments/{segment_id}/members`
pub(super) fn members(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let (page, include) = (Page::of(call)?, include(call));
    let audience = &*call.audience;
    let served = |index: &u32| Some((*index, audience.served(*index, call.moment)?));
    let found: Vec<_> = find(call, id)?
        .holders
        .iter()
        .filter_map(served)
        .filter(|(_, member)| include.shows(member.status))
        .collect();
    let total = found.len();
    let shown: Vec<Value> = page
        .cut(found.into_iter())
        .into_iter()
        .map(|(index, member)| render(audience, index, member))
        .collect();
    Ok(json!({"members": shown, "total_items": total, "_links": []}))
}

/// `POST` there: one in.
pub(super) fn add_member(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let tag = tag(call, id)?;
    let body = json_body(call.body)?;
    let email = body["email_address"].as_str().unwrap_or_default();
    let (index, _) = call.put_on(email, tag).ok_or_else(Problem::not_found)?;
    call.audience
        .member_at(index)
        .map(|member| render(call.audience, index, member))
        .ok_or_else(Problem::not_found)
}

/// `DELETE /lists/{list_id}/segments/{segment_id}/members/{subscriber_hash}`: one out.
pub(super) fn remove_member(call: &mut Call<'_>, id: &str, who: &str) -> Result<Value, Problem> {
    let tag = tag(call, id)?;
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    if call.take_off(index, tag) {
        Ok(Value::Null)
    } else {
        Err(Problem::not_found())
    }
}

impl Call<'_> {
    /// The member with an address, if segment calls see them.
    fn known(&self, email: &str) -> Option<u32> {
        let index = self.audience.find(email)?;
        let status = self.audience.member_at(index)?.status;
        (status == Status::Subscribed
            || self.switches.segments_know_all && status != Status::Archived)
            .then_some(index)
    }

    /// Puts a tag on somebody who is known; answers whether it is new there.
    fn put_on(&mut self, email: &str, tag: u64) -> Option<(u32, bool)> {
        let index = self.known(email)?;
        self.lag(index);
        let watched = self.before(index);
        self.note(index, json!({"segment": tag, "action": "add"}));
        let new = self.audience.put_tag(index, tag, self.now);
        self.harm.automations_fired += u64::from(new);
        self.tagged(index, new);
        self.compare(index, watched);
        Some((index, new))
    }

    fn take_off(&mut self, index: u32, tag: u64) -> bool {
        self.lag(index);
        let watched = self.before(index);
        self.note(index, json!({"segment": tag, "action": "remove"}));
        let taken = self.lose_tag(index, tag);
        self.tagged(index, taken);
        self.compare(index, watched);
        taken
    }

    fn tagged(&mut self, index: u32, changed: bool) {
        if changed && self.switches.tags_move_last_changed {
            self.audience.touch(index, self.now);
        }
    }
}
