//! What one plugin works with: its settings, the calls, the names of its tags, what it remembers,
//! and when its mirror was last read. It only keeps them: what is done with them stands above.

use super::audience::{Audience, AudienceSchema};
use super::managed_tags::ManagedTags;
use super::memory::Memory;
use super::merge_fields::MergeFields;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::settings::Settings;
use crate::plugin::{PluginContext, PluginError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// A mirror that is older is read again before anything is sent: whoever left in the meantime is
/// left alone. Chunks that go side by side share one look.
const FRESH: Duration = Duration::from_secs(2);

/// Everything that one delivery shares; chunks that go side by side use it together.
pub(crate) struct MailchimpSession {
    pub(crate) settings: Settings,
    pub(crate) api: Api,
    pub(crate) audience: Audience,
    managed: RwLock<Arc<ManagedTags>>,
    memory: Mutex<Memory>,
    /// The fields that were taken in last.
    noted: tokio::sync::Mutex<Option<Arc<MergeFields>>>,
    remembering: tokio::sync::Mutex<()>,
    full: Mutex<Full>,
    looked_at: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
    obstacle: Mutex<Option<Obstacle>>,
}

/// Why nobody is sent in this delivery. Opt-outs go out all the same, by what was known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The audience could not be read, for this reason.
    Unreadable(String),
    /// The account does nothing for now, for this reason.
    Blocked(String),
    /// What is wrong with the configured permissions.
    Permissions(String),
}

impl Obstacle {
    /// What keeps the audience from being read for now; nothing where the configuration or the key
    /// is wrong, or we are.
    pub(crate) fn of(error: &PluginError) -> Option<Obstacle> {
        match error {
            PluginError::Unavailable(why) | PluginError::Unexpected(why) => {
                Some(Obstacle::Unreadable(why.clone()))
            }
            PluginError::Blocked(why) => Some(Obstacle::Blocked(why.clone())),
            _ => None,
        }
    }
}

/// A plan without room for more contacts, as far as one delivery found it.
#[derive(Default)]
struct Full {
    /// Mailchimp's words for it.
    said: Option<String>,
    /// Who waits for room.
    waiting: BTreeSet<i64>,
}

impl MailchimpSession {
    pub(crate) fn new(settings: Settings) -> Result<MailchimpSession, PluginError> {
        let (api, managed) = (
            Api::new(&settings)?,
            ManagedTags::new(&settings.tag_prefix).under(settings.terms()),
        );
        Ok(MailchimpSession {
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
            obstacle: Mutex::default(),
        })
    }

    /// The names of our tags.
    pub(crate) fn managed(&self) -> Arc<ManagedTags> {
        Arc::clone(&self.managed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is remembered.
    pub(crate) fn memory(&self) -> Memory {
        self.memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Alone until the guard is dropped: one reading of the audience after the other.
    pub(crate) async fn read_alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.looking.lock().await
    }

    /// Why nobody is sent in this delivery, if so.
    pub(crate) fn note_obstacle(&self, obstacle: Option<Obstacle>) {
        *self.obstacle.lock().unwrap_or_else(PoisonError::into_inner) = obstacle;
    }

    /// Why nobody is sent in this delivery.
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether what is known of the audience is of before this delivery.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(
            self.obstacle(),
            Some(Obstacle::Unreadable(_) | Obstacle::Blocked(_))
        )
    }

    /// A new delivery: whether the plan has room is not known.
    pub(crate) fn forget_full(&self) {
        *self.full() = Full::default();
    }

    /// Takes what was stored for what is remembered.
    pub(crate) fn restore(&self, stored: Memory) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = stored;
    }

    /// Fields and tags; what the fields allow is remembered.
    pub(crate) async fn schema(
        &self,
        ctx: &PluginContext,
    ) -> Result<Arc<AudienceSchema>, PluginError> {
        let schema = self.audience.schema(&self.api).await?;
        self.note_fields(ctx, &schema.fields).await?;
        Ok(schema)
    }

    /// What the fields allow is remembered, once for each reading of them.
    pub(crate) async fn note_fields(
        &self,
        ctx: &PluginContext,
        fields: &Arc<MergeFields>,
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
    pub(crate) async fn remember(
        &self,
        ctx: &PluginContext,
        change: impl FnOnce(&mut Memory) + Send,
    ) -> Result<(), PluginError> {
        let _alone = self.remembering.lock().await;
        let before = self.memory();
        let mut memory = before.clone();
        change(&mut memory);
        memory.summarize(ctx.now());
        if memory != before {
            ctx.save_state(&memory).await?;
            *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory.clone();
        }
        self.name_tags(&memory);
        Ok(())
    }

    /// Names tags as they are remembered.
    pub(crate) fn name_tags(&self, memory: &Memory) {
        let managed = ManagedTags::new(&self.settings.tag_prefix)
            .since(&memory.former_prefixes, memory.generation)
            .under(self.settings.terms());
        *self.managed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(managed);
    }

    /// The plan has no room, in Mailchimp's words; whoever is to be added after it waits, and costs
    /// no call.
    pub(crate) fn note_full(&self, said: &str) {
        self.full().said.get_or_insert_with(|| said.to_owned());
    }

    /// Mailchimp's words, once it said that there is no room.
    pub(crate) fn full_notice(&self) -> Option<String> {
        self.full().said.clone()
    }

    /// Somebody waits for room.
    pub(crate) fn note_waiting(&self, supporter_id: i64) {
        self.full().waiting.insert(supporter_id);
    }

    /// Who waits for room, in a sentence.
    pub(crate) fn trouble(&self) -> Option<String> {
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

    /// Whether the members were read a moment ago.
    pub(crate) fn is_fresh(&self) -> bool {
        self.looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|at| at.elapsed() < FRESH)
    }

    /// The members were read, by a reading that began then.
    pub(crate) fn note_read(&self, begun: Instant) {
        *self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(begun);
    }
}
