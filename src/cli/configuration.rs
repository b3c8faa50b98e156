//! `config`: checked, shown, explained.

use super::app::{complain, done};
use super::args::{Cli, Config as Order};
use super::exit::{Code, Failure};
use super::output;
use crate::config::{Config, REFERENCE, show};
use crate::integrations::load_organizations;
use crate::vault::KeyRing;
use std::process::ExitCode;

pub(super) fn run(cli: &Cli, order: &Order) -> Result<ExitCode, Failure> {
    if matches!(order, Order::Reference) {
        output::line(REFERENCE.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.config.as_deref(), super::app::environment())?;
    if matches!(order, Order::Show) {
        output::line(&show(&config));
        return Ok(ExitCode::SUCCESS);
    }
    KeyRing::load(&config.vault.keys, &config.vault.key_file)?;
    let (good, wrong): (Vec<_>, Vec<_>) = load_organizations(&config.organizations.dir).into_iter().partition(Result::is_ok);
    done(&format!("{}: good; {} organizations: good", config.file.display(), good.len()));
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    complain(wrong.into_iter().filter_map(Result::err).collect());
    Ok(ExitCode::from(Code::Configuration as u8))
}
