//! The mirror is brought up to date: who changed since the last look, page by page; who left is
//! remembered, and whoever changed in a way that matters is looked at again.

use super::api::{Api, BACKOFF, PAGE};
use super::changes::Changes;
use super::desk::Desk;
use super::doubt::{Shown, is_counted, since_archived};
use super::former::who_had;
use super::listing::{End, Place, READINGS, Walk, is_known};
use super::member::{
    ARCHIVED, has_left, hash, hash_of, is_given_up, is_leaving, is_listed, is_out, is_out_word,
    why_out,
};
use super::renamed;
use super::tags::Managed;
use super::wire::WireMember;
use crate::domain::{Address, Member, Profile, Time, Way, Why};
use crate::plugin::{Leaving, PluginContext, PluginError};
use chrono::{DateTime, TimeDelta};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Read again before the place that was reached: Mailchimp shows a change a while after it dates
/// it.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

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
pub(super) async fn refresh(
    desk: &Desk,
    ctx: &PluginContext,
    is_new: bool,
) -> Result<(), PluginError> {
    let setup = desk.audience.setup();
    let mut reader = Reader::new(desk, ctx, is_new);
    let since = reader.since;
    let reached = reader.read_until_believed().await?;
    if since.is_none() {
        let known = listed(&ctx.member_counts(None).await?);
        if known + SLACK.max(setup.contact_count / 20) < setup.contact_count {
            desk.remember(ctx, |memory| memory.places.clear()).await?;
            return Err(PluginError::Unavailable(format!(
                "the audience counts {} contacts, and its list shows {known}; nothing is sent while they differ so much",
                setup.contact_count
            )));
        }
    }
    // Nobody was sent before the first reading: whoever carries tags of ours then has them from
    // somebody else.
    let carried = if since.is_none() {
        ctx.count_carrying().await?
    } else {
        0
    };
    desk.remember(ctx, |memory| {
        memory.cursor = reached.or(memory.cursor);
        memory.places.clear();
        if since.is_none() {
            (memory.whole_at, memory.carried) = (Some(ctx.now()), carried);
        }
    })
    .await?;
    if is_new {
        reader.read_whole().await?;
    }
    if let (Some(left_at), Some(_)) = (reader.left_at, since) {
        ctx.note_found(left_at).await?;
    }
    Ok(())
}

/// Takes in contacts who were looked at singly.
pub(super) async fn take_in(
    desk: &Desk,
    ctx: &PluginContext,
    shown: &[WireMember],
) -> Result<(), PluginError> {
    Reader::new(desk, ctx, false).apply(shown).await.map(drop)
}

struct Reader<'a> {
    api: &'a Api,
    managed: Arc<Managed>,
    ctx: &'a PluginContext,
    /// Nothing: nothing was known of the audience before.
    since: Option<Time>,
    desk: &'a Desk,
    /// The audience was asked for its numbers right before.
    is_new: bool,
    /// What was read, and whom it showed.
    lists: Shown,
    /// How far each list was read, by status.
    places: BTreeMap<String, Place>,
    /// When somebody who was in was last seen to have left; our own unsubscribing is known before
    /// it is seen.
    left_at: Option<Time>,
}

