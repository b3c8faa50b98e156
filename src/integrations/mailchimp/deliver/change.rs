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
use std::collections::BTreeMap;

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

/// Carries changes out, each until it has an answer.
pub(crate) async fn apply_changes(
    session: &MailchimpSession,
    ctx: &PluginContext,
    requests: Vec<ChangeRequest>,
) -> Result<Vec<(ChangeRequest, ChangeResult)>, PluginError> {
    let (mut pending, mut done) = (requests, Vec::new());
    for tries in 0..TRIES {
        if pending.is_empty() {
            return Ok(done);
        }
        ctx.go_on()?;
        ctx.mark();
        // What changed in Mailchimp since is asked before each try, and then, last of all, consent.
        freshen(session, ctx).await?;
        let ids: Vec<String> = pending
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
        let sending: BTreeMap<i64, Sending> = pending
            .iter()
            .map(|request| (request.supporter_id, request.sending()))
            .collect();
        let people = confirm(ctx, &sending.into_values().collect::<Vec<_>>()).await?;
        let (hold, changed): (Vec<ChangeRequest>, Vec<ChangeRequest>) =
            pending.into_iter().partition(|request| {
                people
                    .get(&request.supporter_id)
                    .is_some_and(|person| request.holds(person) && request.finds(&members))
            });
        done.extend(
            changed
                .into_iter()
                .map(|request| (request, ChangeResult::Changed)),
        );
        let calls = hold.into_iter().map(|request| async move {
            let api = request
                .audience
                .as_deref()
                .map_or_else(|| session.api.clone(), |audience| session.api.of(audience));
            let result = match request.patch() {
                Some(patch) => match (
                    api.patch(&request.member, &patch).await,
                    request.other_name(),
                ) {
                    (Err(Failure::Missing), Some(name)) => api.patch(name, &patch).await,
                    (answer, _) => answer,
                },
                None => Err(Failure::Missing),
            };
            (request, result)
        });
        let answers: Vec<(ChangeRequest, Result<WireMember, Failure>)> = stream::iter(calls)
            .buffer_unordered(session.api.connections())
            .collect()
            .await;
        pending = Vec::new();
        let mut trouble = None;
        for (request, answer) in answers {
            let answer = match answer {
                Ok(member) if request.is_doubtful(&member, &members) => {
                    session.api.member(&request.member).await
                }
                answer => answer,
            };
            match answer {
                Ok(member) if request.is_shown(&member) => {
                    done.push((request, ChangeResult::Done(member)))
                }
                Ok(_) => done.push((request, ChangeResult::NotDone)),
                Err(Failure::Missing) => done.push((request, ChangeResult::Missing)),
                Err(Failure::Invalid(problem)) => {
                    done.push((request, ChangeResult::Refused(problem)))
                }
                Err(failure @ Failure::Busy(_)) => {
                    pending.push(request);
                    trouble = Some(failure);
                }
                // An earlier audience may be another account's by now; that ends nothing here.
                Err(Failure::Refused(_) | Failure::Strange(_)) if request.audience.is_some() => {
                    done.push((request, ChangeResult::Closed))
                }
                Err(failure) => return Err(failure.into_error("changing a member")),
            }
        }
        if let Some(failure) = trouble {
            if tries + 1 == TRIES {
                return Err(failure.into_error("changing a member"));
            }
            tokio::time::sleep(BACKOFF.wait(tries)).await;
        }
    }
    Ok(done)
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
