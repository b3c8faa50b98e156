//! A list that shows nobody, or lacks somebody whom it showed before, is held against what is known
//! before it is believed: such an answer is well-formed, and says that nobody left.

use super::audience::Setup;
use super::listing::Walk;
use super::status::{ARCHIVED, LISTED, listed};
use crate::domain::Time;
use crate::integrations::mailchimp::api::answers::WireMember;
use crate::integrations::mailchimp::api::calls::Api;
use crate::integrations::mailchimp::api::client::Failure;
use crate::plugin::{PluginContext, PluginError};
use chrono::TimeDelta;
use std::collections::HashSet;

/// So many of those who were in a list before are looked for in it.
const WITNESSES: u64 = 3;

/// A list is read from somebody on who is in it for certain, as long as no more than these come
/// with them.
const MOST_WITH_ONE: u64 = 50;

/// Lists that were read in one look, each with those whom it showed.
#[derive(Default)]
pub(crate) struct ShownLists(Vec<List>);

struct List {
    statuses: Vec<&'static str>,
    since: Option<Time>,
    ids: HashSet<String>,
}

/// What became of those who were in a list before and are not shown in it.
#[derive(Default)]
pub(crate) struct Missed {
    /// Somebody who is in it still, when asked for singly: the list did not tell the truth.
    pub(crate) is_contradicted: bool,
    /// Those who are somewhere else by now.
    pub(crate) elsewhere: Vec<WireMember>,
}

impl ShownLists {
    /// Whom a list showed that was read to its end.
    pub(crate) fn note(&mut self, status: Option<&'static str>, since: Option<Time>, walk: &Walk) {
        let statuses = status.map_or_else(|| LISTED.to_vec(), |status| vec![status]);
        self.0.extend(walk.shown().map(|ids| List {
            statuses,
            since,
            ids: ids.clone(),
        }));
    }

    /// Asks singly for those who were in these lists before and are not shown; `until`: whoever
    /// changed later may not have been in a list yet, since our own writing is known before it is
    /// shown. Of whoever is found nowhere nothing follows: a contact may have been erased.
    pub(crate) async fn missed(
        &self,
        api: &Api,
        ctx: &PluginContext,
        until: Option<Time>,
    ) -> Result<Missed, PluginError> {
        let mut missed = Missed::default();
        for list in &self.0 {
            let until = until.filter(|_| list.statuses != [ARCHIVED]);
            let before = ctx
                .latest_members(&list.statuses, (list.since, until), WITNESSES)
                .await?;
            for member in before
                .iter()
                .filter(|member| !list.ids.contains(&member.remote_id))
            {
                ctx.go_on()?;
                match api.member(&member.remote_id).await {
                    Err(Failure::Missing) => {}
                    Ok(there) if list.statuses.contains(&there.status.as_str()) => {
                        missed.is_contradicted = true
                    }
                    Ok(there) => missed.elsewhere.push(there),
                    Err(failure) => {
                        return Err(
                            failure.into_error("looking for somebody whom a list shows no more")
                        );
                    }
                }
            }
        }
        Ok(missed)
    }
}

/// Whether the audience's own numbers, which were asked for right before, leave nobody who could be
/// in a list that shows nobody.
pub(crate) async fn is_counted(
    ctx: &PluginContext,
    setup: &Setup,
    status: Option<&str>,
) -> Result<bool, PluginError> {
    let known = ctx.member_counts(None).await?;
    let of = |status: &str| known.get(status).copied().unwrap_or_default();
    let is_known =
        |status: &str, counted: Option<u64>| counted.is_some_and(|counted| counted <= of(status));
    Ok(match status {
        None if setup.contact_count == 0 => listed(&known) == 0,
        None => {
            setup.member_count == of("subscribed")
                && is_known("unsubscribed", setup.unsubscribed_count)
                && is_known("cleaned", setup.cleaned_count)
        }
        Some("unsubscribed") => is_known("unsubscribed", setup.unsubscribed_count),
        Some("cleaned") => is_known("cleaned", setup.cleaned_count),
        // Whoever is archived is counted nowhere, and lacks among those who are subscribed.
        Some(_) => setup.member_count >= of("subscribed"),
    })
}

/// From when on the list of archived contacts is read: so early that it has to show somebody, if
/// anybody is known to be archived.
pub(crate) async fn since_archived(
    ctx: &PluginContext,
    since: Option<Time>,
) -> Result<Option<Time>, PluginError> {
    let Some(since) = since else { return Ok(None) };
    let latest = ctx
        .latest_members(&[ARCHIVED], (None, None), 1)
        .await?
        .pop()
        .and_then(|member| member.last_seen_at);
    let Some(before) = latest
        .map(|at| at - TimeDelta::seconds(1))
        .filter(|before| *before < since)
    else {
        return Ok(Some(since));
    };
    let with_them = ctx
        .member_counts(Some(before))
        .await?
        .get(ARCHIVED)
        .copied()
        .unwrap_or_default();
    Ok(Some(if with_them <= MOST_WITH_ONE {
        before
    } else {
        since
    }))
}
