//! Data requests: who asks, what for, and what there is.

use super::envelope::{Envelope, render};
use super::{grammar, template::Template};
use crate::simulator::World;
use crate::simulator::fault::Fault;
use crate::simulator::world::Kind;
use serde_json::{Value, json};

/// How many records a page has when nobody says (contract 4), and at most.
const PER_PAGE: usize = 20;
const MOST: usize = 100;

fn not_found() -> (u16, String) {
    (404, json!({"error": "The resource cannot be found"}).to_string())
}

/// The gateway's own answer for a route that it does not know.
fn no_route() -> (u16, String) {
    (404, json!({"message": "no Route matched with those values", "request_id": "0000000000000000"}).to_string())
}

fn forbidden(entity: &str) -> (u16, String) {
    (403, json!({"error": "This action is unauthorized.", "permissions": [{"action": "fetch", "entity": entity}]}).to_string())
}

/// Status and body for a data request of a client of organization `client`. `path` begins after the version; `host` is where page
/// addresses point.
pub(in crate::simulator) fn answer(world: &World, client: i64, path: &str, query: &[(String, String)], host: &str) -> (u16, String) {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["organizations", id] => match id.parse::<i64>().ok().and_then(|id| world.organizations.get(&id)) {
            Some(organization) if organization.id == client => {
                let told: Value = json!({"id": organization.id, "name": organization.name, "currency_code": "USD", "currency": "USD",
                    "timezone_identifier": "America/Los_Angeles", "status": "active"});
                (200, told.to_string())
            }
            Some(_) => forbidden("organization"),
            None => not_found(),
        },
        ["organizations", id, list] => match (id.parse::<i64>(), Kind::of(list)) {
            (Ok(id), Some(kind)) if id == client => page(world, id, kind, query, host),
            (Ok(id), Some(kind)) if world.organizations.contains_key(&id) => forbidden(kind.path()),
            (Ok(_), Some(_)) => not_found(),
            _ => no_route(),
        },
        [list, id] => {
            let (Some(kind), Ok(id)) = (Kind::of(list), id.parse::<i64>()) else { return no_route() };
            let now = world.now();
            let holder =
                world.organizations.values().find_map(|organization| Some((organization.id, organization.lists.get(&kind)?.get(id)?)));
            match holder {
                Some((owner, record)) if owner == client && record.visible_at <= now => {
                    (200, render(record, &world.faults, fields(query).as_deref()))
                }
                Some((owner, _)) if owner != client => forbidden(kind.path()),
                _ => not_found(),
            }
        }
        _ => no_route(),
    }
}

fn fields(query: &[(String, String)]) -> Option<Vec<&str>> {
    query.iter().find(|(name, _)| name == "fields").map(|(_, value)| value.split(',').collect())
}

fn page(world: &World, organization: i64, kind: Kind, query: &[(String, String)], host: &str) -> (u16, String) {
    let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let refused = |text: String| (400, json!({ "error": text }).to_string());
    let known = |field: &str| Template::of(kind).slots().contains(&field);
    let conditions = match grammar::filter(get("filter").unwrap_or_default(), known) {
        Ok(conditions) => conditions,
        Err(text) => return refused(text),
    };
    // The order when nobody says (contract 4): one for each list, and none to rely on.
    let default = match kind {
        Kind::Supporters => "updated_at:asc",
        Kind::Campaigns => "created_at:asc",
        Kind::Plans => "started_at:desc",
        Kind::Transactions => "purchased_at:desc",
    };
    let sort = match grammar::sort(get("sort").filter(|sort| !sort.is_empty()).unwrap_or(default), known) {
        Ok(sort) => sort,
        Err(text) => return refused(text),
    };
    let number =
        |name: &str, default: usize| get(name).and_then(|text| text.parse::<usize>().ok()).filter(|number| *number > 0).unwrap_or(default);
    let (asked, page) = (number("per_page", PER_PAGE), number("page", 1));
    if asked > MOST && world.faults.contains(&Fault::PerPage400) {
        return refused("per_page must not be greater than 100.".to_owned());
    }
    let per_page = asked.min(MOST);
    let Some(list) = world.organizations.get(&organization).and_then(|organization| organization.lists.get(&kind)) else {
        return not_found();
    };
    let (records, mut total) = list.page(&conditions, &sort, page, per_page, world.now());
    if records.is_empty() && page > 1 && world.faults.contains(&Fault::PastEnd404) {
        return not_found();
    }
    if world.faults.contains(&Fault::ShrinkingTotal) && page > 1 {
        total = total.saturating_sub(page * 7).max(records.len());
    }
    let path = format!("{host}/organizations/{organization}/{}", kind.path());
    let envelope = Envelope { records: &records, total, page, per_page, path: &path, faults: &world.faults, fields: fields(query) };
    (200, envelope.render())
}
