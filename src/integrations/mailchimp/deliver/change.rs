//! Changes of single members: unsubscribing, moving, permissions. Who they are about is written
//! down before every try, and whether they still hold is asked again.

use super::consent::confirm;
use crate::domain::{Address, Fate, Member, Profile, Step};
use crate::integrations::mailchimp::api::answers::{Problem, WireMember};
use crate::integrations::mailchimp::api::calls::{BACKOFF, TRIES};
use crate::integrations::mailchimp::api::client::Failure;
use crate::integrations::mailchimp::api::requests::{Patch, Permit, Unsubscribed};
use crate::integrations::mailchimp::mirror::freshness::freshen;
use crate::integrations::mailchimp::mirror::member::hash_of;
use crate::integrations::mailchimp::mirror::session::MailchimpSession;
use crate::integrations::mailchimp::mirror::status::{is_mailed, is_out};
use crate::plugin::{PluginContext, PluginError, Sending};
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be changed of a member.
#[derive(Clone)]
pub(crate) enum MemberChange {
    /// Consent was withdrawn. `even_if_consented`: not at Classy, but in Mailchimp, under another
    /// address or in another audience.
    Unsubscribe { even_if_consented: bool },
    /// To the address of the request.
    Move,
    /// Permissions by id.
    Permit(Vec<String>),
}

/// One change of one member.
#[derive(Clone)]
pub(crate) struct ChangeRequest {
    pub(crate) supporter_id: i64,
    /// The present address, if there is one.
    pub(crate) address: Option<Address>,
    /// Which audience it is in, if it is an earlier one.
    pub(crate) audience: Option<String>,
    /// The member's id.
    pub(crate) member: String,
    /// What Mailchimp calls the contact whatever its address is.
    pub(crate) contact: Option<String>,
    pub(crate) change: MemberChange,
}

/// What became of it.
pub(crate) enum ChangeResult {
    Done(WireMember),
    /// There is no such member.
    Missing,
    Refused(Problem),
    /// Mailchimp answered as if it were done, and shows the member as it was: nothing happened.
    NotDone,
    /// The earlier audience that it is in lets us in no more.
    Closed,
    /// The person is not any more as they were when it was decided; nothing was sent.
    Changed,
}

impl ChangeRequest {
    fn sending(&self) -> Sending {
        let intent = match self.change {
            MemberChange::Unsubscribe { .. } => Step::Unsubscribe,
            MemberChange::Move => Step::Move,
            // Part of adding: what is cut off here is taken up as an addition.
            MemberChange::Permit(_) => Step::Add,
        };
        Sending {
            supporter_id: self.supporter_id,
            address: self.address.clone(),
            intent,
            image: None,
        }
    }

    /// Whether the member is still one of whom it is right: nobody who left meanwhile is moved or
    /// given a permission.
    fn finds(&self, members: &BTreeMap<String, Member>) -> bool {
        matches!(self.change, MemberChange::Unsubscribe { .. })
            || members
                .get(&self.member)
                .is_some_and(|member| !is_out(member))
    }

    /// Whether it is still right.
    fn holds(&self, person: &Profile) -> bool {
        match self.change {
            MemberChange::Unsubscribe { even_if_consented } => {
                even_if_consented && person.address == self.address
                    || person
                        .mailable_address()
                        .is_none_or(|address| hash_of(address) != self.member)
            }
            MemberChange::Move | MemberChange::Permit(_) => {
                person.mailable_address() == self.address.as_ref()
            }
        }
    }

    /// Another name of the member, for when there is none under its id: very old members have ids
    /// that their address does not give, and a word of no is for the contact under whatever
    /// address.
    fn other_name(&self) -> Option<&str> {
        self.contact
            .as_deref()
            .filter(|_| matches!(self.change, MemberChange::Unsubscribe { .. }))
    }

    /// Whether an answer shows what was asked for. One that does not is no success, whatever its
    /// status.
    fn is_shown(&self, wire: &WireMember) -> bool {
        match self.change {
            MemberChange::Unsubscribe { .. } => !is_mailed(&wire.status),
            MemberChange::Move => Address::parse(&wire.email_address) == self.address,
            MemberChange::Permit(_) => true,
        }
    }

