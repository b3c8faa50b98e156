//! `plugin`: what plugins did and would do, who waits for what, and who is on the other side.

use super::app::{App, done, unknown};
use super::args::{Cli, Output, PluginOrder, PluginWhich, ReportFormat};
use super::exit::{Code, Failure};
use super::output;
use super::remote::Daemon;
use crate::actors::{Order, PluginChoice};
use crate::clock;
use crate::credentials::Applied;
use crate::daemon::{PidFile, Process};
use crate::domain::{Address, Harm};
use crate::integrations;
use crate::plugin::{PluginError, audit, preview};
use crate::store::{PluginKey, Store, TenantStore};
use crate::sync::Task;
use crate::vault::Vault;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, process: &Process, order: &PluginOrder) -> Result<ExitCode, Failure> {
    let app = App::start(cli)?;
    if let PluginOrder::Run(which) = order {
        let plugins = which.plugin.clone().map_or(PluginChoice::All, PluginChoice::One);
        let wanted = Order { entities: Vec::new(), task: Task::CatchUp, plugins, reason: "cli" };
        return super::sync::carry_out(cli, process, app, &which.org.map(|id| vec![id]).unwrap_or_default(), &wanted).await;
    }
    let (store, vault) = (app.store().await?, app.vault()?);
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let which = order.which();
    let chosen = choose(which, applied)?;
    let bench = Bench { cli, store: &store, vault: &vault, chosen };
    match order {
        PluginOrder::List(_) => bench.list().await?,
        PluginOrder::Preview(which) => bench.preview(which.format).await?,
        PluginOrder::Audit(which) => bench.audit(which.format).await?,
        PluginOrder::Retry(_) => bench.retry().await?,
        PluginOrder::Approve(_) => bench.approve().await?,
        PluginOrder::Run(_) => {}
    }
    if matches!(order, PluginOrder::Retry(_) | PluginOrder::Approve(_)) {
        bench.nudge(&app).await;
    }
    store.close().await?;
    super::app::complain(wrong);
    Ok(ExitCode::SUCCESS)
}

/// What would be done for everybody who is due, as rows under [`PREVIEW`].
pub(super) async fn preview_rows(store: &Store, vault: &Vault, chosen: &[Applied]) -> Result<Vec<Vec<Value>>, Failure> {
    let bench_rows = async |applied: &Applied, name: &str| -> Result<Vec<Vec<Value>>, Failure> {
        let mut plugin = integrations::make(vault, applied, name).map_err(failed)?;
        let seen = preview(&store.tenant(&applied.organization), name, &mut *plugin, clock::now()).await.map_err(failed)?;
        let classy_id = applied.organization.classy_id;
        if seen.waits {
            output::remark(&format!(
                "organization {classy_id}, {name}: nothing is sent before every feed was read once: `classy-sync sync`"
            ));
        }
        let row = |(person, planned): &(crate::domain::Profile, crate::domain::Planned)| {
            vec![
                json!(classy_id),
                json!(name),
                json!(person.supporter_id),
                json!(person.address.as_ref().map(Address::as_str)),
                json!(planned.step.as_str()),
                json!(planned.fields.join(" ")),
                json!(planned.tags.join(", ")),
                json!(planned.untags.join(", ")),
                json!(planned.reason),
            ]
        };
        Ok(seen.people.iter().map(row).collect())
    };
    let mut rows = Vec::new();
    for applied in chosen {
        for name in applied.file.plugins.keys() {
            rows.extend(bench_rows(applied, name).await?);
        }
    }
    Ok(rows)
}

/// The columns of a preview.
pub(super) const PREVIEW: [&str; 9] =
    ["organization", "plugin", "supporter", "email", "action", "fields", "add_tags", "remove_tags", "reason"];

/// Organizations with the plugins that are meant.
struct Bench<'a> {
    cli: &'a Cli,
    store: &'a Store,
    vault: &'a Vault,
    chosen: Vec<Applied>,
}

