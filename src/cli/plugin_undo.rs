//! `plugin undo`: shows what pushes changed since a moment, asks, orders it to be taken back, and
//! has it done.

use super::app::{App, print_config_errors};
use super::args::{Cli, PluginUndo};
use super::chosen::Asked;
use super::exit::{Code, Failure};
use super::output::{self, counted};
use super::plugin_approve::confirm;
use super::plugin_preview::people;
use super::plugin_selection::{choose, failed, require_kind};
use super::sync::carry_out;
use crate::actors::Plan;
use crate::clock;
use crate::credentials::Applied;
use crate::daemon::{Process, Signals};
use crate::domain::{Harm, Outcome, Profile, Taking, Task, plan_id};
use crate::integrations;
use crate::plugin::{UndoPreview, preview_undo};
use crate::status::{Order, PluginChoice};
use crate::store::{PluginKey, Status, Store, TenantStore};
use crate::vault::Vault;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

const HEADINGS: [&str; 8] = [
    "organization",
    "plugin",
    "supporter",
    "outcome",
    "fields",
    "tags",
    "untags",
    "detail",
];

/// The columns that only those see who ask for them, behind the supporter's.
const PEOPLE: [&str; 2] = ["email", "name"];

/// Where they stand.
const PLACE: usize = 3;

/// So many people are listed before the question.
const SHOWN: usize = 100;

/// One plugin's place, with what would be taken back there.
struct Place {
    classy_id: i64,
    plugin: String,
    tenant: TenantStore,
    key: PluginKey,
    seen: UndoPreview,
}

impl Place {
    fn name(&self) -> String {
        format!(
            "organization {}, {} {}",
            self.classy_id, self.plugin, self.key.destination
        )
    }

    /// Whether an order would do anything.
    fn is_due(&self) -> bool {
        self.seen
            .people
            .iter()
            .any(|(_, taking)| taking.outcome == Outcome::TakenBack)
    }
}

/// An order that was given.
struct Given {
    place: Place,
    order: i64,
}

