//! The mirror is brought up to date: who changed since the last look is read page by page.

use super::doubt::{ShownLists, is_counted, since_archived};
use super::intake::Intake;
use super::listing::{End, ListPosition, READINGS, Walk, is_known};
use super::merge_fields::GIFTS;
use super::missing::find_missing;
use super::session::MailchimpSession;
use super::status::{ARCHIVED, listed};
use crate::domain::Time;
use crate::integrations::mailchimp::api::calls::{BACKOFF, PAGE};
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// So many contacts may come and go while the audience is read.
const SLACK: u64 = 10;

/// So often the whole audience is read: tags that somebody took off by hand, renamed or deleted in
/// Mailchimp move no date.
const WHOLE: TimeDelta = TimeDelta::days(7);

/// At most so many pages of that with one look, so that nobody's opt-out waits for it.
const WHOLE_PAGES: usize = 20;

/// Brings it up to date. What is read is kept page by page, and so is how far the reading is: one
/// that is cut off goes on there.
///
/// `is_new`: the audience was asked for its numbers right before. The first look must show about as
/// many contacts as it counts, since everybody whom it does not show would be taken for new.
pub(crate) async fn refresh(
    session: &MailchimpSession,
    ctx: &PluginContext,
    is_new: bool,
) -> Result<(), PluginError> {
    let setup = session.audience.setup();
    let mut reader = Reader::new(session, ctx, is_new);
    let since = reader.intake.since();
    let reached = reader.read_until_believed().await?;
    if since.is_none() {
        let known = listed(&ctx.member_counts(None).await?);
        if known + SLACK.max(setup.contact_count / 20) < setup.contact_count {
            session
                .remember(ctx, |memory| memory.places.clear())
                .await?;
            return Err(PluginError::Unavailable(format!(
                "the audience counts {} contacts, and its list shows {known}; nothing is sent while they differ so much",
                setup.contact_count
            )));
        }
    }
    // Nobody was sent before the first reading: whoever carries tags of ours then has them from
    // somebody else.
    let carried = if since.is_none() {
        ctx.count_carrying(GIFTS).await?
    } else {
        0
    };
    session
        .remember(ctx, |memory| {
            memory.cursor = reached.or(memory.cursor);
            memory.places.clear();
            if since.is_none() {
                (memory.whole_at, memory.carried) = (Some(ctx.now()), carried);
            } else {
                memory.carried += reader.intake.carried();
            }
        })
        .await?;
    if is_new {
        reader.read_whole().await?;
    }
    if let (Some(left_at), Some(_)) = (reader.intake.left_at(), since) {
        ctx.note_found(left_at).await?;
    }
    Ok(())
}

struct Reader<'a> {
    session: &'a MailchimpSession,
    ctx: &'a PluginContext,
    intake: Intake<'a>,
    /// The audience was asked for its numbers right before.
    is_new: bool,
    /// What was read, and whom it showed.
    lists: ShownLists,
    /// How far each list was read, by status.
    places: BTreeMap<String, ListPosition>,
}

