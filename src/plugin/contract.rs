//! What a plugin must be able to do.

use super::{PluginContext, PluginError};
use crate::domain::{CheckResult, Image, Planned, Profile, Taking, Verdict};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// What an audit found about one contact or supporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind: `ok`, `without_consent`, `missing`, `foreign`, `left`, ...
    pub kind: &'static str,
    /// Who, as far as known here.
    pub supporter_id: Option<i64>,
    /// The other side's id, if there is a contact.
    pub remote_id: Option<String>,
    /// The other side's word for the contact.
    pub remote_status: Option<String>,
    /// In a sentence.
    pub detail: String,
}

/// The kind of a contact who could be adopted, and whose supporter said no.
pub const REFUSED: &str = "refused";

/// One integration for one organization.
///
/// Before each delivery come, in this order: once in its life `initialize` and `setup`, then
/// `refresh`, `preview` of everybody who is due, and then `process` batch by batch. Every method
/// may be cut off at any await; what a plugin must know afterwards it writes down through the
/// context before it acts.
#[async_trait]
pub trait Plugin: Send + Sync {
    /// The place it delivers to, such as an audience's id: the ledger is kept for each place apart.
    fn destination(&self) -> &str;

    /// How many people it takes at once.
    fn batch_size(&self) -> usize {
        500
    }

    /// Validates its configuration and connects.
    async fn initialize(&mut self, ctx: &PluginContext) -> Result<(), PluginError>;

    /// Makes what must exist on the other side. Not called in a preview.
    async fn setup(&mut self, ctx: &PluginContext) -> Result<(), PluginError>;

    /// Learns what changed on the other side.
    async fn refresh(&self, _ctx: &PluginContext) -> Result<(), PluginError> {
        Ok(())
    }

    /// How many contacts the other side has, as of the last refresh; 0 when harm is not counted in
    /// shares.
    fn audience(&self) -> u64 {
        0
    }

    /// What is wrong with its configuration or with the other side's lists, as of the last refresh:
    /// nobody is brought in before it is mended, and opt-outs go out all the same.
    fn fault(&self) -> Option<PluginError> {
        None
    }

    /// What keeps people waiting on the other side, as of the last delivery, in a sentence that
    /// names nobody.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// What `process` would do with these people, by what is known now. Sends nothing.
    async fn preview(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Planned>, PluginError>;

    /// Brings the other side up to date for these people: a verdict for each. Harm is done only as
    /// far as [`PluginContext::budget`] allows; who is consented is asked again right before every
    /// send ([`PluginContext::begin_sending`]).
    async fn process(
        &self,
        ctx: &PluginContext,
        batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError>;

    /// Passes refusals on and does nothing else: in place of `process` while the plugin is
    /// suspended. A verdict for whoever is taken off, or waits for that; none for anybody else.
    async fn withdraw(
        &self,
        _ctx: &PluginContext,
        _batch: &[Profile],
    ) -> Result<Vec<Verdict>, PluginError> {
        Ok(Vec::new())
    }

    /// Whether what a push changed can be taken back.
    fn takes_back(&self) -> bool {
        false
    }

    /// Takes back what these pushes changed, by person and the oldest first: a word on each of
    /// these people. Never a status. `really`: done, by what is on the other side at this moment,
    /// and the same when it is done twice; in a preview only what would be known afterwards is
    /// saved. Otherwise only said, by what is known here.
    async fn take_back(
        &self,
        _ctx: &PluginContext,
        _people: &[Profile],
        _images: &BTreeMap<i64, Vec<Image>>,
        _really: bool,
    ) -> Result<Vec<Taking>, PluginError> {
        Ok(Vec::new())
    }

    /// Who is on the other side, against the consent known here. Sends nothing.
    async fn audit(&self, _ctx: &PluginContext) -> Result<Vec<Finding>, PluginError> {
        Ok(Vec::new())
    }

    /// Contacts that look like ours and are not known as such, as a database from before would have
    /// known them; `None` of a plugin without contacts. Sends nothing.
    async fn adoptable(&self, _ctx: &PluginContext) -> Result<Option<Vec<Finding>>, PluginError> {
        Ok(None)
    }

    /// Whether the other side answers and accepts us.
    async fn health_check(&self, ctx: &PluginContext) -> CheckResult;

    /// Lets go of everything.
    async fn shutdown(&mut self) -> Result<(), PluginError>;
}
