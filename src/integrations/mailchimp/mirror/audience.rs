//! What is known of the audience beside its members: how it is set up, its merge fields, its tags.
//! Fields and tags are read only when something is to be written.

use super::merge_fields;
use super::merge_fields::MergeFields;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::settings::Settings;
use crate::plugin::PluginError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How it is set up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Setup {
    /// New members are asked first.
    pub(crate) double_optin: bool,
    /// It has GDPR permissions.
    pub(crate) has_permissions: bool,
    /// Subscribed members, as it tells.
    pub(crate) member_count: u64,
    /// Subscribed members, of which the guard's shares are: as it tells, unless that is far more
    /// than were read.
    pub(crate) size: u64,
    /// Contacts that a list of members shows at the least: subscribed, unsubscribed, bounced.
    pub(crate) contact_count: u64,
    /// Contacts that unsubscribed, where it tells.
    pub(crate) unsubscribed_count: Option<u64>,
    /// Contacts that bounced, where it tells.
    pub(crate) cleaned_count: Option<u64>,
}

/// The merge fields and tags of the audience: a send names them by their spelling and id there.
#[derive(Debug, Default)]
pub(crate) struct AudienceSchema {
    pub(crate) fields: Arc<MergeFields>,
    /// Tags by name in lower case: the spelling there, and the id.
    pub(crate) segments: BTreeMap<String, (String, u64)>,
}

/// The one audience that a plugin works with, as it was last read.
#[derive(Default)]
pub(crate) struct Audience {
    setup: Mutex<Setup>,
    fields: tokio::sync::Mutex<Option<Arc<MergeFields>>>,
    schema: tokio::sync::Mutex<Option<Arc<AudienceSchema>>>,
    /// Tags that were given since it was read.
    made: Mutex<BTreeSet<String>>,
    /// Subscribed members when they were last counted.
    counted: AtomicU64,
}

/// What may be told of so many members that were read: some join while they are.
const fn about(counted: u64) -> u64 {
    counted + counted / 10 + 50
}

impl Audience {
    /// As of the last look.
    pub(crate) fn setup(&self) -> Setup {
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks how it is set up; fields and tags are read anew when they are needed.
    pub(crate) async fn load_setup(
        &self,
        api: &Api,
        settings: &Settings,
    ) -> Result<(), PluginError> {
        let list = api.list().await.map_err(|failure| match failure {
            Failure::Missing => PluginError::Configuration {
                key: "plugins.mailchimp.audience_id".to_owned(),
                cause: format!("the account has no audience {}", settings.audience_id),
            },
            failure => failure.into_error("reading the audience"),
        })?;
        let stats = &list.stats;
        let setup = Setup {
            double_optin: list.double_optin,
            has_permissions: list.marketing_permissions,
            member_count: stats.member_count,
            size: stats.member_count,
            contact_count: stats.member_count
                + stats.unsubscribe_count.unwrap_or_default()
                + stats.cleaned_count.unwrap_or_default(),
            unsubscribed_count: stats.unsubscribe_count,
            cleaned_count: stats.cleaned_count,
        };
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner) = setup;
        *self.fields.lock().await = None;
        *self.schema.lock().await = None;
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
    }

    /// It does not tell how large it is: unless an earlier look told it, it has as many as are
    /// known, so that what is little of it is not taken for much.
    pub(crate) fn presume(&self, member_count: u64) {
        let mut setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        if setup.member_count == 0 {
            setup.member_count = member_count;
        }
        if setup.size == 0 {
            setup.size = member_count;
        }
    }

    /// Whether it tells so many that they are to be counted, in view of how many were there when
    /// they were counted last.
    pub(crate) fn is_to_be_counted(&self) -> bool {
        self.setup().member_count > about(self.counted.load(Ordering::Relaxed))
    }

    /// So many subscribed members were read: where it tells far more than that, harm to many would
    /// pass for harm to few.
    pub(crate) fn note_counted(&self, counted: u64) {
        self.counted.store(counted, Ordering::Relaxed);
        let mut setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.size = setup.member_count.min(about(counted));
    }

    /// Fields, read and completed at the first need.
    pub(crate) async fn fields(&self, api: &Api) -> Result<Arc<MergeFields>, PluginError> {
        let mut fields = self.fields.lock().await;
        if let Some(fields) = fields.as_ref() {
            return Ok(Arc::clone(fields));
        }
        let found = Arc::new(merge_fields::complete(api).await?);
        *fields = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Fields and tags, read and completed at the first need.
    pub(crate) async fn schema(&self, api: &Api) -> Result<Arc<AudienceSchema>, PluginError> {
        let mut schema = self.schema.lock().await;
        if let Some(schema) = schema.as_ref() {
            return Ok(Arc::clone(schema));
        }
        let made = Arc::new(AudienceSchema {
            fields: self.fields(api).await?,
            segments: segments(api).await?,
        });
        *schema = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Tags that people were given: those that the schema lacks exist by now, with an id that is
    /// read when it is needed.
    pub(crate) fn note_made<'a>(&self, tags: impl Iterator<Item = &'a String>) {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(tags.cloned());
    }

    /// Whether a tag was made since the schema was read.
    pub(crate) fn was_made(&self, tag: &str) -> bool {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(tag)
    }

    /// Fields and tags, with the ids of these tags as far as they exist.
    pub(crate) async fn schema_with(
        &self,
        api: &Api,
        tags: &BTreeSet<&String>,
    ) -> Result<Arc<AudienceSchema>, PluginError> {
        let schema = self.schema(api).await?;
        if !tags
            .iter()
            .any(|tag| !schema.segments.contains_key(&tag.to_lowercase()) && self.was_made(tag))
        {
            return Ok(schema);
        }
        let made = Arc::new(AudienceSchema {
            fields: Arc::clone(&schema.fields),
            segments: segments(api).await?,
        });
        *self.schema.lock().await = Some(Arc::clone(&made));
        Ok(made)
    }
}

async fn segments(api: &Api) -> Result<BTreeMap<String, (String, u64)>, PluginError> {
    let mut known = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = api
            .segments(offset)
            .await
            .map_err(|failure| failure.into_error("reading the tags"))?;
        let count = page.segments.len() as u64;
        for segment in page.segments {
            // Of two with one name the first is the one that Mailchimp uses.
            known
                .entry(segment.name.trim().to_lowercase())
                .or_insert((segment.name, segment.id));
        }
        offset += count;
        if count == 0 || offset >= page.total_items {
            return Ok(known);
        }
    }
}