impl<'a> Reader<'a> {
    fn new(session: &'a MailchimpSession, ctx: &'a PluginContext, is_new: bool) -> Reader<'a> {
        Reader {
            session,
            ctx,
            intake: Intake::new(session, ctx),
            is_new,
            lists: ShownLists::default(),
            places: session.memory().places,
        }
    }

    /// Reads everything, and once more if somebody is there whom it should have shown; answers with
    /// the moment up to which everything is known.
    async fn read_until_believed(&mut self) -> Result<Option<Time>, PluginError> {
        for again in 0..READINGS {
            self.lists = ShownLists::default();
            let reached = match self.read_tail().await? {
                Some(reached) => reached,
                None => {
                    let reached = self.read(None).await?;
                    self.read(Some(ARCHIVED)).await?;
                    reached
                }
            };
            let missed = self
                .lists
                .missed(&self.session.api, self.ctx, self.session.memory().cursor)
                .await?;
            self.intake.apply(&missed.elsewhere).await?;
            if !missed.is_contradicted {
                return Ok(reached);
            }
            tokio::time::sleep(BACKOFF.wait(again)).await;
        }
        Err(PluginError::Unavailable(
            "the audience's lists lack people who are there; nothing is sent before they are shown"
                .to_owned(),
        ))
    }

    /// Reads a list; answers with the moment up to which everything is known. One that shows nobody
    /// is read again before it is believed, unless the audience's own numbers say the same.
    async fn read(&mut self, status: Option<&'static str>) -> Result<Option<Time>, PluginError> {
        let name = status.unwrap_or_default().to_owned();
        let since = if status == Some(ARCHIVED) {
            since_archived(self.ctx, self.intake.since()).await?
        } else {
            self.intake.since()
        };
        let mut showed_nobody = false;
        for _ in 0..READINGS {
            let mut walk = Walk::new(status, since, self.places.get(&name).copied());
            let mut pages = 0;
            while let Some(members) = walk.next(&self.session.api, self.ctx).await? {
                self.intake.apply(&members).await?;
                pages += 1;
                if pages > 1 || self.places.contains_key(&name) || walk.end() == End::Moved {
                    self.places.insert(name.clone(), walk.place());
                    let places = &self.places;
                    self.session
                        .remember(self.ctx, |memory| memory.places.clone_from(places))
                        .await?;
                }
            }
            if let End::Whole(reached) = walk.end() {
                let shows_nobody = walk.shown().is_some_and(HashSet::is_empty);
                if shows_nobody
                    && !std::mem::replace(&mut showed_nobody, true)
                    && !self.is_counted(status).await?
                {
                    continue;
                }
                self.lists.note(status, since, &walk);
                // Of an audience where nobody is, its clock is all that there is to go by.
                return Ok(if self.intake.since().is_none() {
                    reached.or(walk.begun())
                } else {
                    reached
                });
            }
            self.places.remove(&name);
        }
        Err(PluginError::Unavailable(
            "the audience's list shows fewer people than it counts".to_owned(),
        ))
    }

    /// At the first look nobody is known, so the numbers tell nothing of those who are archived.
    async fn is_counted(&self, status: Option<&str>) -> Result<bool, PluginError> {
        let tells = self.is_new && (self.intake.since().is_some() || status.is_none());
        Ok(tells && is_counted(self.ctx, &self.session.audience.setup(), status).await?)
    }

    /// After a large delivery most of what changed lately is our own writing, which is known. When
    /// the mirror knows more than a page of it, only the end of the list is read, and who left;
    /// `None` when more changed than that shows.
    async fn read_tail(&mut self) -> Result<Option<Option<Time>>, PluginError> {
        let known = listed(&self.ctx.member_counts(self.intake.since()).await?);
        if known <= PAGE || !self.places.is_empty() {
            return Ok(None);
        }
        let from = known - PAGE / 2;
        self.ctx.go_on()?;
        let asked = self
            .session
            .api
            .members(None, self.intake.since(), from)
            .await;
        let (page, _) =
            asked.map_err(|failure| failure.into_error("reading the audience's members"))?;
        let joins = match page.members.first() {
            Some(first) => is_known(self.ctx, first).await?,
            None => false,
        };
        if !joins || from + page.members.len() as u64 != page.total_items {
            return Ok(None);
        }
        self.intake.apply(&page.members).await?;
        self.read(Some(ARCHIVED)).await?;
        // Somebody who was written by us and left right afterwards stands among our own writing.
        // The audience's count of them cannot tell: one leaves, another comes back, and it is as
        // before. From a bounce nobody comes back.
        self.read(Some("unsubscribed")).await?;
        let cleaned = self
            .ctx
            .member_counts(None)
            .await?
            .get("cleaned")
            .copied()
            .unwrap_or_default();
        if !self.is_new || self.session.audience.setup().cleaned_count != Some(cleaned) {
            self.read(Some("cleaned")).await?;
        }
        let is_all =
            listed(&self.ctx.member_counts(self.intake.since()).await?) == page.total_items;
        let latest = page
            .members
            .iter()
            .filter_map(|member| member.last_changed)
            .max();
        Ok(is_all.then_some(latest))
    }

    /// Once in a while everything is read, some pages with each look: whoever lacks tags that they
    /// had gets them again.
    async fn read_whole(&mut self) -> Result<(), PluginError> {
        let known = self.session.memory();
        // One that was written by a clock that was ahead is none.
        let is_due = known
            .whole_at
            .is_none_or(|at| (self.ctx.now() - at).abs() > WHOLE);
        if !is_due {
            return Ok(());
        }
        let (mut walk, mut mended) = (Walk::new(None, None, known.whole_place), 0);
        for _ in 0..WHOLE_PAGES {
            let Some(members) = walk.next(&self.session.api, self.ctx).await? else {
                break;
            };
            mended += self.intake.apply(&members).await?;
        }
        if mended > 0 {
            let detail = json!({ "contacts": mended, "what": "tags of ours that were renamed, deleted or taken off by hand" });
            self.ctx.note("mended", detail).await?;
        }
        if let (End::Whole(_), Some(shown)) = (walk.end(), walk.shown()) {
            find_missing(self.session, self.ctx, shown).await?;
        }
        let is_over = walk.is_over();
        let is_whole = matches!(walk.end(), End::Whole(_));
        self.session
            .remember(self.ctx, |memory| {
                memory.note_mended(mended, self.ctx.now());
                memory.whole_place = (!is_over).then(|| walk.place());
                if is_whole {
                    memory.whole_at = Some(self.ctx.now());
                    // A name may have been changed there, too.
                    memory.known_permissions.clear();
                }
            })
            .await
    }
}
