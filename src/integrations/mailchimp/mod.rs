//! `mailchimp`: consented supporters in an audience, with our tags and fields; nobody who left is brought back, and nothing that is
//! somebody else's is touched.
//!
//! | what | where |
//! |---|---|
//! | configuration | `settings` |
//! | requests: connections, calls, shapes, what texts mean | `gate`, `client`, `api`, `wire`, `texts` |
//! | what is known: the audience, its members as last seen | `desk`, `audience`, `listing`, `mirror`, `member`, `known` |
//! | what should be there | `picture`, `name`, `tags` |
//! | what is to be done | `plan` |
//! | doing it | `process`, `work`, `orders`, `leave`, `push`, `reconcile`, `settle`, `untag` |
//! | who is there, against the consent known here | `audit` |

mod api;
mod audience;
mod audit;
mod client;
mod desk;
mod gate;
mod known;
mod leave;
mod listing;
mod member;
mod mirror;
mod name;
mod orders;
mod picture;
mod plan;
mod process;
mod push;
mod reconcile;
mod renamed;
mod settings;
mod settle;
mod tags;
mod texts;
mod untag;
mod wire;
mod work;

#[cfg(test)]
mod tests;

use super::{Kind, Settings as Given};
use crate::domain::{CheckResult, Planned, Profile, Verdict};
use crate::plugin::{Finding, Plugin, PluginContext, PluginError};
use async_trait::async_trait;
use client::Failure;
use desk::Desk;
use known::Known;
use settings::Settings;

const NAME: &str = "mailchimp";

/// See the module.
pub const KIND: Kind = Kind { name: NAME, secrets: &["api_key"], check, exclusive: true, make };

fn check(table: &toml::Table) -> Result<String, PluginError> {
    Ok(settings::config(table)?.audience_id)
}

fn make(given: Given) -> Result<Box<dyn Plugin>, PluginError> {
    let settings = Settings::new(&given)?;
    Ok(Box::new(Mailchimp { audience_id: settings.audience_id.clone(), desk: Desk::new(settings)? }))
}

struct Mailchimp {
    audience_id: String,
    desk: Desk,
}

#[async_trait]
impl Plugin for Mailchimp {
    fn destination(&self) -> &str {
        &self.audience_id
    }

    /// As many as go side by side, if about half of them may be mailed.
    fn batch_size(&self) -> usize {
        2 * process::CHUNK * self.desk.settings.connections
    }

    async fn initialize(&mut self, _: &PluginContext) -> Result<(), PluginError> {
        Ok(())
    }

    /// Fields and tags are made when they are first needed: a delivery with nothing to write then costs three calls.
    async fn setup(&mut self, _: &PluginContext) -> Result<(), PluginError> {
        Ok(())
    }

    async fn refresh(&self, ctx: &PluginContext) -> Result<(), PluginError> {
        self.desk.refresh(ctx).await
    }

    fn audience(&self) -> u64 {
        self.desk.audience.setup().member_count
    }

    async fn preview(&self, ctx: &PluginContext, batch: &[Profile]) -> Result<Vec<Planned>, PluginError> {
        let known = Known::load(ctx, batch).await?;
        Ok(process::plans(&self.desk, ctx, &known, batch).iter().map(plan::Plan::planned).collect())
    }

    async fn process(&self, ctx: &PluginContext, batch: &[Profile]) -> Result<Vec<Verdict>, PluginError> {
        process::process(&self.desk, ctx, batch).await
    }

    async fn audit(&self, ctx: &PluginContext) -> Result<Vec<Finding>, PluginError> {
        audit::audit(&self.desk, ctx).await
    }

    async fn health_check(&self, _: &PluginContext) -> CheckResult {
        match self.desk.api.ping().await {
            Ok(()) => CheckResult::ok(),
            Err(Failure::Busy(why)) => CheckResult::degraded(why),
            Err(failure) => CheckResult::failing(failure.into_error("asking Mailchimp").to_string()),
        }
    }

    async fn shutdown(&mut self) -> Result<(), PluginError> {
        Ok(())
    }
}