impl Bench<'_> {
    /// Each plugin that is meant: its organization, name and ledger.
    fn plugins(&self) -> Result<Vec<(&Applied, &str, TenantStore, PluginKey)>, Failure> {
        let mut all = Vec::new();
        for applied in &self.chosen {
            for (name, value) in &applied.file.plugins {
                let kind = integrations::kind(name).zip(value.as_table());
                let Some((kind, table)) = kind else { continue };
                let destination = (kind.check)(table).map_err(failed)?;
                let key = PluginKey { plugin: name.clone(), destination };
                all.push((applied, name.as_str(), self.store.tenant(&applied.organization), key));
            }
        }
        Ok(all)
    }

    async fn list(&self) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (applied, name, tenant, key) in self.plugins()? {
            let cursor = tenant.plugin_state(&key).await?.cursor;
            let counts = tenant.count_deliveries(&key).await?;
            let of = |state: &str| json!(counts.iter().find(|one| one.state == state).map_or(0, |one| one.count));
            rows.push(vec![
                json!(applied.organization.classy_id),
                json!(name),
                json!(key.destination),
                of("delivered"),
                of("skipped"),
                of("deferred"),
                of("held"),
                of("rejected"),
                of("sending"),
                json!(tenant.count_changed_after(cursor).await?),
            ]);
            if self.cli.output == Output::Table {
                for state in ["rejected", "held", "delivered"] {
                    for row in tenant.deliveries_in(&key, state, 20).await? {
                        let why = row.reason.unwrap_or_default();
                        output::remark(&format!("{name}: supporter {} is {state}: {why}", row.supporter_id));
                    }
                }
            }
        }
        let headings =
            ["organization", "plugin", "destination", "delivered", "skipped", "deferred", "held", "rejected", "sending", "pending"];
        output::rows(self.cli.output, &headings, rows);
        Ok(())
    }

    async fn preview(&self, format: Option<ReportFormat>) -> Result<(), Failure> {
        let rows = preview_rows(self.store, self.vault, &self.chosen).await?;
        print(self.cli, format, &PREVIEW, rows)
    }

    async fn audit(&self, format: Option<ReportFormat>) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (applied, name, tenant, _) in self.plugins()? {
            let mut plugin = integrations::make(self.vault, applied, name).map_err(failed)?;
            for found in audit(&tenant, name, &mut *plugin, clock::now()).await.map_err(failed)? {
                rows.push(vec![
                    json!(applied.organization.classy_id),
                    json!(name),
                    json!(found.kind),
                    json!(found.supporter_id),
                    json!(found.remote_id),
                    json!(found.remote_status),
                    json!(found.detail),
                ]);
            }
        }
        print(self.cli, format, &["organization", "plugin", "finding", "supporter", "remote_id", "remote_status", "detail"], rows)
    }

    async fn retry(&self) -> Result<(), Failure> {
        for (applied, name, tenant, key) in self.plugins()? {
            let count = tenant.retry_deliveries(&key).await?;
            tenant.note("plugin.retry", json!({ "plugin": name, "people": count })).await?;
            done(&format!("organization {}, {name}: tried again, people: {count}", applied.organization.classy_id));
        }
        Ok(())
    }

    /// Computes anew what would be done, and allows the harm in it for 24 hours.
    async fn approve(&self) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for (applied, name, tenant, key) in self.plugins()? {
            let mut plugin = integrations::make(self.vault, applied, name).map_err(failed)?;
            let planned = preview(&tenant, name, &mut *plugin, clock::now()).await.map_err(failed)?;
            if !planned.harms.is_none() {
                tenant.approve(&key, &planned.harms).await?;
            }
            for kind in Harm::ALL {
                rows.push(vec![json!(applied.organization.classy_id), json!(name), json!(kind.as_str()), json!(planned.harms.of(kind))]);
            }
        }
        output::rows(self.cli.output, &["organization", "plugin", "harm", "allowed_for_24_hours"], rows);
        done("approved; `classy-sync plugin run` does it now, a running daemon does it by itself");
        Ok(())
    }

    /// Has a running daemon look at once; without one the next `plugin run` does.
    async fn nudge(&self, app: &App) {
        let Some(daemon) = Daemon::at(&PidFile::socket_of(&app.config.daemon.pid_file)).await else { return };
        for applied in &self.chosen {
            for name in applied.file.plugins.keys() {
                let plugins = PluginChoice::One(name.clone());
                let wanted = Order { entities: Vec::new(), task: Task::CatchUp, plugins, reason: "cli" };
                if let Err(failure) = daemon.sync(applied.organization.classy_id, &wanted).await {
                    output::remark(&format!("the daemon was not reached, it looks by itself later: {}", failure.text()));
                }
            }
        }
    }
}

/// The organizations that are meant, each with only the plugins that are meant.
fn choose(which: &PluginWhich, applied: Vec<Applied>) -> Result<Vec<Applied>, Failure> {
    let mut chosen: Vec<Applied> =
        applied.into_iter().filter(|applied| which.org.is_none_or(|id| id == applied.organization.classy_id)).collect();
    if let (Some(id), true) = (which.org, chosen.is_empty()) {
        return Err(unknown(id));
    }
    if let Some(name) = &which.plugin {
        for applied in &mut chosen {
            applied.file.plugins.retain(|other, _| other == name);
        }
    }
    chosen.retain(|applied| !applied.file.plugins.is_empty());
    if chosen.is_empty() {
        let hint = "a plugin is a table `[plugins.NAME]` in an organization's file; the README shows one";
        return Err(Failure::new(Code::Configuration, "no organization has such a plugin").hint(hint));
    }
    Ok(chosen)
}

fn failed(error: PluginError) -> Failure {
    error.fault().into()
}

fn print(cli: &Cli, format: Option<ReportFormat>, headings: &[&str], rows: Vec<Vec<Value>>) -> Result<(), Failure> {
    match format.unwrap_or(if cli.output == Output::Json { ReportFormat::Json } else { ReportFormat::Table }) {
        ReportFormat::Table => output::rows(Output::Table, headings, rows),
        ReportFormat::Json => output::rows(Output::Json, headings, rows),
        ReportFormat::Csv => super::report::csv(headings, rows)?,
    }
    Ok(())
}
