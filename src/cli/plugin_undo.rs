//! `plugin undo`: looks what pushes changed since a moment, asks, orders it to be taken back, and
//! has it done.

use super::app::{App, print_config_errors};
use super::args::{Cli, PluginUndo};
use super::chosen::Asked;
use super::exit::{Code, Failure};
use super::output;
use super::plugin_approve::confirm;
use super::plugin_selection::{choose, failed, require_kind};
use super::plugin_undo_output::{Given, Place, headings, planned, show, tell};
use super::sync::carry_out;
use crate::actors::Plan;
use crate::clock;
use crate::credentials::Applied;
use crate::daemon::{Process, Signals};
use crate::domain::Task;
use crate::integrations;
use crate::plugin::preview_undo;
use crate::status::{Order, PluginChoice};
use crate::store::{PluginKey, Status, Store};
use crate::vault::Vault;
use std::process::ExitCode;

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
    let places = find_places(&app, &store, &vault, chosen, asked).await?;
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
async fn find_places(
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
