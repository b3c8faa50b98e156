//! Single members: read, written, archived, erased (contract 2).

use super::call::Call;
use super::draft::Draft;
use super::member::render;
use super::problem::Problem;
use super::status::Status;
use super::upsert::{Mode, exists};
use serde_json::{Value, json};

/// `GET /lists/{list_id}/members/{subscriber_hash}`
pub(super) fn get(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let member = call
        .audience
        .served(index, call.moment)
        .ok_or_else(Problem::not_found)?;
    Ok(render(call.audience, index, member))
}

fn shown(call: &Call<'_>, index: u32) -> Result<Value, Problem> {
    call.audience
        .member_at(index)
        .map(|member| render(call.audience, index, member))
        .ok_or_else(Problem::not_found)
}

/// `PUT`: whoever is not there is made.
pub(super) fn put(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let draft = Draft::of_body(call.body)?;
    let target = call.audience.find_in_path(who);
    if let (None, Some(email)) = (target, &draft.email)
        && call.audience.find(email).is_some()
    {
        return Err(exists(email));
    }
    let written = call.upsert(target, &draft, Mode::Put)?;
    shown(call, written.index)
}

/// `POST /lists/{list_id}/members`: nobody may be there.
pub(super) fn post(call: &mut Call<'_>) -> Result<Value, Problem> {
    let mut draft = Draft::of_body(call.body)?;
    // Not known to this call.
    draft.status_if_new = None;
    if let Some(email) = draft
        .email
        .clone()
        .filter(|email| call.audience.find(email).is_some())
    {
        return Err(exists(&email));
    }
    let written = call.upsert(None, &draft, Mode::Post)?;
    shown(call, written.index)
}

/// `PATCH`: somebody must be there.
pub(super) fn patch(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let target = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let draft = Draft::of_body(call.body)?;
    let written = call.upsert(Some(target), &draft, Mode::Patch)?;
    shown(call, written.index)
}

/// `DELETE`: archives.
pub(super) fn archive(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let status = call.audience.member_at(index).map(|member| member.status);
    if status == Some(Status::Archived) {
        return Err(Problem::new(
            405,
            "Method Not Allowed",
            "This list member cannot be removed. Please contact support.",
        ));
    }
    call.lag(index);
    let watched = call.before(index);
    call.transition(index, Status::Archived, false);
    call.audience.touch(index, call.now);
    call.note(index, json!({"status": "archived"}));
    call.compare(index, watched);
    Ok(Value::Null)
}

/// `POST .../actions/delete-permanent`: nobody can import the address again.
pub(super) fn erase(call: &mut Call<'_>, who: &str) -> Result<Value, Problem> {
    let index = call
        .audience
        .find_in_path(who)
        .ok_or_else(Problem::not_found)?;
    let email = call
        .audience
        .member_at(index)
        .map(|member| member.email.clone())
        .unwrap_or_default();
    let mark = call.mark(&email, "erased");
    call.harm.erased.push(mark);
    call.note(index, json!({"delete": "permanent"}));
    call.audience.erase(index);
    Ok(Value::Null)
}