pub(super) async fn run(
    cli: &Cli,
    process: &Process,
    asked: &PluginUndo,
) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    require_kind(&asked.which)?;
    let store = app.store_that_exists().await?;
    let vault = app.vault(&store).await?;
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let chosen = choose(&asked.which, applied, false)?;
    let places = look(&app, &store, &vault, chosen, asked).await?;
    print_config_errors(wrong);
    places
        .iter()
        .for_each(|place| show(place, asked.show_people));
    let due = places.iter().any(Place::is_due);
    let mut given = Vec::new();
    if due {
        if !asked.yes {
            confirm("Shall that be taken back? Type yes", "taken back")?;
        }
        for place in places.into_iter().filter(Place::is_due) {
            let order = place
                .tenant
                .order_undo(&place.key, &place.seen.scope)
                .await?;
            given.push(Given { place, order });
        }
        store.close().await?;
        let code = have_done(cli, process, &app, &given).await?;
        tell(cli, &app, &given, asked.show_people).await?;
        return Ok(code);
    }
    store.close().await?;
    let rows = places.iter().flat_map(|place| {
        place
            .seen
            .people
            .iter()
            .map(|(person, taking)| planned(place, person, taking, asked.show_people))
    });
    output::rows(
        cli.output,
        &headings(asked.show_people),
        rows.collect(),
        "nothing was changed since then that could be taken back",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// What would be taken back, of each plugin that is meant and can.
async fn look(
    app: &App,
    store: &Store,
    vault: &Vault,
    chosen: Vec<Applied>,
    asked: &PluginUndo,
) -> Result<Vec<Place>, Failure> {
    let guard = Plan::of(&app.config).guard;
    let (mut places, mut unable) = (Vec::new(), Vec::new());
    for applied in chosen {
        let classy_id = applied.organization.classy_id;
        if applied.organization.status == Status::Paused {
            output::remark(&format!(
                "organization {classy_id} is paused, and nothing is taken back there: `classy-sync org resume {classy_id}`"
            ));
            continue;
        }
        let tenant = store.tenant(&applied.organization);
        for name in applied.file.plugins.keys() {
            let mut plugin = integrations::make(vault, &applied, name).map_err(failed)?;
            let key = PluginKey {
                plugin: name.clone(),
                destination: plugin.destination().to_owned(),
            };
            let scope = (asked.since, asked.supporter.as_slice());
            match preview_undo(&tenant, name, &mut *plugin, &guard, scope, clock::now())
                .await
                .map_err(failed)?
            {
                Some(seen) => places.push(Place {
                    classy_id,
                    plugin: name.clone(),
                    tenant: tenant.clone(),
                    key,
                    seen,
                }),
                None => unable.push(name.clone()),
            }
        }
    }
    match unable.first().filter(|_| places.is_empty()) {
        Some(name) => Err(Failure::usage(format!(
            "{name} cannot take anything back: what it sent is with whoever received it"
        ))),
        None => Ok(places),
    }
}

/// Tells a person what would be taken back.
fn show(place: &Place, show_people: bool) {
    let UndoPreview {
        people: all,
        held,
        suspended,
        ..
    } = &place.seen;
    let of = |word: &str| {
        all.iter()
            .filter(|(_, taking)| taking.outcome.as_str() == word)
            .count() as u64
    };
    let crowd = |count: u64| counted(count, "person", "people");
    let left_alone = format!(
        "{} changed since by somebody else, {} left, {} not yet",
        crowd(of("changed_since")),
        of("left"),
        of("not_yet")
    );
    output::remark(&format!(
        "{}: {} would have fields and tags taken back; left alone: {left_alone}",
        place.name(),
        crowd(of("taken_back"))
    ));
    if let Some((since, why)) = suspended {
        let since = since.format("%Y-%m-%d %H:%M UTC");
        output::remark(&format!(
            "nothing is sent there, suspended since {since}: {why}; it is done after `classy-sync plugin resume`"
        ));
    }
    if !held.is_empty() {
        output::remark(&format!(
            "that is more than goes unasked: it waits for approval then (plan {})",
            place.seen.plan()
        ));
    }
    for (person, taking) in all.iter().take(SHOWN) {
        let who = if show_people {
            let words = people(person)
                .iter()
                .filter_map(Value::as_str)
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            format!(" ({words})")
        } else {
            String::new()
        };
        output::remark(&format!(
            "  supporter {}{who}: {}",
            taking.supporter_id,
            in_words(taking)
        ));
    }
    if all.len() > SHOWN {
        output::remark(&format!("  and {} more", all.len() - SHOWN));
    }
}

fn in_words(taking: &Taking) -> String {
    let Taking {
        outcome,
        fields,
        tags,
        untags,
        ..
    } = taking;
    let part = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let parts = [
        part("fields back:", fields),
        part("tags back:", tags),
        part("tags off:", untags),
        taking.detail(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        outcome.as_str().replace('_', " ")
    } else {
        parts.join("; ")
    }
}

/// Has the orders carried out, here or by the daemon that is at work.
async fn have_done(
    cli: &Cli,
    process: &Process,
    app: &App,
    given: &[Given],
) -> Result<ExitCode, Failure> {
    // Before, while somebody is asked, a signal simply ends it; from here on it ends between two
    // people.
    let mut signals = Signals::new().map_err(|error| Failure::new(Code::Bug, error))?;
    let mut orgs: Vec<i64> = given.iter().map(|one| one.place.classy_id).collect();
    orgs.dedup();
    let mut names: Vec<&String> = given.iter().map(|one| &one.place.plugin).collect();
    names.dedup();
    let plugins = if let [name] = names[..] {
        PluginChoice::One(name.clone())
    } else {
        PluginChoice::All
    };
    let order = Order {
        entities: Vec::new(),
        task: Task::CatchUp,
        plugins,
        reason: "cli",
    };
    carry_out(
        cli,
        process,
        &mut signals,
        app,
        Asked {
            word: "plugin undo",
            orgs: &orgs,
            order: &order,
            tells: false,
        },
    )
    .await
}

/// Tells what became of it: a row a person.
async fn tell(cli: &Cli, app: &App, given: &[Given], show_people: bool) -> Result<(), Failure> {
    let store = app.look().await?;
    let mut rows = Vec::new();
    for Given { place, order } in given {
        let tenant = match store.organization(place.classy_id).await? {
            Some(organization) => store.tenant(&organization),
            None => continue,
        };
        let done = tenant.undone_by(&place.key, *order).await?;
        let words: BTreeMap<i64, (String, Value)> = done
            .into_iter()
            .map(|row| {
                (
                    row.supporter_id,
                    (
                        row.outcome,
                        serde_json::from_str(&row.detail).unwrap_or_default(),
                    ),
                )
            })
            .collect();
        let is_open = tenant
            .open_undo(&place.key)
            .await?
            .is_some_and(|open| open.id == *order);
        let mut held = tenant.holds(&place.key).await?;
        held.retain(|one| one.deed.kind == Harm::Undo);
        for (person, taking) in &place.seen.people {
            let mut row = planned(place, person, taking, show_people);
            let shift = if show_people { PEOPLE.len() } else { 0 };
            match words.get(&taking.supporter_id) {
                Some((outcome, detail)) => {
                    let names = |key: &str| {
                        let names = detail[key]
                            .as_array()
                            .into_iter()
                            .flatten()
                            .filter_map(Value::as_str)
                            .collect::<Vec<_>>();
                        json!(names.join(", "))
                    };
                    let told = [
                        json!(outcome),
                        names("fields"),
                        names("tags"),
                        names("untags"),
                        detail["detail"].clone(),
                    ];
                    row.splice(PLACE + shift.., told);
                }
                None if is_open => {
                    row[PLACE + shift] = json!(if held
                        .iter()
                        .any(|one| one.supporter_id == taking.supporter_id)
                    {
                        "held"
                    } else {
                        "waiting"
                    })
                }
                None => {}
            }
            rows.push(row);
        }
        if is_open && !held.is_empty() {
            output::remark(&format!(
                "{}: that is more than goes unasked, and waits for approval, for 24 hours: `classy-sync plugin approve --org {} --plugin {} --plan {}`",
                place.name(),
                place.classy_id,
                place.plugin,
                plan_id(&place.seen.destination, &held)
            ));
        } else if is_open {
            output::remark(&format!(
                "{}: ordered, and not all of it is done yet: the next delivery does the rest",
                place.name()
            ));
        }
    }
    store.close().await?;
    output::rows(
        cli.output,
        &headings(show_people),
        rows,
        "nothing was taken back",
    )?;
    output::done(
        "what was taken back is not sent again as it was, until people's data or the configuration changes, or `classy-sync plugin resume --undone`",
    );
    Ok(())
}

fn headings(show_people: bool) -> Vec<&'static str> {
    let mut headings = HEADINGS.to_vec();
    if show_people {
        headings.splice(PLACE..PLACE, PEOPLE);
    }
    headings
}

/// The row of a person as it was planned.
fn planned(place: &Place, person: &Profile, taking: &Taking, show_people: bool) -> Vec<Value> {
    let mut row = vec![
        json!(place.classy_id),
        json!(place.plugin),
        json!(taking.supporter_id),
        json!(taking.outcome.as_str()),
        json!(taking.fields.join(", ")),
        json!(taking.tags.join(", ")),
        json!(taking.untags.join(", ")),
        json!(taking.detail()),
    ];
    if show_people {
        row.splice(PLACE..PLACE, people(person));
    }
    row
}
