//! Looking and editing from outside, under `/__sim/`: for tests in other processes and for people
//! who play.

use super::fault::Fault;
use super::mailchimp;
use super::server::Shared;
use super::world::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

/// One edit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Edit {
    /// So many random changes and additions.
    Random(usize),
    /// Adds so many records of a list.
    Add { list: String, count: usize },
    /// Sets fields; the time of change moves unless told otherwise.
    Set {
        list: String,
        id: i64,
        fields: serde_json::Map<String, Value>,
        #[serde(default = "yes")]
        touch: bool,
    },
    /// Deletes a record.
    Delete { list: String, id: i64 },
    /// Makes every record readable.
    Heal,
    /// Moves the clock by so many seconds.
    Advance(i64),
    /// No token is good any more.
    RevokeTokens,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
struct Order {
    organization: Option<i64>,
    edits: Vec<Edit>,
}

/// Status and body for a request under `/__sim/`.
pub(super) fn answer(shared: &Shared, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match (method, segments.as_slice()) {
        ("GET", ["ledger"]) => (
            200,
            serde_json::to_string(&*shared.ledger()).unwrap_or_default(),
        ),
        ("DELETE", ["ledger"]) => {
            shared.ledger().clear();
            (200, "{}".to_owned())
        }
        ("POST", ["faults"]) => {
            let names: Vec<String> = serde_json::from_slice(body).unwrap_or_default();
            match names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<Vec<Fault>, String>>()
            {
                Ok(faults) => {
                    shared.world().set_faults(faults);
                    (200, "{}".to_owned())
                }
                Err(error) => (400, json!({ "error": error }).to_string()),
            }
        }
        ("GET", ["faults"]) => {
            let names = |faults: &[Fault]| {
                faults
                    .iter()
                    .map(|fault| fault.as_str())
                    .collect::<Vec<_>>()
            };
            (
                200,
                json!({"active": names(&shared.world().faults), "known": names(Fault::ALL)})
                    .to_string(),
            )
        }
        ("GET", ["options"]) => (200, json!(shared.options().dials()).to_string()),
        ("POST", ["options"]) => match turn(shared, body) {
            Ok(now) => (200, now.to_string()),
            Err(error) => (400, json!({ "error": error.to_string() }).to_string()),
        },
        ("GET", ["truth", organization, list]) => truth(shared, organization, list),
        ("POST", ["edit"]) => match serde_json::from_slice::<Order>(body) {
            Ok(order) => edit(shared, &order),
            Err(error) => (400, json!({ "error": error.to_string() }).to_string()),
        },
        (method, ["mailchimp", rest @ ..]) => {
            mailchimp::control_answer(&mut shared.mailchimp(), method, rest, body)
        }
        _ => {
            let known = "GET or DELETE ledger, GET or POST faults, GET or POST options, GET truth/ORGANIZATION/LIST, POST edit, and what is under mailchimp/";
            (404, json!({ "error": known }).to_string())
        }
    }
}

/// Turns the dials that are named; answers with all of them.
fn turn(shared: &Shared, body: &[u8]) -> serde_json::Result<Value> {
    let named: serde_json::Map<String, Value> = serde_json::from_slice(body)?;
    let mut options = shared.options();
    let mut dials = serde_json::to_value(options.dials())?;
    if let Some(all) = dials.as_object_mut() {
        all.extend(named);
    }
    options.turn(serde_json::from_value(dials)?);
    Ok(json!(options.dials()))
}

fn truth(shared: &Shared, organization: &str, list: &str) -> (u16, String) {
    let world = shared.world();
    let list = organization
        .parse::<i64>()
        .ok()
        .and_then(|id| world.organizations.get(&id))
        .zip(Kind::of(list));
    let Some(list) = list.and_then(|(organization, kind)| organization.lists.get(&kind)) else {
        return (404, json!({"error": "no such list"}).to_string());
    };
    let mut out = String::from("[");
    for record in list.iter() {
        if out.len() > 1 {
            out.push(',');
        }
        // The truth has no noise.
        let mut text = String::new();
        record.render(&[], &mut text);
        out.push_str(&text);
    }
    out.push(']');
    (200, out)
}

fn edit(shared: &Shared, order: &Order) -> (u16, String) {
    let mut world = shared.world();
    let Some(organization) = order
        .organization
        .or_else(|| world.organizations.keys().next().copied())
    else {
        return (
            400,
            json!({"error": "there is no organization"}).to_string(),
        );
    };
    let wrong = |list: &str| {
        (
            400,
            json!({ "error": format!("no such list: {list}") }).to_string(),
        )
    };
    for edit in &order.edits {
        match edit {
            Edit::Random(count) => world.live(organization, *count),
            Edit::Add { list, count } => {
                let Some(kind) = Kind::of(list) else {
                    return wrong(list);
                };
                (0..*count).for_each(|_| world.add(organization, kind));
            }
            Edit::Set {
                list,
                id,
                fields,
                touch,
            } => {
                let Some(kind) = Kind::of(list) else {
                    return wrong(list);
                };
                let changes: Vec<(&str, String)> = fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.to_string()))
                    .collect();
                world.edit(organization, kind, *id, &changes, *touch);
            }
            Edit::Delete { list, id } => {
                let Some(kind) = Kind::of(list) else {
                    return wrong(list);
                };
                world.delete(organization, kind, *id);
            }
            Edit::Heal => world.heal(),
            Edit::Advance(seconds) => world.clock_offset += seconds,
            Edit::RevokeTokens => shared.tokens().revoke_all(),
        }
    }
    (200, "{}".to_owned())
}
