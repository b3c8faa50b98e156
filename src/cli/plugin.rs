//! `plugin`: what plugins did and would do, who waits for what, and who is on the other side.

use super::app::{App, done, print_config_errors, unknown};
use super::args::{Cli, Output, PluginOrder, PluginWhich, WebhookOrder};
use super::chosen::Asked;
use super::exit::Failure;
use super::output;
use super::plugin_selection::{PluginSelection, choose, no_plugin, require_kind};
use super::remote::Daemon;
use crate::actors::Plan;
use crate::clock;
use crate::credentials::ApplyPreview;
use crate::daemon::{Process, Signals};
use crate::domain::Task;
use crate::integrations;
use crate::plugin::Told;
use crate::status::{Order, PluginChoice};
use crate::store::{self, ReasonCount};
use serde_json::json;
use std::process::ExitCode;

/// `plugin run`: delivers now, and reads nothing from Classy before.
pub(super) async fn deliver(
    cli: &Cli,
    process: &Process,
    which: &PluginWhich,
    signals: &mut Signals,
) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    require_kind(which)?;
    require_plugin(which, &app)?;
    let plugins = which
        .plugin
        .clone()
        .map_or(PluginChoice::All, PluginChoice::One);
    let wanted = Order {
        entities: Vec::new(),
        task: Task::CatchUp,
        plugins,
        reason: "cli",
    };
    let orgs: Vec<i64> = which.org.into_iter().collect();
    super::sync::carry_out(
        cli,
        process,
        signals,
        &app,
        Asked {
            word: "plugin run",
            orgs: &orgs,
            order: &wanted,
            tells: true,
        },
    )
    .await
}

/// The columns of `plugin list`; the last one is a kind of finding of an audit.
const LIST: [&str; 11] = [
    "organization",
    "plugin",
    "destination",
    "delivered",
    "skipped",
    "deferred",
    "held",
    "rejected",
    "sending",
    "pending",
    "opted_out_still_subscribed",
];

/// So many reasons are told.
const REASONS: u64 = 20;

/// Everything but `plugin run` and `plugin undo`.
pub(super) async fn run(cli: &Cli, order: &PluginOrder) -> Result<(), Failure> {
    let app = App::start(cli)?;
    require_kind(&order.which())?;
    let is_order = matches!(
        order,
        PluginOrder::Retry(_)
            | PluginOrder::Approve(_)
            | PluginOrder::Adopt(_)
            | PluginOrder::Resume(_)
    ) || matches!(
        order,
        PluginOrder::Webhook(WebhookOrder::Create(_) | WebhookOrder::Delete(_))
    );
    let store = if is_order {
        app.store_that_exists().await?
    } else {
        app.store_to_read().await?
    };
    let vault = app.vault(&store).await?;
    let (applied, wrong) = if is_order {
        app.organizations(&store, &vault).await?
    } else {
        let ApplyPreview {
            applied,
            new,
            wrong,
        } = app.preview_organizations(&store, &vault).await?;
        let is_new = |id: i64| new.iter().any(|file| file.classy_id == id);
        if order
            .which()
            .org
            .map_or(applied.is_empty() && !new.is_empty(), is_new)
        {
            let place =
                "the organization was not synced yet, and its first sync takes its file over"
                    .to_owned();
            return Err(store::Error::NothingYet { place }.into());
        }
        (applied, wrong)
    };
    let chosen = choose(
        &order.which(),
        applied,
        matches!(order, PluginOrder::List(_)),
    )?;
    let guard = &Plan::of(&app.config).guard;
    let selection = PluginSelection {
        cli,
        store: &store,
        vault: &vault,
        chosen,
    };
    match order {
        PluginOrder::List(_) => selection.list().await?,
        PluginOrder::Preview(which) => super::plugin_preview::run(&selection, guard, which).await?,
        PluginOrder::Audit(which) => super::plugin_audit::run(&selection, which).await?,
        PluginOrder::Retry(_) => selection.retry().await?,
        PluginOrder::Approve(which) => super::plugin_approve::run(&selection, guard, which).await?,
        PluginOrder::Adopt(which) => super::plugin_adopt::run(&selection, which).await?,
        PluginOrder::Resume(which) => selection.resume(&which.reason, which.undone).await?,
        PluginOrder::Webhook(which) => super::plugin_webhook::run(&selection, &app, which).await?,
        PluginOrder::Run(_) | PluginOrder::Undo(_) => {}
    }
    if is_order && !matches!(order, PluginOrder::Webhook(_)) {
        selection.nudge(&app).await;
    }
    store.close().await?;
    print_config_errors(wrong);
    Ok(())
}