impl<'a> Reader<'a> {
    fn new(desk: &'a Desk, ctx: &'a PluginContext, is_new: bool) -> Reader<'a> {
        let (known, lists) = (desk.memory(), Shown::default());
        let since = known.cursor.map(|cursor| cursor - OVERLAP);
        Reader {
            api: &desk.api,
            managed: desk.managed(),
            ctx,
            since,
            desk,
            is_new,
            lists,
            places: known.places,
            left_at: None,
        }
    }

    /// Reads everything, and once more if somebody is there whom it should have shown; answers with
    /// the moment up to which everything is known.
    async fn read_until_believed(&mut self) -> Result<Option<Time>, PluginError> {
        for again in 0..READINGS {
            self.lists = Shown::default();
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
                .missed(self.api, self.ctx, self.desk.memory().cursor)
                .await?;
            self.apply(&missed.elsewhere).await?;
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
            since_archived(self.ctx, self.since).await?
        } else {
            self.since
        };
        let mut showed_nobody = false;
        for _ in 0..READINGS {
            let mut walk = Walk::new(status, since, self.places.get(&name).copied());
            let mut pages = 0;
            while let Some(members) = walk.next(self.api, self.ctx).await? {
                self.apply(&members).await?;
                pages += 1;
                if pages > 1 || self.places.contains_key(&name) || walk.end() == End::Moved {
                    self.places.insert(name.clone(), walk.place());
                    let places = &self.places;
                    self.desk
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
                return Ok(if self.since.is_none() {
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
        let tells = self.is_new && (self.since.is_some() || status.is_none());
        Ok(tells && is_counted(self.ctx, &self.desk.audience.setup(), status).await?)
    }

    /// After a large delivery most of what changed lately is our own writing, which is known. When
    /// the mirror knows more than a page of it, only the end of the list is read, and who left;
    /// `None` when more changed than that shows.
    async fn read_tail(&mut self) -> Result<Option<Option<Time>>, PluginError> {
        let known = listed(&self.ctx.member_counts(self.since).await?);
        if known <= PAGE || !self.places.is_empty() {
            return Ok(None);
        }
        let from = known - PAGE / 2;
        self.ctx.go_on()?;
        let asked = self.api.members(None, self.since, from).await;
        let (page, _) =
            asked.map_err(|failure| failure.into_error("reading the audience's members"))?;
        let joins = match page.members.first() {
            Some(first) => is_known(self.ctx, first).await?,
            None => false,
        };
        if !joins || from + page.members.len() as u64 != page.total_items {
            return Ok(None);
        }
        self.apply(&page.members).await?;
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
        if !self.is_new || self.desk.audience.setup().cleaned_count != Some(cleaned) {
            self.read(Some("cleaned")).await?;
        }
        let is_all = listed(&self.ctx.member_counts(self.since).await?) == page.total_items;
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
        let known = self.desk.memory();
        // One that was written by a clock that was ahead is none.
        let is_due = known
            .whole_at
            .is_none_or(|at| (self.ctx.now() - at).abs() > WHOLE);
        if !is_due {
            return Ok(());
        }
        let (mut walk, mut mended) = (Walk::new(None, None, known.whole_place), 0);
        for _ in 0..WHOLE_PAGES {
            let Some(members) = walk.next(self.api, self.ctx).await? else {
                break;
            };
            mended += self.apply(&members).await?;
        }
        if mended > 0 {
            let detail = json!({ "contacts": mended, "what": "tags of ours that were renamed, deleted or taken off by hand" });
            self.ctx.note("mended", detail).await?;
        }
        let is_over = walk.is_over();
        let is_whole = matches!(walk.end(), End::Whole(_));
        self.desk
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

    /// What the mirror knows of who is shown, by address.
    async fn known(&self, shown: &[&WireMember]) -> Result<BTreeMap<String, Member>, PluginError> {
        let ids: Vec<String> = shown
            .iter()
            .map(|member| hash(&member.email_address))
            .collect();
        Ok(self
            .ctx
            .members(&ids)
            .await?
            .into_iter()
            .map(|member| (member.remote_id.clone(), member))
            .collect())
    }

    /// Takes a page in; answers how many contacts lack tags that they had.
    async fn apply(&mut self, members: &[WireMember]) -> Result<u64, PluginError> {
        let shown: Vec<&WireMember> = members
            .iter()
            .filter(|member| is_somebody(member))
            .collect();
        let known = self.known(&shown).await?;
        let displaced = renamed::displaced(self.api, self.ctx, &shown, &known).await?;
        let shown: Vec<&WireMember> = shown.into_iter().chain(&displaced).collect();
        let mut known = if displaced.is_empty() {
            known
        } else {
            self.known(&shown).await?
        };
        renamed::set_apart(&mut known, &shown);
        let ids: Vec<String> = shown
            .iter()
            .map(|member| hash(&member.email_address))
            .collect();
        let mut renamed = renamed::find(self.api, self.ctx, &shown).await?;
        if self.since.is_some() {
            self.lift(&shown, |id| known.get(id).or_else(|| renamed.get(id)))
                .await?;
        }
        self.suppress(&shown, |id| known.get(id).or_else(|| renamed.get(id)))
            .await?;
        let addresses = shown
            .iter()
            .filter_map(|wire| Address::parse(&wire.email_address))
            .collect();
        let supporters = self
            .ctx
            .held_addresses(&addresses)
            .await?
            .iter()
            .map(hash_of)
            .collect();
        let mut changes = Changes {
            supporters,
            ..Changes::default()
        };
        for (wire, id) in shown.iter().zip(&ids) {
            let before = renamed.remove(id);
            let was_in = known
                .get(id)
                .is_some_and(|known| known.remote_status == "subscribed");
            if was_in && ["unsubscribed", "cleaned"].contains(&wire.status.as_str()) {
                self.left_at = self.left_at.max(wire.last_changed);
            }
            changes.note(
                wire,
                known.get(id),
                before.as_ref(),
                &self.managed,
                self.ctx.now(),
            );
        }
        self.ctx
            .save_members(
                &changes.members.into_values().collect::<Vec<_>>(),
                &changes.left,
            )
            .await?;
        let mut due: BTreeSet<i64> = changes.due;
        // At the first look nobody was delivered yet.
        if self.since.is_some() && !changes.strangers.is_empty() {
            due.extend(
                self.ctx
                    .profiles_at(&changes.strangers)
                    .await?
                    .into_iter()
                    .map(|person| person.supporter_id),
            );
        }
        self.ctx
            .make_due(&due.into_iter().collect::<Vec<_>>())
            .await?;
        Ok(changes.untagged)
    }
}

impl Reader<'_> {
    /// Whoever is shown subscribed, and was not before, came by themselves: nobody who left is ever
    /// sent. Not so where somebody else was sent and nobody heard what became of it, or whose
    /// contact only has another address. The first look at an audience tells nothing of that kind.
    async fn lift<'k>(
        &self,
        shown: &[&WireMember],
        known: impl Fn(&str) -> Option<&'k Member>,
    ) -> Result<(), PluginError> {
        let came = |wire: &&&WireMember| came_back(wire, known(&hash(&wire.email_address)));
        let mut addresses: BTreeSet<Address> = shown
            .iter()
            .filter(came)
            .filter_map(|wire| Address::parse(&wire.email_address))
            .collect();
        if addresses.is_empty() {
            return Ok(());
        }
        let is_new = |address: &Address| known(&hash_of(address)).is_none();
        for (_, _, sent) in self
            .ctx
            .unheard_here()
            .await?
            .into_iter()
            .filter(|(.., sent)| is_new(sent))
        {
            addresses.remove(&sent);
        }
        let ids: BTreeSet<String> = addresses.iter().map(hash_of).collect();
        let people = self
            .ctx
            .profiles_at(&addresses)
            .await?
            .into_iter()
            .map(|person| person.supporter_id)
            .collect();
        self.ctx.lift_suppressions(&ids, &people).await
    }

    /// Who left is written down before the mirror knows it: whoever has the address may have
    /// another one when they are looked at, or there may be another audience by then.
    async fn suppress<'k>(
        &self,
        shown: &[&WireMember],
        known: impl Fn(&str) -> Option<&'k Member>,
    ) -> Result<(), PluginError> {
        let known = |wire: &WireMember| known(&hash(&wire.email_address));
        let gone: Vec<&WireMember> = shown
            .iter()
            .copied()
            .filter(|wire| went(wire, known(wire)))
            .collect();
        let addresses: BTreeSet<Address> = gone
            .iter()
            .filter_map(|wire| Address::parse(&wire.email_address))
            .collect();
        if addresses.is_empty() {
            return Ok(());
        }
        let left_at: BTreeMap<String, Option<Time>> = gone
            .iter()
            .flat_map(|wire| {
                ids_of(wire, known(wire))
                    .into_iter()
                    .map(|id| (id, wire.last_changed))
            })
            .collect();
        let suppressed = self
            .ctx
            .suppressed(&left_at.keys().cloned().collect::<Vec<_>>(), &[])
            .await?;
        let holders = self.ctx.profiles_at(&addresses).await?;
        let mut left: Vec<Leaving> = gone
            .iter()
            .flat_map(|wire| leavings(wire, known(wire), &holders))
            .collect();
        let had = who_had(self.ctx, &left_at).await?;
        for wire in gone.iter().filter(|wire| is_persons(wire, known(wire))) {
            let ids = ids_of(wire, known(wire));
            let people: BTreeSet<i64> = ids
                .iter()
                .filter_map(|id| had.get(id))
                .flatten()
                .copied()
                .collect();
            let why = why_left(wire, known(wire));
            let leaving = |(id, person): (&String, i64)| Leaving {
                remote_id: id.clone(),
                supporter_id: Some(person),
                why: why.clone(),
            };
            left.extend(
                ids.iter()
                    .flat_map(|id| people.iter().map(move |person| (id, *person)))
                    .map(leaving),
            );
            // Some of them may be there by now under another address.
            self.ctx
                .make_due(&people.into_iter().collect::<Vec<_>>())
                .await?;
        }
        // One that we took off here is the leaving of whoever it was done for.
        let is_known = |id: &String| {
            suppressed
                .addresses
                .get(id)
                .is_some_and(|why| why.way != Way::Bounced)
        };
        left.retain(|one| {
            !is_known(&one.remote_id) || suppressed.elsewhere.contains(&one.remote_id)
        });
        self.ctx.suppress(&left).await
    }
}

/// Out, and in as far as was known; or left, and had bounced as far as was known.
pub(super) fn went(shown: &WireMember, known: Option<&Member>) -> bool {
    let is_news = |known: &Member| {
        !is_out(known) || is_leaving(shown) && !has_left(known) && !is_given_up(known)
    };
    is_out_word(&shown.status) && known.is_some_and(is_news)
}

/// The leaving of a contact: of the one for whom it was delivered, and of whoever has the address
/// now, or the one under which it was known; a bounce is the address's alone.
pub(super) fn leavings(
    shown: &WireMember,
    known: Option<&Member>,
    people: &[Profile],
) -> Vec<Leaving> {
    let why = why_left(shown, known);
    if !is_persons(shown, known) {
        return vec![Leaving {
            remote_id: hash(&shown.email_address),
            supporter_id: None,
            why,
        }];
    }
    let ids = ids_of(shown, known);
    let is_holder = |person: &&Profile| {
        person
            .address
            .as_ref()
            .is_some_and(|address| ids.contains(&hash_of(address)))
    };
    let mut supporters: BTreeSet<i64> = people
        .iter()
        .filter(is_holder)
        .map(|person| person.supporter_id)
        .collect();
    supporters.extend(known.and_then(|known| known.supporter_id));
    let pairs = ids
        .iter()
        .flat_map(|id| supporters.iter().map(move |supporter| (id, *supporter)));
    pairs
        .map(|(id, supporter)| Leaving {
            remote_id: id.clone(),
            supporter_id: Some(supporter),
            why: why.clone(),
        })
        .collect()
}

/// The address at which a contact is shown, and the one at which it was known: it may have left
/// before it got the other one.
fn ids_of(shown: &WireMember, known: Option<&Member>) -> BTreeSet<String> {
    known
        .map(|known| known.remote_id.clone())
        .into_iter()
        .chain([hash(&shown.email_address)])
        .collect()
}

/// Whether it is the leaving of a person, and not only of an address.
fn is_persons(shown: &WireMember, known: Option<&Member>) -> bool {
    is_leaving(shown) || known.is_some_and(|known| known.ever_left_at.is_some())
}

fn why_left(shown: &WireMember, known: Option<&Member>) -> Why {
    let out = Member {
        remote_status: shown.status.clone(),
        ..Member::default()
    };
    why_out(&Member {
        ever_left_at: is_persons(shown, known).then_some(DateTime::UNIX_EPOCH),
        ..out
    })
}

/// Shown subscribed, and out or nobody as far as was known.
pub(super) fn came_back(shown: &WireMember, known: Option<&Member>) -> bool {
    shown.status == "subscribed" && known.is_none_or(is_out)
}

/// How many of these a list of members shows.
pub(super) fn listed(counts: &BTreeMap<String, u64>) -> u64 {
    counts
        .iter()
        .filter(|(word, _)| is_listed(word))
        .map(|(_, count)| count)
        .sum()
}

/// Erased contacts are shown under an address that is nobody's.
pub(super) fn is_somebody(member: &WireMember) -> bool {
    let address = member.email_address.to_lowercase();
    address.contains('@') && !address.ends_with("@forgotten.mailchimp.com")
}
