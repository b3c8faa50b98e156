//! What one plugin works with: its settings, the calls, the names of its tags, and how fresh its mirror is.

use super::api::Api;
use super::audience::Audience;
use super::mirror;
use super::settings::Settings;
use super::tags::Managed;
use crate::plugin::{PluginContext, PluginError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A mirror that is older is read again before anything is sent.
const FRESH: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Desk {
    pub(super) settings: Settings,
    pub(super) api: Api,
    pub(super) managed: Managed,
    pub(super) audience: Audience,
    looked_at: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
}

impl Desk {
    pub(super) fn new(settings: Settings) -> Result<Desk, PluginError> {
        let (api, managed) = (Api::new(&settings)?, Managed::new(&settings.tag_prefix));
        Ok(Desk {
            settings,
            api,
            managed,
            audience: Audience::default(),
            looked_at: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        })
    }

    /// Looks at everything.
    pub(super) async fn refresh(&self, ctx: &PluginContext) -> Result<(), PluginError> {
        let _alone = self.looking.lock().await;
        self.audience.look(&self.api, &self.settings).await?;
        self.look(ctx).await
    }

    /// Looks at the members again if the last look is too long ago; answers whether it did.
    pub(super) async fn freshen(&self, ctx: &PluginContext) -> Result<bool, PluginError> {
        if self.is_fresh() {
            return Ok(false);
        }
        let _alone = self.looking.lock().await;
        // Somebody else may have looked meanwhile.
        if !self.is_fresh() {
            self.look(ctx).await?;
        }
        Ok(true)
    }

    fn is_fresh(&self) -> bool {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < FRESH)
    }

    async fn look(&self, ctx: &PluginContext) -> Result<(), PluginError> {
        let begun = Instant::now();
        mirror::refresh(&self.api, &self.managed, ctx).await?;
        *self.looked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        Ok(())
    }
}
