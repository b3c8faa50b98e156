//! `config`: checked, shown, explained.

use super::args::{Cli, Config as Order, Output};
use super::exit::{Code, Failure};
use super::output;
use crate::config::{Config, OrganizationFile, reference, show};
use crate::integrations::{read_organizations, secret_faults};
use crate::vault::KeyRing;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) fn run(cli: &Cli, order: &Order) -> Result<ExitCode, Failure> {
    if matches!(order, Order::Reference) {
        return values(cli.output, reference().trim_end());
    }
    match order {
        Order::Show => values(
            cli.output,
            &show(&Config::load(
                cli.config.as_deref(),
                super::app::environment(),
            )?),
        ),
        _ => check(cli),
    }
}

/// Prints TOML, or its values as JSON.
fn values(output: Output, text: &str) -> Result<ExitCode, Failure> {
    match output {
        Output::Table => output::line(text)?,
        Output::Json => {
            let table: toml::Table =
                toml::from_str(text).map_err(|error| Failure::new(Code::Bug, error))?;
            output::json(
                &serde_json::to_value(table).map_err(|error| Failure::new(Code::Bug, error))?,
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads everything that the program would read at its start, holds it against its meaning, and
/// says what it is and all that is wrong.
fn check(cli: &Cli) -> Result<ExitCode, Failure> {
    let (config, faults) = Config::read(cli.config.as_deref(), super::app::environment())?;
    let output = cli.output;
    let mut wrong: Vec<Failure> = faults
        .into_iter()
        .chain(config.meanings())
        .map(Failure::from)
        .collect();
    let keys = KeyRing::load(&config.vault.keys, &config.vault.key_file)
        .map_err(|error| wrong.push(error.into()))
        .ok();
    let mut good: Vec<OrganizationFile> = Vec::new();
    for file in read_organizations(&config.organizations.dir) {
        match file.map(|file| (secret_faults(&file), file)) {
            Ok((faults, file)) if faults.is_empty() => good.push(file),
            Ok((faults, _)) | Err(faults) => wrong.extend(faults.into_iter().map(Failure::from)),
        }
    }
    let ids = keys.as_ref().map(KeyRing::ids).unwrap_or_default();
    let plugins: usize = good.iter().map(|file| file.plugins.len()).sum();
    let parts = [
        output::counted(good.len() as u64, "organization", "organizations"),
        output::counted(plugins as u64, "plugin", "plugins"),
        ids.first().map_or_else(
            || "no key seals".to_owned(),
            |id| format!("key '{id}' seals"),
        ),
    ]
    .join(", ");
    if output == Output::Json {
        let organizations = good.iter().map(|file| {
            let plugins: Vec<&String> = file.plugins.keys().collect();
            json!({ "classy_id": file.classy_id, "name": file.name, "file": file.path.display().to_string(), "plugins": plugins })
        });
        let problems: Vec<Value> = wrong.iter().map(Failure::problem).collect();
        output::json(&json!({
            "fine": wrong.is_empty(),
            "file": config.file.display().to_string(),
            "keys": ids,
            "organizations": organizations.collect::<Vec<_>>(),
            "problems": problems,
        }))?;
    } else if wrong.is_empty() {
        output::line(&format!(
            "configuration is fine: {}, {parts}",
            config.file.display()
        ))?;
        if good.is_empty() {
            output::remark("nothing is synced yet: `classy-sync org add` adds an organization");
        }
    } else {
        let faults = output::counted(wrong.len() as u64, "fault", "faults");
        output::line(&format!(
            "configuration is not fine: {faults} in {} or in the files of organizations; good are {parts}",
            config.file.display()
        ))?;
    }
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    wrong.iter().for_each(Failure::print);
    Ok(ExitCode::from(Code::Configuration as u8))
}
