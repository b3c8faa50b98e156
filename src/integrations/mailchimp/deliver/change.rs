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
use crate::integrations::mailchimp::mirror::session::Desk;
use crate::integrations::mailchimp::mirror::status::{is_mailed, is_out};
use crate::plugin::{PluginContext, PluginError, Sending};
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

/// What is ordered.
#[derive(Clone)]
pub(crate) enum What {
    /// Consent was withdrawn. `even_if_consented`: not at Classy, but in Mailchimp, under another
    /// address or in another audience.
    Unsubscribe { even_if_consented: bool },
    /// To the address of the order.
    Move,
    /// Permissions by id.
    Permit(Vec<String>),
}

/// One change of one member.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) supporter_id: i64,
    /// The present address, if there is one.
    pub(crate) address: Option<Address>,
    /// Which audience it is in, if it is an earlier one.
    pub(crate) audience: Option<String>,
    /// The member's id.
    pub(crate) member: String,
    /// What Mailchimp calls the contact whatever its address is.
    pub(crate) contact: Option<String>,
    pub(crate) what: What,
}

/// What became of it.
pub(crate) enum Said {
    Done(WireMember),
    /// There is no such member.
    Missing,
    Refused(Problem),
    /// Mailchimp answered as if it were done, and shows the member as it was: nothing happened.
    NotDone,
    /// The earlier audience that it is in lets us in no more.
    Closed,
    /// The person is not any more as they were when it was ordered; nothing was sent.
    Changed,
}

impl Order {
    fn sending(&self) -> Sending {
        let intent = match self.what {
            What::Unsubscribe { .. } => Step::Unsubscribe,
            What::Move => Step::Move,
            // Part of adding: what is cut off here is taken up as an addition.
            What::Permit(_) => Step::Add,
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
        matches!(self.what, What::Unsubscribe { .. })
            || members
                .get(&self.member)
                .is_some_and(|member| !is_out(member))
    }

    /// Whether it is still right.
    fn holds(&self, person: &Profile) -> bool {
        match self.what {
            What::Unsubscribe { even_if_consented } => {
                even_if_consented && person.address == self.address
                    || person
                        .consented()
                        .is_none_or(|address| hash_of(address) != self.member)
            }
            What::Move | What::Permit(_) => person.consented() == self.address.as_ref(),
        }
    }

    /// Another name of the member, for when there is none under its id: very old members have ids
    /// that their address does not give, and a word of no is for the contact under whatever
    /// address.
    fn other_name(&self) -> Option<&str> {
        self.contact
            .as_deref()
            .filter(|_| matches!(self.what, What::Unsubscribe { .. }))
    }

    /// Whether an answer shows what was ordered. One that does not is no success, whatever its
    /// status.
    fn is_shown(&self, wire: &WireMember) -> bool {
        match self.what {
            What::Unsubscribe { .. } => !is_mailed(&wire.status),
            What::Move => Address::parse(&wire.email_address) == self.address,
            What::Permit(_) => true,
        }
    }

    fn patch(&self) -> Option<Patch> {
        Some(match &self.what {
            What::Unsubscribe { .. } => Patch::Unsubscribe {
                status: Unsubscribed::Unsubscribed,
            },
            What::Move => Patch::Move {
                email_address: self.address.as_ref()?.as_str().to_owned(),
            },
            What::Permit(ids) => {
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

/// Carries orders out, each until it has an answer.
pub(crate) async fn carry_out(
    desk: &Desk,
    ctx: &PluginContext,
    orders: Vec<Order>,
) -> Result<Vec<(Order, Said)>, PluginError> {
    let (mut pending, mut done) = (orders, Vec::new());
    for tries in 0..TRIES {
        if pending.is_empty() {
            return Ok(done);
        }
        ctx.go_on()?;
        ctx.mark();
        // What changed in Mailchimp since is asked before each try, and then, last of all, consent.
        freshen(desk, ctx).await?;
        let ids: Vec<String> = pending
            .iter()
            .filter(|order| order.audience.is_none())
            .map(|order| order.member.clone())
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
            .map(|order| (order.supporter_id, order.sending()))
            .collect();
        let people = confirm(ctx, &sending.into_values().collect::<Vec<_>>()).await?;
        let (hold, changed): (Vec<Order>, Vec<Order>) = pending.into_iter().partition(|order| {
            people
                .get(&order.supporter_id)
                .is_some_and(|person| order.holds(person) && order.finds(&members))
        });
        done.extend(changed.into_iter().map(|order| (order, Said::Changed)));
        let calls = hold.into_iter().map(|order| async move {
            let api = order
                .audience
                .as_deref()
                .map_or_else(|| desk.api.clone(), |audience| desk.api.of(audience));
            let said = match order.patch() {
                Some(patch) => match (api.patch(&order.member, &patch).await, order.other_name()) {
                    (Err(Failure::Missing), Some(name)) => api.patch(name, &patch).await,
                    (answer, _) => answer,
                },
                None => Err(Failure::Missing),
            };
            (order, said)
        });
        let answers: Vec<(Order, Result<WireMember, Failure>)> = stream::iter(calls)
            .buffer_unordered(desk.api.connections())
            .collect()
            .await;
        pending = Vec::new();
        let mut trouble = None;
        for (order, answer) in answers {
            match answer {
                Ok(member) if order.is_shown(&member) => done.push((order, Said::Done(member))),
                Ok(_) => done.push((order, Said::NotDone)),
                Err(Failure::Missing) => done.push((order, Said::Missing)),
                Err(Failure::Invalid(problem)) => done.push((order, Said::Refused(problem))),
                Err(failure @ Failure::Busy(_)) => {
                    pending.push(order);
                    trouble = Some(failure);
                }
                // An earlier audience may be another account's by now; that ends nothing here.
                Err(Failure::Refused(_) | Failure::Strange(_)) if order.audience.is_some() => {
                    done.push((order, Said::Closed))
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
pub(super) const LOOKS: i64 = 3;

/// Once more, after some minutes.
pub(super) fn later(ctx: &PluginContext, minutes: i64, reason: &str) -> Fate {
    Fate::Deferred {
        until: ctx.now() + TimeDelta::minutes(minutes),
        reason: reason.to_owned(),
    }
}
