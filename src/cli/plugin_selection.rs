//! Which organizations and plugins a `plugin` command means, and how its result is printed.

use super::app::unknown;
use super::args::{Cli, Output, PluginWhich, ReportFormat};
use super::exit::{Code, Failure};
use super::{output, report};
use crate::credentials::Applied;
use crate::integrations;
use crate::plugin::PluginError;
use crate::store::{PluginKey, Store, TenantStore};
use crate::vault::Vault;
use serde_json::Value;

/// Organizations with the plugins that are meant.
pub(super) struct PluginSelection<'a> {
    pub(super) cli: &'a Cli,
    pub(super) store: &'a Store,
    pub(super) vault: &'a Vault,
    pub(super) chosen: Vec<Applied>,
}

impl PluginSelection<'_> {
    /// Each plugin that is meant: its organization, name and ledger.
    pub(super) fn plugins(&self) -> Result<Vec<(&Applied, &str, TenantStore, PluginKey)>, Failure> {
        let mut all = Vec::new();
        for applied in &self.chosen {
            for name in applied.file.plugins.keys() {
                let destination =
                    integrations::destination(self.vault, applied, name).map_err(failed)?;
                let key = PluginKey {
                    plugin: name.clone(),
                    destination,
                };
                all.push((
                    applied,
                    name.as_str(),
                    self.store.tenant(&applied.organization),
                    key,
                ));
            }
        }
        Ok(all)
    }
}

/// The organizations that are meant, each with only the plugins that are meant.
pub(super) fn choose(
    which: &PluginWhich,
    applied: Vec<Applied>,
    may_be_none: bool,
) -> Result<Vec<Applied>, Failure> {
    let known: Vec<i64> = applied
        .iter()
        .map(|applied| applied.organization.classy_id)
        .collect();
    let mut chosen: Vec<Applied> = applied
        .into_iter()
        .filter(|applied| {
            which
                .org
                .is_none_or(|id| id == applied.organization.classy_id)
        })
        .collect();
    if let (Some(id), true) = (which.org, chosen.is_empty()) {
        return Err(unknown(id, &known));
    }
    if let Some(name) = &which.plugin {
        for applied in &mut chosen {
            applied.file.plugins.retain(|other, _| other == name);
        }
    }
    chosen.retain(|applied| !applied.file.plugins.is_empty());
    if chosen.is_empty() && !(may_be_none && which.plugin.is_none()) {
        Err(no_plugin(which))
    } else {
        Ok(chosen)
    }
}

/// Refuses a name that no plugin has.
pub(super) fn require_kind(which: &PluginWhich) -> Result<(), Failure> {
    let Some(name) = which
        .plugin
        .as_deref()
        .filter(|name| integrations::kind(name).is_none())
    else {
        return Ok(());
    };
    let known: Vec<&str> = integrations::REGISTRY
        .iter()
        .map(|kind| kind.name)
        .collect();
    Err(Failure::usage(format!("there is no plugin '{name}'"))
        .hint(format!("those there are: {}", known.join(", "))))
}

/// Nobody who is meant has the plugin.
pub(super) fn no_plugin(which: &PluginWhich) -> Failure {
    let whose = which.org.map_or_else(
        || "no organization has".to_owned(),
        |id| format!("organization {id} does not have"),
    );
    let what = which.plugin.as_ref().map_or_else(
        || "a plugin".to_owned(),
        |name| format!("the plugin '{name}'"),
    );
    let hint =
        "a plugin is a table `[plugins.NAME]` in an organization's file; the README shows one";
    Failure::new(Code::Configuration, format!("{whose} {what}")).hint(hint)
}

/// Why a plugin does not work, as a command's failure.
pub(super) fn failed(error: PluginError) -> Failure {
    error.fault().into()
}

/// Prints rows as `--format` says, or else as `--output` does.
pub(super) fn print(
    cli: &Cli,
    format: Option<ReportFormat>,
    headings: &[&str],
    rows: Vec<Vec<Value>>,
    nothing: &str,
) -> Result<(), Failure> {
    match format.unwrap_or(if cli.output == Output::Json {
        ReportFormat::Json
    } else {
        ReportFormat::Table
    }) {
        ReportFormat::Table => output::rows(Output::Table, headings, rows, nothing),
        ReportFormat::Json => output::rows(Output::Json, headings, rows, nothing),
        ReportFormat::Csv => report::csv(headings, rows),
    }
}
