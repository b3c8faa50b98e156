//! A page of members is taken into the mirror: who left is remembered, whoever came back is let in
//! again, and whoever changed in a way that matters is looked at again.

use super::changes::Changes;
use super::departures::{came_back, ids_of, is_persons, leavings, went, why_left};
use super::former::who_had;
use super::managed_tags::ManagedTags;
use super::member::{carries_ours, hash, hash_of, is_somebody};
use super::renamed::{self, Displaced};
use super::session::MailchimpSession;
use super::status::opted_out;
use crate::domain::{Address, Member, Time, Way};
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::Api;
use crate::plugin::{Leaving, PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Read again before the place that was reached: Mailchimp shows a change a while after it dates
/// it.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Takes in contacts who were looked at singly.
pub(crate) async fn take_in(
    session: &MailchimpSession,
    ctx: &PluginContext,
    shown: &[WireMember],
) -> Result<(), PluginError> {
    Intake::new(session, ctx).apply(shown).await.map(drop)
}

/// Takes in what is shown.
pub(crate) struct Intake<'a> {
    api: &'a Api,
    ctx: &'a PluginContext,
    managed: Arc<ManagedTags>,
    /// Nothing: nothing was known of the audience before.
    since: Option<Time>,
    carried: u64,
    /// When somebody who was in was last seen to have left; our own unsubscribing is known before
    /// it is seen.
    left_at: Option<Time>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(session: &'a MailchimpSession, ctx: &'a PluginContext) -> Intake<'a> {
        Intake {
            api: &session.api,
            ctx,
            managed: session.managed(),
            // A place of before that lies ahead would show nobody until then.
            since: session
                .memory()
                .cursor
                .map(|cursor| cursor.min(ctx.now()) - OVERLAP),
            left_at: None,
            carried: 0,
        }
    }

    /// From when on members are read; nothing: nothing was known of the audience before.
    pub(crate) const fn since(&self) -> Option<Time> {
        self.since
    }

    /// So many contacts were new that carry what only we put there, though nobody here did: somebody
    /// else who works with our names, or this database is older than the audience.
    pub(crate) const fn carried(&self) -> u64 {
        self.carried
    }

    async fn count_carried(
        &self,
        shown: &[&WireMember],
        is_known: impl Fn(&str) -> bool,
    ) -> Result<u64, PluginError> {
        let mut new: BTreeSet<String> = shown
            .iter()
            .filter(|wire| carries_ours(wire, &self.managed))
            .map(|wire| hash(&wire.email_address))
            .filter(|id| !is_known(id))
            .collect();
        if !new.is_empty() {
            for (.., sent) in self.ctx.unheard_here().await? {
                new.remove(&hash_of(&sent));
            }
        }
        Ok(new.len() as u64)
    }

    /// When somebody who was in was last seen to have left.
    pub(crate) const fn left_at(&self) -> Option<Time> {
        self.left_at
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
    pub(crate) async fn apply(&mut self, members: &[WireMember]) -> Result<u64, PluginError> {
        let shown: Vec<&WireMember> = members
            .iter()
            .filter(|member| is_somebody(member))
            .collect();
        let known = self.known(&shown).await?;
        let Displaced { elsewhere, erased } =
            renamed::displaced(self.api, self.ctx, &shown, &known).await?;
        self.ctx.suppress(&erased).await?;
        let shown: Vec<&WireMember> = shown.into_iter().chain(&elsewhere).collect();
        let mut known = if elsewhere.is_empty() {
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
            let is_known = |id: &str| renamed.contains_key(id) || known.contains_key(id);
            self.carried += self.count_carried(&shown, is_known).await?;
            self.lift(&shown, |id| renamed.get(id).or_else(|| known.get(id)))
                .await?;
        }
        let heard = self
            .suppress(&shown, |id| renamed.get(id).or_else(|| known.get(id)))
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
            if let Some(member) = changes.members.get_mut(id).filter(|_| heard.contains(id)) {
                member.subscribed_by_us = false;
            }
        }
        self.ctx
            .save_members(
                &changes.members.into_values().collect::<Vec<_>>(),
                &changes.left,
            )
            .await?;
        let mut due: BTreeSet<i64> = changes.due;
        // At the first look nobody was delivered yet.
        if self.since.is_some() && !changes.addresses.is_empty() {
            due.extend(
                self.ctx
                    .profiles_at(&changes.addresses)
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
    /// another one when they are looked at, or there may be another audience by then. Answers the
    /// addresses by which somebody left who said no at Classy before: that no has reached them, as
    /// if we had unsubscribed them for it, and is none of a contact that comes back since.
    async fn suppress<'k>(
        &self,
        shown: &[&WireMember],
        known: impl Fn(&str) -> Option<&'k Member>,
    ) -> Result<BTreeSet<String>, PluginError> {
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
            return Ok(BTreeSet::new());
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
        let heard = self.mark_heard(&mut left).await?;
        self.ctx.suppress(&left).await?;
        Ok(heard)
    }

    /// Of those who left by a word of theirs, whoever says no at Classy counts as unsubscribed for
    /// that, beside what their address counts as.
    async fn mark_heard(&self, left: &mut Vec<Leaving>) -> Result<BTreeSet<String>, PluginError> {
        let ids: BTreeSet<i64> = left.iter().filter_map(|one| one.supporter_id).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let people = self.ctx.profiles(&ids).await?.into_iter();
        let refusers: BTreeSet<i64> = people
            .filter(|person| person.email_opt_in == Some(false))
            .map(|person| person.supporter_id)
            .collect();
        let (mut heard, mut addresses) = (BTreeSet::new(), Vec::new());
        for one in left.iter_mut() {
            let refuses = one.supporter_id.is_some_and(|id| refusers.contains(&id));
            if refuses && one.why.way == Way::SaidNo {
                let why = std::mem::replace(&mut one.why, opted_out());
                heard.insert(one.remote_id.clone());
                addresses.push(Leaving {
                    remote_id: one.remote_id.clone(),
                    supporter_id: None,
                    why,
                });
            }
        }
        left.append(&mut addresses);
        Ok(heard)
    }
}
