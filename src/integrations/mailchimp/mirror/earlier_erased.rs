//! Whoever is gone from an earlier audience without a word: erased there, unless staff gave the
//! audience up.

use super::member::{contact_of, hash, observed_member};
use super::session::MailchimpSession;
use super::status::{erased, has_left, is_live, is_out_word, why_out};
use crate::domain::{Member, Why};
use crate::integrations::fingerprint;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::api::client::Failure;
use crate::plugin::{Leaving, PluginContext, PluginError};
use std::collections::HashSet;

/// Members in one look at the mirror.
const MEMBERS: u64 = 1_000;

/// Contacts that an audience shows: fingerprints of their ids and of what Mailchimp calls them
/// whatever their address is.
#[derive(Default)]
pub(super) struct Contacts(HashSet<i64>);

impl Contacts {
    pub(super) fn note(&mut self, members: &[WireMember]) {
        for member in members {
            self.0
                .insert(fingerprint(hash(&member.email_address).as_bytes()));
            self.0
                .extend(contact_of(member).map(|contact| fingerprint(contact.as_bytes())));
        }
    }

    fn has(&self, member: &Member) -> bool {
        let is_shown = |name: &String| self.0.contains(&fingerprint(name.as_bytes()));
        is_shown(&member.remote_id) || member.contact_id.as_ref().is_some_and(is_shown)
    }
}

/// So many may go from an audience at once without its being given up.
const FEW: u64 = 20;

/// Whether staff gave an audience up: far more of ours are gone from its list than leave by
/// themselves.
pub(super) async fn is_given_up(
    there: &PluginContext,
    shown: &Contacts,
) -> Result<bool, PluginError> {
    let (mut ours, mut lost, mut after) = (0_u64, 0_u64, String::new());
    loop {
        let members = there.members_after(&after, MEMBERS).await?;
        let Some(last) = members.last() else {
            return Ok(lost > FEW && 2 * lost > ours);
        };
        after.clone_from(&last.remote_id);
        for member in members
            .iter()
            .filter(|member| member.subscribed_by_us && is_live(member))
        {
            ours += 1;
            lost += u64::from(!shown.has(member));
        }
    }
}

/// Whoever we subscribed and who is in no list any more was erased there, which is a word of the
/// person. Whoever was asked to confirm may have been dropped for not answering.
pub(super) async fn find_erased(
    session: &MailchimpSession,
    ctx: &PluginContext,
    (api, there): (&Api, &PluginContext),
    audience: &str,
    shown: &Contacts,
) -> Result<(), PluginError> {
    let mut after = String::new();
    loop {
        let members = there.members_after(&after, MEMBERS).await?;
        let Some(last) = members.last() else {
            return Ok(());
        };
        after.clone_from(&last.remote_id);
        let is_lost = |member: &&Member| {
            member.subscribed_by_us
                && is_live(member)
                && member.remote_status != "pending"
                && !shown.has(member)
        };
        for member in members.iter().filter(is_lost) {
            ctx.go_on()?;
            let left = match api.member(&member.remote_id).await {
                Err(Failure::Missing) => None,
                // Left, though no list shows it.
                Ok(wire) if is_out_word(&wire.status) => Some(observed_member(
                    &wire,
                    Some(member),
                    &session.managed(),
                    ctx.now(),
                )),
                Ok(_) => continue,
                Err(failure) => {
                    return Err(failure.into_error("looking for somebody in an earlier audience"));
                }
            };
            if let Some(supporter_id) = member.supporter_id {
                let why = in_earlier(left.as_ref().map_or_else(erased, why_out), audience);
                let person = Some(supporter_id).filter(|_| left.as_ref().is_none_or(has_left));
                ctx.suppress(&[Leaving {
                    remote_id: member.remote_id.clone(),
                    supporter_id: person,
                    why,
                }])
                .await?;
                ctx.make_due(&[supporter_id]).await?;
            }
            match left {
                Some(left) => there.save_members(&[left], &[]).await?,
                None => {
                    there
                        .forget_members(std::slice::from_ref(&member.remote_id))
                        .await?
                }
            }
        }
    }
}

/// The same, said of the audience in which they left.
pub(super) fn in_earlier(why: Why, audience: &str) -> Why {
    Why {
        reason: format!("{} (in the earlier audience {audience})", why.reason),
        ..why
    }
}