    /// Whether an answer says that it was done and shows the very moment of the last change from
    /// before: then the member itself is asked.
    fn is_doubtful(&self, wire: &WireMember, members: &BTreeMap<String, Member>) -> bool {
        let before = members.get(&self.member).and_then(|old| old.last_seen_at);
        matches!(self.change, MemberChange::Unsubscribe { .. })
            && self.audience.is_none()
            && self.is_shown(wire)
            && before.is_some()
            && before == wire.last_changed
    }

    async fn send(
        &self,
        session: &MailchimpSession,
        members: &BTreeMap<String, Member>,
    ) -> Result<WireMember, Failure> {
        let Some(patch) = self.patch() else {
            return Err(Failure::Missing);
        };
        let api = self
            .audience
            .as_deref()
            .map_or_else(|| session.api.clone(), |audience| session.api.of(audience));
        let answer = match (api.patch(&self.member, &patch).await, self.other_name()) {
            (Err(Failure::Missing), Some(name)) => api.patch(name, &patch).await,
            (answer, _) => answer,
        };
        match answer {
            Ok(member) if self.is_doubtful(&member, members) => {
                session.api.member(&self.member).await
            }
            answer => answer,
        }
    }

    /// The member as it is now, wherever it was to move.
    async fn shown(&self, session: &MailchimpSession) -> Result<WireMember, Failure> {
        let api = self
            .audience
            .as_deref()
            .map_or_else(|| session.api.clone(), |audience| session.api.of(audience));
        match (&self.change, &self.address) {
            (MemberChange::Move, Some(address)) => api.member(&hash_of(address)).await,
            _ => api.member(&self.member).await,
        }
    }

    fn patch(&self) -> Option<Patch> {
        Some(match &self.change {
            MemberChange::Unsubscribe { .. } => Patch::Unsubscribe {
                status: Unsubscribed::Unsubscribed,
            },
            MemberChange::Move => Patch::Move {
                email_address: self.address.as_ref()?.as_str().to_owned(),
            },
            MemberChange::Permit(ids) => {
                let permit = |id: &String| Permit {
                    marketing_permission_id: id.clone(),
                    enabled: true,
                };
                Patch::Permit {
                    marketing_permissions: ids.iter().map(permit).collect(),
                }
            }
        })
    }
}

/// What came of changes.
pub(crate) struct Changes {
    /// Those that were answered.
    pub(crate) done: Vec<(ChangeRequest, ChangeResult)>,
    /// Why the others were not.
    pub(crate) failure: Option<PluginError>,
    left: Vec<ChangeRequest>,
}

/// Whether it is asked what changed in Mailchimp before a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Before each try.
    First,
    /// An opt-out that waits for no reading, since one may take long: what is known is enough.
    Not,
}

/// Carries changes out, each until it has an answer. Whoever has none is no harm, unless it shows
/// that it was done all the same: a change that fails again and again is counted once, when it is
/// done.
pub(crate) async fn apply_changes(
    session: &MailchimpSession,
    ctx: &PluginContext,
    requests: Vec<ChangeRequest>,
    look: Look,
) -> Changes {
    let mut changes = Changes {
        done: Vec::new(),
        failure: None,
        left: requests,
    };
    changes.failure = changes.carry_out(session, ctx, look).await.err();
    if changes.failure.is_some() {
        let answered: BTreeSet<i64> = changes
            .done
            .iter()
            .map(|(request, _)| request.supporter_id)
            .collect();
        let done = changes.done_unheard(session).await;
        let left = changes.left.iter().map(|request| request.supporter_id);
        let left: BTreeSet<i64> = left
            .filter(|id| !answered.contains(id) && !done.contains(id))
            .collect();
        if let Err(error) = ctx.give_back(&left).await {
            tracing::debug!(%error, "what was not done stays counted");
        }
    }
    changes
}

