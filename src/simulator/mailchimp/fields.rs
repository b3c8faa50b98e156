//! Merge fields of an audience: listed, made, changed, deleted (contract 5).

use super::call::Call;
use super::draft::json_body;
use super::field::Field;
use super::page::Page;
use super::problem::Problem;
use serde_json::{Value, json};

fn place(call: &Call<'_>, id: &str) -> Result<usize, Problem> {
    let id: Option<u64> = id.parse().ok();
    call.audience
        .fields
        .iter()
        .position(|field| Some(field.id) == id)
        .ok_or_else(Problem::not_found)
}

/// `GET /lists/{list_id}/merge-fields`: ten of them unless told otherwise.
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, Problem> {
    let page = Page::of(call)?;
    let required = call.param("required").map(|value| value == "true");
    let takes = |field: &&Field| {
        call.param("type").is_none_or(|kind| kind == field.kind)
            && required.is_none_or(|required| required == field.required)
    };
    let found: Vec<&Field> = call.audience.fields.iter().filter(takes).collect();
    let total = found.len();
    let shown: Vec<Value> = page
        .cut(found.into_iter())
        .into_iter()
        .map(|field| field.render(&call.audience.id))
        .collect();
    Ok(
        json!({"merge_fields": shown, "list_id": call.audience.id, "total_items": total, "_links": []}),
    )
}

/// `GET /lists/{list_id}/merge-fields/{merge_id}`
pub(super) fn get(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let place = place(call, id)?;
    Ok(call.audience.fields[place].render(&call.audience.id))
}

/// `POST`: the tag comes back as it became.
pub(super) fn create(call: &mut Call<'_>) -> Result<Value, Problem> {
    let body = json_body(call.body)?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (name, kind) = (text("name"), text("type"));
    if name.trim().is_empty() {
        return Err(Problem::field("name", "This value should not be blank."));
    }
    if !Field::is_type(&kind) {
        return Err(Problem::field(
            "type",
            "Data presented is not one of the accepted values.",
        ));
    }
    let limit = call.switches.merge_field_limit;
    if call.audience.fields.len() >= limit {
        return Err(Problem::invalid(format!(
            "You have reached the maximum of {limit} merge fields for this audience."
        )));
    }
    let id = call.audience.last_field + 1;
    let mut tag = Field::tag_of(&text("tag"));
    if tag.is_empty() {
        tag = format!("MMERGE{id}");
    }
    if call.audience.fields.iter().any(|field| field.tag == tag) || tag == "EMAIL" {
        return Err(Problem::field(
            "tag",
            format!("A Merge Field with the tag \"{tag}\" already exists for this list."),
        ));
    }
    call.audience.last_field = id;
    let field = Field {
        id,
        tag,
        name,
        kind,
        required: body["required"] == true,
        default_value: text("default_value"),
        public: body["public"] == true,
        display_order: body["display_order"].as_u64().unwrap_or(id + 1),
        options: body["options"].as_object().cloned().unwrap_or_default(),
        help_text: text("help_text"),
        foreign: false,
    };
    let mut out = field.render(&call.audience.id);
    call.audience.fields.push(field);
    out["merge_field_limit"] = json!(limit);
    out["total_items"] = json!(call.audience.fields.len());
    Ok(out)
}

fn watch(call: &mut Call<'_>, place: usize, what: &str) {
    let field = &call.audience.fields[place];
    if field.foreign {
        let mark = call.mark("", format!("{}: {what}", field.tag));
        call.harm.foreign_fields_changed.push(mark);
    }
}

/// `PATCH`
pub(super) fn change(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let (body, place) = (json_body(call.body)?, place(call, id)?);
    watch(call, place, "changed");
    let field = &mut call.audience.fields[place];
    let set = |name: &str, old: &mut String| {
        if let Some(text) = body[name].as_str() {
            text.clone_into(old);
        }
    };
    set("name", &mut field.name);
    set("default_value", &mut field.default_value);
    set("help_text", &mut field.help_text);
    field.required = body["required"].as_bool().unwrap_or(field.required);
    field.public = body["public"].as_bool().unwrap_or(field.public);
    let (mut tag, old) = (field.tag.clone(), field.tag.clone());
    set("tag", &mut tag);
    let new = Some(Field::tag_of(&tag))
        .filter(|tag| !tag.is_empty())
        .unwrap_or_else(|| old.clone());
    field.tag.clone_from(&new);
    for index in call.audience.indexes() {
        let Some(member) = call.audience.member_mut(index) else {
            continue;
        };
        if let Some(value) = member.fields.remove(&old) {
            member.fields.insert(new.clone(), value);
        }
    }
    get(call, id)
}

/// `DELETE`: with what the members had in it.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, Problem> {
    let place = place(call, id)?;
    watch(call, place, "deleted");
    call.audience.drop_field(place);
    Ok(Value::Null)
}
