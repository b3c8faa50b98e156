//! Data requests: who asks, what for, and what there is.

use super::envelope::Envelope;
use super::grammar::Condition;
use super::list::Ask;
use super::query::{Query, Shape};
use super::value::clock_text;
use super::{odd, organization, overview, relations};
use crate::simulator::World;
use crate::simulator::fault::Fault;
use crate::simulator::world::Kind;
use serde_json::json;

/// A request for data, after its token was found good.
pub(in crate::simulator) struct Request<'a> {
    /// The organization that the token belongs to.
    pub(in crate::simulator) client: i64,
    /// After the version.
    pub(in crate::simulator) path: &'a str,
    /// Decoded once.
    pub(in crate::simulator) query: &'a [(String, String)],
    /// Where page addresses point, with the version.
    pub(in crate::simulator) host: &'a str,
}

type Answer = (u16, String);

fn not_found() -> Answer {
    (
        404,
        json!({"error": "The resource cannot be found"}).to_string(),
    )
}

/// The gateway's own answer for a route that it does not know (contract 7).
pub(in crate::simulator) fn no_route() -> Answer {
    (
        404,
        json!({"message": "no Route matched with those values", "request_id": "0000000000000000"})
            .to_string(),
    )
}

fn forbidden(entity: &str) -> Answer {
    (403, json!({"error": "This action is unauthorized.", "permissions": [{"action": "fetch", "entity": entity}]}).to_string())
}

/// Status and body for a data request.
pub(in crate::simulator) fn answer(world: &mut World, request: &Request<'_>) -> Answer {
    let now = world.now();
    world
        .organizations
        .values_mut()
        .flat_map(|one| one.lists.values_mut())
        .for_each(|list| list.catch_up(now));
    let segments: Vec<&str> = request
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let number = |text: &str| text.parse::<i64>().ok();
    match *segments.as_slice() {
        ["organizations", id] => match number(id) {
            Some(id) if id == request.client && !world.has(Fault::NoOrganization) => world
                .organizations
                .get(&id)
                .map_or_else(not_found, |found| (200, organization::render(found))),
            Some(id) if id != request.client && world.organizations.contains_key(&id) => {
                forbidden("organization")
            }
            _ => not_found(),
        },
        ["organizations", id, list] => match (number(id), Kind::of(list)) {
            (Some(id), Some(kind)) if id == request.client => page(world, request, kind, None),
            (Some(id), Some(_)) if world.organizations.contains_key(&id) => {
                forbidden("organization")
            }
            (Some(_), Some(_)) => not_found(),
            _ => no_route(),
        },
        [list, id] => match (Kind::of(list), number(id)) {
            (Some(kind), Some(id)) => single(world, request, kind, id),
            (Some(_), None) => not_found(),
            _ => no_route(),
        },
        ["campaigns", id, "overview"] => match number(id).filter(|_| !world.has(Fault::NoOverview))
        {
            Some(id) => of_parent(world, request, Kind::Campaigns, id, |world| {
                let until = if world.has(Fault::OverviewLag) {
                    now - 7_200
                } else {
                    now
                };
                let totals = world
                    .organizations
                    .get(&request.client)
                    .map(|owner| overview::render(owner, id, until));
                totals.map_or_else(not_found, |totals| (200, totals))
            }),
            None => not_found(),
        },
        [parent, id, list] => {
            let (field, kind) = match (parent, list) {
                ("campaigns", "transactions") => ("campaign_id", Kind::Transactions),
                ("campaigns", "recurring-donation-plans") => ("campaign_id", Kind::Plans),
                ("campaigns", "supporters") => ("source_campaign_id", Kind::Supporters),
                ("recurring-donation-plans", "transactions") => {
                    ("recurring_donation_plan_id", Kind::Transactions)
                }
                _ => return no_route(),
            };
            let (Some(parent), Some(id)) = (Kind::of(parent), number(id)) else {
                return not_found();
            };
            of_parent(world, request, parent, id, |world| {
                page(world, request, kind, Condition::of_parent(kind, field, id))
            })
        }
        _ => no_route(),
    }
}