/// What is done for all of them alike.
impl PluginSelection<'_> {
    async fn list(&self) -> Result<(), Failure> {
        let (mut rows, mut notices) = (Vec::new(), Vec::new());
        for (applied, name, tenant, key) in self.plugins()? {
            let state = tenant.plugin_state(&key).await?;
            let undone = tenant.count_undone(&key).await?;
            let undone = (undone > 0).then(|| {
                format!(
                    "people whose last push was taken back by `plugin undo`: {undone}; they are sent again when their data or the settings change, or \
                     after `plugin resume --undone`"
                )
            });
            let told: Vec<String> = Told::of(state.state.as_deref())
                .all()
                .cloned()
                .chain(undone)
                .collect();
            let (reasons, still) = (
                tenant.reasons(&key, REASONS).await?,
                tenant.count_still_subscribed(&key).await?,
            );
            let counts = tenant.count_deliveries(&key).await?;
            let of = |state: &str| {
                json!(
                    counts
                        .iter()
                        .find(|one| one.state == state)
                        .map_or(0, |one| one.count)
                )
            };
            let mut row = vec![
                json!(applied.organization.classy_id),
                json!(name),
                json!(key.destination),
                of("delivered"),
                of("skipped"),
                of("deferred"),
                of("held"),
                of("rejected"),
                of("sending"),
                json!(tenant.count_changed_after(state.cursor).await?),
                json!(still),
            ];
            if self.cli.output == Output::Json {
                let why = |one: &ReasonCount| json!({ "state": one.state, "reason": one.reason, "people": one.people });
                row.push(reasons.iter().map(why).collect());
            }
            rows.push(row);
            for text in &told {
                output::remark(&format!("{name}: {text}"));
            }
            notices.push(told);
            if still > 0 {
                output::remark(&format!(
                    "{name}: opted out at Classy, still subscribed, not ours: {still}; `classy-sync plugin audit` names them, opt_out_scope decides"
                ));
            }
            if let Some((since, why)) = tenant.guard_state(&key).await?.suspended {
                output::remark(&format!(
                    "{name}: suspended since {} until a person has looked, but for opt-outs: {why}; then `classy-sync plugin resume --org {} --reason TEXT`",
                    since.format("%Y-%m-%d %H:%M UTC"),
                    applied.organization.classy_id
                ));
            }
            if let Some(open) = tenant.open_undo(&key).await? {
                let (since, asked) = (
                    open.scope.since.format("%Y-%m-%d %H:%M UTC"),
                    open.asked_at.format("%Y-%m-%d %H:%M UTC"),
                );
                output::remark(&format!(
                    "{name}: what was pushed since {since} is to be taken back, as ordered on {asked}; `plugin preview` shows it"
                ));
            }
            if self.cli.output == Output::Table {
                for one in reasons.iter().filter(|one| one.state == "deferred") {
                    output::remark(&format!(
                        "{name}: deferred, people: {}: {}",
                        one.people, one.reason
                    ));
                }
                for state in ["rejected", "held", "delivered"] {
                    for row in tenant.deliveries_in(&key, state, 20).await? {
                        let why = row.reason.unwrap_or_default();
                        output::remark(&format!(
                            "{name}: supporter {} is {state}: {why}",
                            row.supporter_id
                        ));
                    }
                }
            }
        }
        let mut headings = LIST.to_vec();
        // A table has no room for sentences: there they stand before it.
        if self.cli.output == Output::Json {
            headings.extend(["reasons", "notices"]);
            rows.iter_mut()
                .zip(notices)
                .for_each(|(row, told)| row.push(json!(told)));
        }
        output::rows(
            self.cli.output,
            &headings,
            rows,
            "no organization has a plugin",
        )
    }

    async fn retry(&self) -> Result<(), Failure> {
        for (applied, name, tenant, key) in self.plugins()? {
            let count = tenant.retry_deliveries(&key).await?;
            tenant
                .note("plugin.retry", json!({ "plugin": name, "people": count }))
                .await?;
            done(&format!(
                "organization {}, {name}: tried again, people: {count}",
                applied.organization.classy_id
            ));
        }
        Ok(())
    }

    /// A person has looked. `undone`: what was taken back may be sent again.
    async fn resume(&self, reason: &str, undone: bool) -> Result<(), Failure> {
        for (applied, name, tenant, key) in self.plugins()? {
            let was = tenant.resume_plugin(&key, reason).await?;
            let what = if was { "goes on" } else { "was not suspended" };
            done(&format!(
                "organization {}, {name}: {what}",
                applied.organization.classy_id
            ));
            if undone {
                let people = tenant.forget_undone(&key, clock::now()).await?;
                tenant
                    .note(
                        "plugin.resume_undone",
                        json!({ "plugin": name, "people": people, "reason": reason }),
                    )
                    .await?;
                done(&format!(
                    "organization {}, {name}: sent again, people: {people}",
                    applied.organization.classy_id
                ));
            }
        }
        Ok(())
    }

    /// Has a running daemon look at once; without one the next `plugin run` does.
    async fn nudge(&self, app: &App) {
        let Some(daemon) = Daemon::of(&app.config.daemon.pid_file).await else {
            return;
        };
        for applied in &self.chosen {
            for name in applied.file.plugins.keys() {
                let plugins = PluginChoice::One(name.clone());
                let wanted = Order {
                    entities: Vec::new(),
                    task: Task::CatchUp,
                    plugins,
                    reason: "cli",
                };
                if let Err(failure) = daemon.sync(applied.organization.classy_id, &wanted).await {
                    output::remark(&format!(
                        "the daemon was not reached, it looks by itself later: {}",
                        failure.text()
                    ));
                }
            }
        }
    }
}

/// Refuses a delivery by a plugin that no file enables.
fn require_plugin(which: &PluginWhich, app: &App) -> Result<(), Failure> {
    let files: Vec<_> = integrations::load_organizations(&app.config.organizations.dir)
        .into_iter()
        .flatten()
        .collect();
    let known: Vec<i64> = files.iter().map(|file| file.classy_id).collect();
    if let Some(id) = which.org.filter(|id| !known.contains(id)) {
        return Err(unknown(id, &known));
    }
    let is_meant = |name: &String| which.plugin.as_ref().is_none_or(|wanted| wanted == name);
    let mut meant = files
        .iter()
        .filter(|file| which.org.is_none_or(|id| id == file.classy_id));
    if meant.any(|file| file.plugins.keys().any(is_meant)) {
        Ok(())
    } else {
        Err(no_plugin(which))
    }
}
