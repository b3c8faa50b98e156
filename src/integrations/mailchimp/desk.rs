//! What one plugin works with: its settings, the calls, the names of its tags, what it remembers,
//! and how fresh its mirror is.

use super::adopt;
use super::api::Api;
use super::audience::{Audience, Shelf};
use super::earlier;
use super::fields::{Fields, foresee};
use super::memory::Memory;
use super::mirror;
use super::permissions;
use super::settings::Settings;
use super::tags::Managed;
use super::unheard;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// A mirror that is older is read again before anything is sent: whoever left in the meantime is
/// left alone. Chunks that go side by side share one look.
const FRESH: Duration = Duration::from_secs(2);

/// Everything that one delivery shares; chunks that go side by side use it together.
pub(super) struct Desk {
    pub(super) settings: Settings,
    pub(super) api: Api,
    pub(super) audience: Audience,
    managed: RwLock<Arc<Managed>>,
    memory: Mutex<Memory>,
    /// The fields that were taken in last.
    noted: tokio::sync::Mutex<Option<Arc<Fields>>>,
    remembering: tokio::sync::Mutex<()>,
    full: Mutex<Full>,
    looked_at: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
}

/// A plan without room for more contacts, as far as one delivery found it.
#[derive(Default)]
struct Full {
    /// Mailchimp's words for it.
    said: Option<String>,
    /// Who waits for room.
    waiting: BTreeSet<i64>,
}

impl Desk {
    pub(super) fn new(settings: Settings) -> Result<Desk, PluginError> {
        let (api, managed) = (
            Api::new(&settings)?,
            Managed::new(&settings.tag_prefix).under(settings.terms()),
        );
        Ok(Desk {
            settings,
            api,
            audience: Audience::default(),
            managed: RwLock::new(Arc::new(managed)),
            memory: Mutex::default(),
            noted: tokio::sync::Mutex::default(),
            remembering: tokio::sync::Mutex::default(),
            full: Mutex::default(),
            looked_at: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        })
    }

    /// The names of our tags.
    pub(super) fn managed(&self) -> Arc<Managed> {
        Arc::clone(&self.managed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is remembered.
    pub(super) fn memory(&self) -> Memory {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks how the audience is set up and who is in it, however fresh the mirror is.
    pub(super) async fn refresh(&self, ctx: &PluginContext) -> Result<(), PluginError> {
        let _alone = self.looking.lock().await;
        *self.full() = Full::default();
        self.audience.look(&self.api, &self.settings).await?;
        let before: Memory = match ctx.state().await? {
            Some(memory) => memory,
            None => ctx
                .state_of_before()
                .await?
                .map(Memory::after)
                .unwrap_or_default(),
        };
        let mut memory = before.clone();
        if memory.configure(&self.settings, ctx.now()) {
            ctx.make_everybody_due().await?;
        }
        memory.known_permissions = permissions::check(self, &memory).await?;
        let whole_at = memory.whole_at;
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = before;
        self.remember(ctx, |known| *known = memory).await?;
        earlier::look(self, ctx).await?;
        self.look(ctx, true).await?;
        unheard::look(self, ctx).await?;
        adopt::take_over(self, ctx).await?;
        // What lacked may be possible by now, and what was there may be gone.
        let memory = self.memory();
        if memory.lacks_fields() || (memory.has_fields() && memory.whole_at != whole_at) {
            let fields = match ctx.is_preview() {
                true => Arc::new(foresee(&self.api, memory.full_at).await?),
                false => self.audience.fields(&self.api).await?,
            };
            self.note_fields(ctx, &fields).await?;
        }
        Ok(())
    }

    /// Fields and tags; what the fields allow is remembered.
    pub(super) async fn shelf(&self, ctx: &PluginContext) -> Result<Arc<Shelf>, PluginError> {
        let shelf = self.audience.shelf(&self.api).await?;
        self.note_fields(ctx, &shelf.fields).await?;
        Ok(shelf)
    }

    /// What the fields allow is remembered, once for each reading of them.
    async fn note_fields(
        &self,
        ctx: &PluginContext,
        fields: &Arc<Fields>,
    ) -> Result<(), PluginError> {
        let mut noted = self.noted.lock().await;
        if noted
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(before, fields))
        {
            return Ok(());
        }
        // Before it is remembered that they were, since the next thing may be cut off.
        if self.memory().note_fields(fields) {
            ctx.make_everybody_due().await?;
        }
        self.remember(ctx, |memory| {
            memory.note_fields(fields);
        })
        .await?;
        *noted = Some(Arc::clone(fields));
        Ok(())
    }

    /// Changes what is remembered, keeps it, and goes by it: one change after the other.
    pub(super) async fn remember(
        &self,
        ctx: &PluginContext,
        change: impl FnOnce(&mut Memory) + Send,
    ) -> Result<(), PluginError> {
        let _alone = self.remembering.lock().await;
        let before = self.memory();
        let mut memory = before.clone();
        change(&mut memory);
        memory.tell(ctx.now());
        if memory != before {
            ctx.save_state(&memory).await?;
            *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory.clone();
        }
        self.go_by(&memory);
        Ok(())
    }

    /// Names tags as they are remembered.
    pub(super) fn go_by(&self, memory: &Memory) {
        let managed = Managed::new(&self.settings.tag_prefix)
            .since(&memory.former_prefixes, memory.generation)
            .under(self.settings.terms());
        *self.managed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(managed);
    }

    /// The plan has no room, in Mailchimp's words; whoever is to be added after it waits, and costs
    /// no call.
    pub(super) fn note_full(&self, said: &str) {
        self.full().said.get_or_insert_with(|| said.to_owned());
    }

    /// Mailchimp's words, once it said that there is no room.
    pub(super) fn said_full(&self) -> Option<String> {
        self.full().said.clone()
    }

    /// Somebody waits for room.
    pub(super) fn note_waiting(&self, supporter_id: i64) {
        self.full().waiting.insert(supporter_id);
    }

    /// Who waits for room, in a sentence.
    pub(super) fn trouble(&self) -> Option<String> {
        let full = self.full();
        let said = full.said.as_ref()?;
        let who = match full.waiting.len() {
            1 => "1 person waits".to_owned(),
            count => format!("{count} people wait"),
        };
        Some(format!(
            "{who} for room in the plan, and come in by themselves when there is some; Mailchimp says: {said}"
        ))
    }

    fn full(&self) -> MutexGuard<'_, Full> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the members again if the last look is too long ago; answers whether it did.
    pub(super) async fn freshen(&self, ctx: &PluginContext) -> Result<bool, PluginError> {
        if self.is_fresh() {
            return Ok(false);
        }
        let _alone = self.looking.lock().await;
        // Somebody else may have looked meanwhile.
        if !self.is_fresh() {
            self.look(ctx, false).await?;
        }
        Ok(true)
    }

    fn is_fresh(&self) -> bool {
        self.looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|at| at.elapsed() < FRESH)
    }

    /// `is_new`: what is known of the audience's numbers is of this moment.
    async fn look(&self, ctx: &PluginContext, is_new: bool) -> Result<(), PluginError> {
        let begun = Instant::now();
        mirror::refresh(self, ctx, is_new).await?;
        *self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(begun);
        Ok(())
    }
}