/// Answers about a record if the client may see it.
fn of_parent(
    world: &mut World,
    request: &Request<'_>,
    kind: Kind,
    id: i64,
    answer: impl FnOnce(&mut World) -> Answer,
) -> Answer {
    let holds = |organization: i64| {
        world
            .organizations
            .get(&organization)?
            .lists
            .get(&kind)?
            .served(id)
    };
    if holds(request.client).is_some() {
        answer(world)
    } else if world
        .organizations
        .keys()
        .any(|other| holds(*other).is_some())
    {
        forbidden(kind.about().singular)
    } else {
        not_found()
    }
}

fn single(world: &mut World, request: &Request<'_>, kind: Kind, id: i64) -> Answer {
    let list = world
        .organizations
        .get(&request.client)
        .and_then(|owner| owner.lists.get(&kind));
    if let Some(list) = list {
        if odd::unservable(&world.faults, list) == Some(id) {
            return (500, "{}".to_owned());
        }
        if world.has(Fault::SingleUnauthorized) {
            return (401, json!({"error": "invalid_token", "error_description": "The access token is invalid or has expired"}).to_string());
        }
        if let Some(answer) = odd::single(&world.faults, id, list.served(id)) {
            return answer;
        }
    }
    of_parent(world, request, kind, id, |world| {
        let owner = world.organizations.get(&request.client);
        let Some((owner, record)) =
            owner.and_then(|owner| Some((owner, owner.lists.get(&kind)?.served(id)?)))
        else {
            return not_found();
        };
        let mut out = String::new();
        relations::render(
            owner,
            record,
            &world.faults,
            &Shape::of(request.query),
            true,
            &mut out,
        );
        if let Some(list) = owner.lists.get(&kind) {
            odd::spoil_text(&world.faults, list, id, 0, &mut out);
        }
        (200, out)
    })
}

fn page(world: &mut World, request: &Request<'_>, kind: Kind, parent: Option<Condition>) -> Answer {
    let now = world.now();
    let query = match Query::of(kind, request.query, &world.faults) {
        Ok(query) => query,
        Err(text) => return (400, json!({ "error": text }).to_string()),
    };
    let dice = world.roll();
    let conditions: Vec<Condition> = query.conditions.into_iter().chain(parent).collect();
    let (per_page, told_per_page) = odd::per_page(&world.faults, query.per_page);
    let number = odd::page(&world.faults, query.page);
    let ask = Ask {
        conditions: &conditions,
        sort: &query.sort,
        page: number,
        per_page,
    };
    let Some((mut total, mut ids)) = world
        .list(request.client, kind)
        .map(|list| list.page(&ask, dice))
    else {
        return not_found();
    };
    let is_empty = ids.is_empty();
    odd::ids(
        &world.faults,
        number,
        per_page,
        conditions.is_empty(),
        &mut total,
        &mut ids,
    );
    if ids.is_empty() && query.page > 1 && world.has(Fault::PastEnd404) {
        return not_found();
    }
    if world.has(Fault::ShrinkingTotal) {
        // From the third page on, the last page lies before the current one.
        total = (total / query.page).max(ids.len());
    }
    let Some(owner) = world.organizations.get(&request.client) else {
        return not_found();
    };
    let Some(list) = owner.lists.get(&kind) else {
        return not_found();
    };
    if odd::unservable(&world.faults, list).is_some_and(|id| ids.contains(&id)) {
        return (500, "{}".to_owned());
    }
    let mut data = String::with_capacity(ids.len() * 3_500);
    for record in ids.iter().filter_map(|id| list.served(*id)) {
        if !data.is_empty() {
            data.push(',');
        }
        let begin = data.len();
        relations::render(owner, record, &world.faults, &query.shape, false, &mut data);
        odd::spoil_text(&world.faults, list, record.id, begin, &mut data);
    }
    if let Some(made_up) = odd::nobody(&world.faults, number, per_page, is_empty, &clock_text(now))
    {
        data = made_up;
    }
    let envelope = Envelope {
        data: &data,
        count: ids.len(),
        total,
        page: number,
        per_page: told_per_page,
        path: &format!("{}/{}", request.host, request.path.trim_matches('/')),
        repeated: &query.repeated,
        faults: &world.faults,
    };
    (200, envelope.render())
}
