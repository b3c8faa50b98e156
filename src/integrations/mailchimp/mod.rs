//! `mailchimp`: consented supporters in an audience, with our tags and fields; nobody who left is
//! brought back, and nothing that is somebody else's is touched.
//!
//! The folders are the four questions, and imports go one way only: a folder names nothing of those
//! below it in this table (`tests/architecture` and `tests::folders` prove it).
//!
//! | question | where |
//! |---|---|
//! | what can be said: connections, calls, bodies, what texts mean | `api` |
//! | who is there: the audience, its members as last seen, what changed | `mirror` |
//! | who should be there: pure functions over consent, mirror and ledger | `decide` |
//! | make it so: opt-outs, moves, additions, tags, taking back, audit, webhooks | `deliver` |
//!
//! `settings` is below all of them; what follows here is above: the plugin itself.

mod api;
mod decide;
mod deliver;
mod mirror;
mod settings;

#[cfg(test)]
mod tests;

use super::{Kind, Settings as Given};
use crate::domain::{CheckResult, Image, Planned, Profile, Taking, Verdict};
use crate::plugin::{Finding, Plugin, PluginContext, PluginError};
use api::client::Failure;
use async_trait::async_trait;
use decide::plan::Moves;
use deliver::batches::CHUNK;
use deliver::load::load;
use deliver::read_back::read_back;
use deliver::update::NOT_HEARD;
use deliver::{adopt, audit, hooks, process, refresh, undo};
use mirror::permissions::unknown;
use mirror::session::{MailchimpSession, Obstacle};
use secrecy::SecretString;
use settings::{NAME, Settings};
use std::collections::BTreeMap;

pub use settings::API_KEY;

/// Under this key what signs the messages of the audience's webhook is sealed.
pub const WEBHOOK_SECRET: &str = hooks::SECRET;

/// This plugin for the registry: its secrets, how its table of a file is checked, and that no two
/// organizations may share an audience.
pub const KIND: Kind = Kind {
    name: NAME,
    secrets: &[API_KEY, hooks::SECRET],
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
        session: MailchimpSession::new(settings)?,
    }))
}

struct Mailchimp {
    audience_id: String,
    session: MailchimpSession,
}

#[async_trait]
impl Plugin for Mailchimp {
    fn destination(&self) -> &str {
        &self.audience_id
    }

    /// As many as go side by side, if about half of them may be mailed.
    fn batch_size(&self) -> usize {
        2 * CHUNK * self.session.settings.connections
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
        refresh::refresh(&self.session, ctx).await
    }

    fn audience(&self) -> u64 {
        self.session.audience.setup().size
    }

    fn fault(&self) -> Option<PluginError> {
        Some(match self.session.obstacle()? {
            Obstacle::Unreadable(why) => PluginError::Unavailable(why),
            Obstacle::Blocked(why) => PluginError::Blocked(why),
            Obstacle::Permissions(cause) => unknown(cause),
        })
    }

    fn trouble(&self) -> Option<String> {
        self.session.trouble()
    }

    async fn preview(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Planned>, PluginError> {
        let mut context = load(&self.session, ctx, batch).await?;
        // What a crash left, and who was erased there: read back as before a send.
        let unshown = read_back(&mut context, &self.session, ctx, batch).await?;
        let plans = process::plans(&self.session, ctx, &context, batch, Moves::ToCome).into_iter();
        let unheard = context.unheard(ctx.now());
        Ok(plans
            .map(|plan| {
                if unheard.contains(&plan.supporter_id)
                    && process::is_other_than_sent(&context, &plan)
                {
                    plan.not_now(NOT_HEARD)
                } else if unshown.contains(&plan.supporter_id) {
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
        process::process(&self.session, ctx, batch).await
    }

    async fn withdraw(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError> {
        process::withdraw(&self.session, ctx, batch).await
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
        undo::take_back(&self.session, ctx, people, images, really).await
    }

    async fn audit(&self, ctx: &PluginContext) -> Result<Vec<Finding>, PluginError> {
        audit::audit(&self.session, ctx).await
    }

    async fn adoptable(&self, ctx: &PluginContext) -> Result<Option<Vec<Finding>>, PluginError> {
        adopt::adoptable(&self.session, ctx).await.map(Some)
    }

    async fn health_check(&self, _: &PluginContext) -> CheckResult {
        match self.session.api.ping().await {
            Ok(()) => CheckResult::ok(),
            Err(Failure::Busy(why) | Failure::Broken(why)) => CheckResult::degraded(why),
            Err(failure) => {
                CheckResult::failing(failure.into_error("asking Mailchimp").to_string())
            }
        }
    }

    async fn shutdown(&mut self) -> Result<(), PluginError> {
        Ok(())
    }
}
