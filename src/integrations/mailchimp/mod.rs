//! `mailchimp`: consented supporters in an audience, with our tags and fields; nobody who left is
//! brought back, and nothing that is somebody else's is touched.
//!
//! | what | where |
//! |---|---|
//! | configuration | `settings` |
//! | requests: connections, calls, shapes, what texts mean | `gate`, `client`, `api`, `wire`, `texts` |
//! | what is known: the audience, its members as last seen | `desk`, `audience`, `fields`, `listing`, `doubt`, `mirror`, `changes`, `member`, `known`, `former`, `unheard`, `memory` |
//! | what should be there | `picture`, `name`, `tags` |
//! | what is to be done | `plan`, `owners` |
//! | doing it | `process`, `work`, `orders`, `leave`, `earlier`, `follow`, `push`, `reconcile`, `settle`, `quiet`, `untag`, `permissions` |
//! | taking back what was done | `back`, `undo` |
//! | who is there, against the consent known here; who looks like ours | `audit`, `adopt` |
//! | webhooks of the audience | `hooks` |

mod adopt;
mod api;
mod audience;
mod audit;
mod back;
mod changes;
mod client;
mod desk;
mod doubt;
mod earlier;
mod fields;
mod follow;
mod former;
mod gate;
mod hooks;
mod known;
mod leave;
mod listing;
mod member;
mod memory;
mod mirror;
mod name;
mod orders;
mod owners;
mod permissions;
mod picture;
mod plan;
mod process;
mod push;
mod quiet;
mod reconcile;
mod renamed;
mod settings;
mod settle;
mod tags;
mod texts;
mod undo;
mod unheard;
mod untag;
mod wire;
mod work;

#[cfg(test)]
mod tests;

use super::{Kind, Settings as Given};
use crate::domain::{CheckResult, Image, Planned, Profile, Taking, Verdict};
use crate::plugin::{Finding, Plugin, PluginContext, PluginError};
use async_trait::async_trait;
use client::Failure;
use desk::Desk;
use known::Known;
use secrecy::SecretString;
use settings::Settings;
use std::collections::BTreeMap;

const NAME: &str = "mailchimp";

/// Under this key what signs the messages of the audience's webhook is sealed.
pub const WEBHOOK_SECRET: &str = hooks::SECRET;

/// This plugin for the registry: its secrets, how its table of a file is checked, and that no two
/// organizations may share an audience.
pub const KIND: Kind = Kind {
    name: NAME,
    secrets: &["api_key", hooks::SECRET],
    check,
    check_secret,
    destination,
    exclusive: true,
    make,
    hooks: Some(hooks::of),
};

fn check_secret(name: &str, secret: &SecretString) -> Result<(), PluginError> {
    // Whatever the webhook is signed with was drawn here.
    if name == hooks::SECRET {
        Ok(())
    } else {
        settings::check_key(secret)
    }
}

fn check(table: &toml::Table) -> Result<(), PluginError> {
    settings::config(table).map(drop)
}

fn destination(given: &Given) -> Result<String, PluginError> {
    Ok(settings::config(&given.table)?.audience_id)
}

fn make(given: Given) -> Result<Box<dyn Plugin>, PluginError> {
    let settings = Settings::new(&given)?;
    Ok(Box::new(Mailchimp {
        audience_id: settings.audience_id.clone(),
        desk: Desk::new(settings)?,
    }))
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

    /// Fields and tags are made when they are first needed: a delivery with nothing to write then
    /// costs three calls.
    async fn setup(&mut self, _: &PluginContext) -> Result<(), PluginError> {
        Ok(())
    }

    async fn refresh(&self, ctx: &PluginContext) -> Result<(), PluginError> {
        self.desk.refresh(ctx).await
    }

    fn audience(&self) -> u64 {
        self.desk.audience.setup().member_count
    }

    fn trouble(&self) -> Option<String> {
        self.desk.trouble()
    }

    async fn preview(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Planned>, PluginError> {
        let mut known = Known::load(&self.desk, ctx, batch).await?;
        // What a crash left, and who was erased there: read back as before a send.
        let unshown = known.settle(&self.desk, ctx, batch).await?;
        let plans = process::plans(&self.desk, ctx, &known, batch, plan::Moves::ToCome).into_iter();
        Ok(plans
            .map(|plan| {
                if unshown.contains(&plan.supporter_id) {
                    plan.not_now(process::NOT_SHOWN)
                } else {
                    plan
                }
                .planned()
            })
            .collect())
    }

    async fn process(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError> {
        process::process(&self.desk, ctx, batch).await
    }

    async fn withdraw(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError> {
        process::withdraw(&self.desk, ctx, batch).await
    }

    fn takes_back(&self) -> bool {
        true
    }

    async fn take_back(
        &self,
        ctx: &PluginContext,
        people: &[Profile],
        images: &BTreeMap<i64, Vec<Image>>,
        really: bool,
    ) -> Result<Vec<Taking>, PluginError> {
        undo::take_back(&self.desk, ctx, people, images, really).await
    }

    async fn audit(&self, ctx: &PluginContext) -> Result<Vec<Finding>, PluginError> {
        audit::audit(&self.desk, ctx).await
    }

    async fn adoptable(&self, ctx: &PluginContext) -> Result<Option<Vec<Finding>>, PluginError> {
        adopt::adoptable(&self.desk, ctx).await.map(Some)
    }

    async fn health_check(&self, _: &PluginContext) -> CheckResult {
        match self.desk.api.ping().await {
            Ok(()) => CheckResult::ok(),
            Err(Failure::Busy(why)) => CheckResult::degraded(why),
            Err(failure) => {
                CheckResult::failing(failure.into_error("asking Mailchimp").to_string())
            }
        }
    }

    async fn shutdown(&mut self) -> Result<(), PluginError> {
        Ok(())
    }
}
