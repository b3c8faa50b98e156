//! Batch subscribe (contract 3): up to 500 members in one call, each with an answer of its own, 200
//! even when all failed.

use super::call::{Call, Spoil};
use super::draft::{Draft, json_body, kind};
use super::harm::Write;
use super::member::{key_of, render};
use super::problem::Problem;
use super::status::Status;
use super::switches::Full;
use super::upsert::Mode;
use crate::simulator::fault::mix;
use serde_json::{Value, json};
use std::collections::HashSet;

const MEMBERS_MAX: usize = 500;

/// A plan without room.
const FULL: &str = "Your account has reached the contact limit of its plan. Upgrade your plan to add more contacts.";

/// The parts of the answer.
#[derive(Default)]
struct Outcome {
    new: Vec<u32>,
    updated: Vec<u32>,
    errors: Vec<Value>,
}

fn error(email: &str, text: &str, code: &str, field: Option<&(String, String)>) -> Value {
    let (field, message) = field.map_or(("", ""), |(field, message)| (field, message));
    json!({"email_address": email, "error": text, "error_code": code, "field": field, "field_message": message})
}

/// The members of the body, or why the whole call is refused.
fn read(call: &Call<'_>) -> Result<(Vec<Draft>, bool, bool), Problem> {
    let mut body = json_body(call.body)?;
    let flag = |body: &Value, name: &str| match &body[name] {
        Value::Bool(flag) => Ok(*flag),
        Value::Null => Ok(false),
        other => Err(Problem::field(
            name,
            format!("Schema describes boolean, {} found instead", kind(other)),
        )),
    };
    let (update, sync_tags) = (flag(&body, "update_existing")?, flag(&body, "sync_tags")?);
    let Some(members) = body.get_mut("members").map(Value::take) else {
        return Err(Problem::field("members", "This value should not be blank."));
    };
    let Value::Array(members) = members else {
        return Err(Problem::field(
            "members",
            format!("Schema describes array, {} found instead", kind(&members)),
        ));
    };
    if members.len() > MEMBERS_MAX {
        return Err(Problem::field(
            "members",
            format!("You may not submit more than {MEMBERS_MAX} members in a single call."),
        ));
    }
    let (mut drafts, mut errors) = (Vec::with_capacity(members.len()), Vec::new());
    for (place, member) in members.into_iter().enumerate() {
        match Draft::read(member, &format!("members.item:{place}.")) {
            Ok(draft) => drafts.push(draft),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    if call.switches.refuse_batch_permissions
        && drafts.iter().any(|draft| draft.permissions.is_some())
    {
        return Err(Problem::field(
            "members",
            "Schema does not describe marketing_permissions",
        ));
    }
    Ok((drafts, update, sync_tags))
}

/// Whoever comes twice: refused as a whole, or the first wins and the others vanish.
fn once(call: &Call<'_>, drafts: &mut Vec<Draft>) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    let skip = call.flag("skip_duplicate_check");
    let all = drafts.len();
    drafts.retain(|draft| {
        draft
            .email
            .as_deref()
            .is_none_or(|email| seen.insert(key_of(email)))
    });
    if drafts.len() < all && !skip {
        return Err(Problem::invalid(
            "Duplicate items found in the members collection. Each email address may appear only once.",
        ));
    }
    Ok(())
}

/// `POST /lists/{list_id}`
pub(super) fn subscribe(call: &mut Call<'_>) -> Result<Value, Problem> {
    let (mut drafts, update, sync_tags) = read(call)?;
    once(call, &mut drafts)?;
    call.find_room(&drafts)?;
    let mut outcome = Outcome::default();
    for (place, mut draft) in drafts.into_iter().enumerate() {
        let email = draft.email.clone().unwrap_or_default();
        let struck = |dice: u64| mix(dice ^ place as u64) % 5 == 0;
        match call.spoil {
            Spoil::Partial(dice) if struck(dice) => {
                call.struck(&draft, "struck by a fault");
                outcome.errors.push(error(
                    &email,
                    "An unknown error occurred while processing this contact.",
                    "ERROR_GENERIC",
                    None,
                ));
                continue;
            }
            Spoil::Vanish(dice) if struck(dice) => {
                call.struck(&draft, "struck by a fault");
                continue;
            }
            _ => {}
        }
        draft.permissions = None;
        let target = call.audience.find(&email);
        if target.is_some() && !update && !call.revivable(target, &draft) {
            let text = format!(
                "{email} is already a list member, do you want to update? please provide update_existing:true in the request body"
            );
            outcome
                .errors
                .push(error(&email, &text, "ERROR_CONTACT_EXISTS", None));
            continue;
        }
        if target.is_none() && call.room() == 0 {
            call.struck(&draft, FULL);
            outcome
                .errors
                .push(error(&email, FULL, "ERROR_GENERIC", None));
            continue;
        }
        match call.upsert(
            target,
            &draft,
            Mode::Batch {
                sync_tags: sync_tags && update,
            },
        ) {
            Ok(written) if written.created => outcome.new.push(written.index),
            Ok(written) => outcome.updated.push(written.index),
            Err(problem) => outcome.errors.push(error(
                &email,
                &problem.detail,
                "ERROR_GENERIC",
                problem.errors.first(),
            )),
        }
    }
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
        "new_members": shown(&outcome.new),
        "updated_members": shown(&outcome.updated),
        "errors": outcome.errors,
        "total_created": outcome.new.len(),
        "total_updated": outcome.updated.len(),
        "error_count": outcome.errors.len(),
        "_links": [],
    }))
}

impl Call<'_> {
    /// How many more contacts the plan has room for.
    fn room(&self) -> usize {
        match self.switches.contacts {
            0 => usize::MAX,
            contacts => contacts.saturating_sub(self.audience.billed()),
        }
    }

    /// The whole call is refused when it would bring more contacts than there is room for, if that
    /// is how it is told.
    fn find_room(&mut self, drafts: &[Draft]) -> Result<(), Problem> {
        let is_new = |draft: &&Draft| {
            draft
                .email
                .as_deref()
                .is_none_or(|email| self.audience.find(email).is_none())
        };
        let problem = match self.switches.full {
            Full::Forbidden => Problem::new(403, "Forbidden", FULL),
            Full::Invalid => Problem::new(400, "Bad Request", FULL),
            Full::Members => return Ok(()),
        };
        if drafts.iter().filter(is_new).count() <= self.room() {
            return Ok(());
        }
        drafts.iter().for_each(|draft| self.struck(draft, FULL));
        Err(problem)
    }

    /// Writes down what was sent about a member whom a fault struck: nothing was written, but it
    /// was sent.
    fn struck(&mut self, draft: &Draft, why: &str) {
        let email = draft.email.as_deref().map(key_of).unwrap_or_default();
        let status = self.audience.member(&email).map(|member| member.status);
        let (endpoint, audience, sent) = (
            self.endpoint.to_owned(),
            self.audience.id.clone(),
            draft.sent.clone(),
        );
        let refused = Some(why.to_owned());
        self.harm.writes.push(Write {
            endpoint,
            audience,
            email,
            sent,
            before: status,
            after: status,
            refused,
        });
    }

    /// Whether somebody who is there counts as new: archived, and taken for gone.
    fn revivable(&self, target: Option<u32>, draft: &Draft) -> bool {
        let archived = target
            .and_then(|index| self.audience.member_at(index))
            .is_some_and(|member| member.status == Status::Archived);
        archived
            && self.switches.batch_revives_archived
            && draft.status.or(draft.status_if_new).is_some()
    }
}
