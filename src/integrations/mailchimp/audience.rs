//! What is known of the audience beside its members: how it is set up, its merge fields, its tags. Fields and tags are read only when
//! something is to be written.

use super::api::{Api, PAGE};
use super::client::Failure;
use super::picture::FIELDS;
use super::settings::Settings;
use super::wire::NewField;
use crate::plugin::PluginError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How it is set up.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Setup {
    /// New members are asked first.
    pub(super) double_optin: bool,
    /// It has GDPR permissions.
    pub(super) has_permissions: bool,
    /// Subscribed members.
    pub(super) member_count: u64,
}

/// What is needed to write.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Our tag of a merge field, and the one that it has there; those that could not be made are left out.
    pub(super) fields: BTreeMap<&'static str, String>,
    /// Tags by name in lower case: the spelling there, and the id.
    pub(super) segments: BTreeMap<String, (String, u64)>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Audience {
    setup: Mutex<Setup>,
    shelf: tokio::sync::Mutex<Option<Arc<Shelf>>>,
}

impl Audience {
    /// As of the last look.
    pub(super) fn setup(&self) -> Setup {
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks how it is set up; fields and tags are read anew when they are needed.
    pub(super) async fn look(&self, api: &Api, settings: &Settings) -> Result<(), PluginError> {
        let list = api.list().await.map_err(|failure| match failure {
            Failure::Missing => PluginError::Configuration {
                key: "plugins.mailchimp.audience_id".to_owned(),
                cause: format!("the account has no audience {}", settings.audience_id),
            },
            failure => failure.into_error("reading the audience"),
        })?;
        let setup =
            Setup { double_optin: list.double_optin, has_permissions: list.marketing_permissions, member_count: list.stats.member_count };
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner) = setup;
        *self.shelf.lock().await = None;
        Ok(())
    }

    /// Fields and tags, read and completed at the first need.
    pub(super) async fn shelf(&self, api: &Api) -> Result<Arc<Shelf>, PluginError> {
        let mut shelf = self.shelf.lock().await;
        if let Some(shelf) = shelf.as_ref() {
            return Ok(Arc::clone(shelf));
        }
        let made = Arc::new(Shelf { fields: fields(api).await?, segments: segments(api).await? });
        *shelf = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Tags were made by a batch: their ids are read again when they are needed.
    pub(super) async fn forget_shelf(&self) {
        *self.shelf.lock().await = None;
    }
}

async fn fields(api: &Api) -> Result<BTreeMap<&'static str, String>, PluginError> {
    let what = "reading the merge fields";
    let there = api.fields().await.map_err(|failure| failure.into_error(what))?;
    if there.total_items > PAGE.max(there.merge_fields.len() as u64) {
        return Err(PluginError::Unexpected(format!("{what}: more of them than one answer holds")));
    }
    let mut known = BTreeMap::new();
    for field in FIELDS {
        if let Some(found) = there.merge_fields.iter().find(|found| found.tag.eq_ignore_ascii_case(field.tag)) {
            known.insert(field.tag, found.tag.clone());
            continue;
        }
        let new = NewField { tag: field.tag, name: field.name, kind: field.kind, required: false, public: false };
        match api.make_field(&new).await {
            Ok(made) => {
                known.insert(field.tag, made.tag);
            }
            // The plan's limit, or somebody made it at the same moment: people are delivered without it.
            Err(Failure::Invalid(problem)) => {
                tracing::warn!(field = field.tag, reason = problem.plain(), "a merge field cannot be made; it is left out");
            }
            Err(failure) => return Err(failure.into_error("making a merge field")),
        }
    }
    Ok(known)
}

async fn segments(api: &Api) -> Result<BTreeMap<String, (String, u64)>, PluginError> {
    let mut known = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = api.segments(offset).await.map_err(|failure| failure.into_error("reading the tags"))?;
        let count = page.segments.len() as u64;
        for segment in page.segments {
            // Of two with one name the first is the one that Mailchimp uses.
            known.entry(segment.name.trim().to_lowercase()).or_insert((segment.name, segment.id));
        }
        offset += count;
        if count == 0 || offset >= page.total_items {
            return Ok(known);
        }
    }
}