impl Changes {
    /// Those whose change Mailchimp shows though it did not answer it; none from the first one on
    /// of whom it tells nothing, either.
    async fn done_unheard(&self, session: &MailchimpSession) -> BTreeSet<i64> {
        let mut done = BTreeSet::new();
        for request in &self.left {
            match request.shown(session).await {
                Ok(member) if request.is_shown(&member) => {
                    done.insert(request.supporter_id);
                }
                Ok(_) | Err(Failure::Missing) => {}
                Err(_) => break,
            }
        }
        done
    }

    async fn carry_out(
        &mut self,
        session: &MailchimpSession,
        ctx: &PluginContext,
        look: Look,
    ) -> Result<(), PluginError> {
        for tries in 0..TRIES {
            if self.left.is_empty() {
                return Ok(());
            }
            ctx.go_on()?;
            ctx.mark();
            // What changed in Mailchimp since is asked before each try, and then, last of all,
            // consent.
            if look == Look::First {
                freshen(session, ctx).await?;
            }
            let ids: Vec<String> = self
                .left
                .iter()
                .filter(|request| request.audience.is_none())
                .map(|request| request.member.clone())
                .collect();
            let members: BTreeMap<String, Member> = ctx
                .members(&ids)
                .await?
                .into_iter()
                .map(|member| (member.remote_id.clone(), member))
                .collect();
            // One row a person, however many of their members it is about.
            let sending: BTreeMap<i64, Sending> = self
                .left
                .iter()
                .map(|request| (request.supporter_id, request.sending()))
                .collect();
            let people = confirm(ctx, &sending.into_values().collect::<Vec<_>>()).await?;
            let Some(failure) = self.try_once(session, &members, &people).await? else {
                continue;
            };
            if tries + 1 == TRIES {
                return Err(failure.into_error("changing a member"));
            }
            tokio::time::sleep(BACKOFF.wait(tries)).await;
        }
        Ok(())
    }

    /// Asks once for each change that still holds. Answers with what passes, if some are to be
    /// tried again.
    async fn try_once(
        &mut self,
        session: &MailchimpSession,
        members: &BTreeMap<String, Member>,
        people: &BTreeMap<i64, Profile>,
    ) -> Result<Option<Failure>, PluginError> {
        let (hold, changed): (Vec<ChangeRequest>, Vec<ChangeRequest>) =
            std::mem::take(&mut self.left)
                .into_iter()
                .partition(|request| {
                    people
                        .get(&request.supporter_id)
                        .is_some_and(|person| request.holds(person) && request.finds(members))
                });
        self.done.extend(
            changed
                .into_iter()
                .map(|request| (request, ChangeResult::Changed)),
        );
        let calls = hold
            .into_iter()
            .map(|request| async move { (request.send(session, members).await, request) });
        let answers: Vec<(Result<WireMember, Failure>, ChangeRequest)> = stream::iter(calls)
            .buffer_unordered(session.api.connections())
            .collect()
            .await;
        let (mut passing, mut end) = (None, None);
        for (answer, request) in answers {
            let result = match answer {
                Ok(member) if request.is_shown(&member) => ChangeResult::Done(member),
                Ok(_) => ChangeResult::NotDone,
                Err(Failure::Missing) => ChangeResult::Missing,
                Err(Failure::Invalid(problem)) => ChangeResult::Refused(problem),
                // An earlier audience may be another account's by now; that ends nothing here.
                Err(Failure::Refused(_) | Failure::Strange(_)) if request.audience.is_some() => {
                    ChangeResult::Closed
                }
                Err(failure) => {
                    self.left.push(request);
                    match failure {
                        Failure::Busy(_) | Failure::Broken(_) => passing = Some(failure),
                        failure => end = Some(failure),
                    }
                    continue;
                }
            };
            self.done.push((request, result));
        }
        match end {
            Some(failure) => Err(failure.into_error("changing a member")),
            None => Ok(passing),
        }
    }
}

/// Looks for a member that is not found before it is believed: Mailchimp shows a new one only after
/// a while.
pub(super) const LOOKUPS: i64 = 3;

/// Once more, after some minutes.
pub(super) fn later(ctx: &PluginContext, minutes: i64, reason: &str) -> Fate {
    Fate::Deferred {
        until: ctx.now() + TimeDelta::minutes(minutes),
        reason: reason.to_owned(),
    }
}
