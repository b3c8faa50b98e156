//! The calls that are made. There is none that deletes anything but our own webhook, replaces a
//! tag's holders, or gives a member a status other than `unsubscribed`.

use super::answers::{
    BatchAnswer, MemberPage, SegmentAnswer, WireField, WireFields, WireList, WireMember,
    WirePermission, WireSegments,
};
use super::client::{Client, Failure, Request, Verb};
use super::requests::{Batch, Item, NewField, Patch, TagChange};
use crate::domain::Time;
use crate::integrations::mailchimp::settings::Settings;
use crate::net::Backoff;
use crate::plugin::PluginError;
use chrono::SecondsFormat;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Most of a collection in one answer.
pub(crate) const PAGE: u64 = 1_000;

/// Tries of one call.
pub(crate) const TRIES: u32 = 6;

/// Between tries.
pub(crate) const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(500),
    cap: Duration::from_secs(20),
};

/// One audience.
#[derive(Clone)]
pub(crate) struct Api {
    client: Arc<Client>,
    audience: String,
}

fn body(value: &impl Serialize) -> Result<Option<Vec<u8>>, Failure> {
    serde_json::to_vec(value)
        .map(Some)
        .map_err(|error| Failure::Strange(format!("a body that is no JSON: {error}")))
}

/// An answer about one member that names nobody is one that did not arrive.
fn identified(member: WireMember) -> Result<WireMember, Failure> {
    if member.is_identified() {
        Ok(member)
    } else {
        Err(Failure::Busy(
            "an answer that does not say whose it is".to_owned(),
        ))
    }
}

impl Api {
    pub(crate) fn new(settings: &Settings) -> Result<Api, PluginError> {
        Ok(Api {
            client: Arc::new(Client::new(settings)?),
            audience: settings.audience_id.clone(),
        })
    }

    /// The same way to another audience.
    pub(crate) fn of(&self, audience: &str) -> Api {
        Api {
            client: Arc::clone(&self.client),
            audience: audience.to_owned(),
        }
    }

    /// The audience's id.
    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    /// How many calls may be under way at once.
    pub(crate) fn connections(&self) -> usize {
        self.client.connections()
    }

    /// Asks once. An answer that cannot be read is one that did not arrive.
    async fn once<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<(T, Option<Time>), Failure> {
        let answer = self.client.send(request).await?;
        let value = serde_json::from_slice(&answer.body);
        Ok((
            value.map_err(|_| Failure::Busy("an answer that cannot be read".to_owned()))?,
            answer.date,
        ))
    }

    /// Asks until there is an answer; only what may be asked again without a thought.
    async fn patiently<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<(T, Option<Time>), Failure> {
        let mut tries = 0;
        loop {
            match self.once(request).await {
                Err(Failure::Busy(_) | Failure::Broken(_)) if tries + 1 < TRIES => {
                    tokio::time::sleep(BACKOFF.wait(tries)).await
                }
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Vec<(&'static str, String)>,
    ) -> Result<(T, Option<Time>), Failure> {
        self.patiently(&Request {
            verb: Verb::Get,
            path,
            query,
            body: None,
        })
        .await
    }

    /// Whether it answers and takes the key; asked once.
    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        self.once::<IgnoredAny>(&Request {
            verb: Verb::Get,
            path: &["ping"],
            query: Vec::new(),
            body: None,
        })
        .await
        .map(drop)
    }

    /// How the audience is set up.
    pub(crate) async fn list(&self) -> Result<WireList, Failure> {
        let fields = "id,double_optin,marketing_permissions,stats.member_count,stats.unsubscribe_count,stats.cleaned_count".to_owned();
        Ok(self
            .get(&["lists", &self.audience], vec![("fields", fields)])
            .await?
            .0)
    }

    /// A page of members, the longest unchanged first, with Mailchimp's clock. Without a status:
    /// all but the archived ones.
    pub(crate) async fn members(
        &self,
        status: Option<&'static str>,
        since: Option<Time>,
        offset: u64,
    ) -> Result<(MemberPage, Option<Time>), Failure> {
        let names = [
            "email_address",
            "contact_id",
            "status",
            "unsubscribe_reason",
            "last_changed",
            "tags",
            "tags_count",
            "merge_fields",
        ];
        let fields = names.map(|name| format!("members.{name}")).join(",") + ",total_items";
        let mut query = vec![
            ("count", PAGE.to_string()),
            ("offset", offset.to_string()),
            ("sort_field", "last_changed".to_owned()),
            ("sort_dir", "ASC".to_owned()),
            ("fields", fields),
        ];
        query.extend(status.map(|status| ("status", status.to_owned())));
        query.extend(since.map(|since| {
            (
                "since_last_changed",
                since.to_rfc3339_opts(SecondsFormat::Secs, false),
            )
        }));
        let (page, date): (MemberPage, Option<Time>) = self
            .get(&["lists", &self.audience, "members"], query)
            .await?;
        // Who is shown without a status would be taken for somebody who is not in.
        if page.members.iter().any(|member| !member.is_identified()) {
            return Err(Failure::Busy(
                "a list of members that does not say who they are, or in what state".to_owned(),
            ));
        }
        Ok((page, date))
    }

    /// The permissions of an audience, as any one member shows them; none when there is no member.
    pub(crate) async fn permissions(&self) -> Result<Vec<WirePermission>, Failure> {
        let query = vec![
            ("count", "1".to_owned()),
            (
                "fields",
                "members.email_address,members.status,members.marketing_permissions,total_items"
                    .to_owned(),
            ),
        ];
        let page: MemberPage = self
            .get(&["lists", &self.audience, "members"], query)
            .await?
            .0;
        Ok(page
            .members
            .into_iter()
            .next()
            .map(|member| member.marketing_permissions)
            .unwrap_or_default())
    }

    /// One member.
    pub(crate) async fn member(&self, id: &str) -> Result<WireMember, Failure> {
        identified(
            self.get(&["lists", &self.audience, "members", id], Vec::new())
                .await?
                .0,
        )
    }

    /// The merge fields.
    pub(crate) async fn fields(&self) -> Result<WireFields, Failure> {
        let fields = "merge_fields.tag,merge_fields.type,total_items".to_owned();
        let query = vec![("count", PAGE.to_string()), ("fields", fields)];
        Ok(self
            .get(&["lists", &self.audience, "merge-fields"], query)
            .await?
            .0)
    }

    /// Makes a merge field. The tag that comes back is the one it has.
    pub(crate) async fn make_field(&self, field: &NewField) -> Result<WireField, Failure> {
        let path = ["lists", &self.audience, "merge-fields"];
        Ok(self
            .patiently(&Request {
                verb: Verb::Post,
                path: &path,
                query: Vec::new(),
                body: body(field)?,
            })
            .await?
            .0)
    }

    /// The tags.
    pub(crate) async fn segments(&self, offset: u64) -> Result<WireSegments, Failure> {
        let fields = "segments.id,segments.name,total_items".to_owned();
        let query = vec![
            ("type", "static".to_owned()),
            ("count", PAGE.to_string()),
            ("offset", offset.to_string()),
            ("fields", fields),
        ];
        Ok(self
            .get(&["lists", &self.audience, "segments"], query)
            .await?
            .0)
    }

    /// Adds and changes up to 500 people; asked once, since consent is read again before each try.
    pub(crate) async fn subscribe(&self, members: &[Item]) -> Result<BatchAnswer, Failure> {
        let query = vec![("skip_merge_validation", "true".to_owned())];
        let body = body(&Batch {
            members,
            update_existing: true,
        })?;
        Ok(self
            .once(&Request {
                verb: Verb::Post,
                path: &["lists", &self.audience],
                query,
                body,
            })
            .await?
            .0)
    }

    /// Changes one member; asked once, as above.
    pub(crate) async fn patch(&self, id: &str, patch: &Patch) -> Result<WireMember, Failure> {
        let path = ["lists", &self.audience, "members", id];
        let query = vec![("skip_merge_validation", "true".to_owned())];
        let verb = match patch {
            Patch::Unsubscribe { .. } => Verb::OptOut,
            _ => Verb::Patch,
        };
        identified(
            self.once(&Request {
                verb,
                path: &path,
                query,
                body: body(patch)?,
            })
            .await?
            .0,
        )
    }

    /// Takes one tag off up to 500 people.
    pub(crate) async fn remove_tag(
        &self,
        segment: u64,
        addresses: &[&str],
    ) -> Result<SegmentAnswer, Failure> {
        let path = ["lists", &self.audience, "segments", &segment.to_string()];
        let body = body(&json!({ "members_to_remove": addresses }))?;
        Ok(self
            .patiently(&Request {
                verb: Verb::Post,
                path: &path,
                query: Vec::new(),
                body,
            })
            .await?
            .0)
    }

    /// The webhooks.
    pub(crate) async fn webhooks<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(self
            .get(&["lists", &self.audience, "webhooks"], Vec::new())
            .await?
            .0)
    }

    /// Makes a webhook; asked once, since a second one for the same address is refused.
    pub(crate) async fn make_webhook<T: DeserializeOwned>(
        &self,
        webhook: &impl Serialize,
    ) -> Result<T, Failure> {
        let path = ["lists", &self.audience, "webhooks"];
        Ok(self
            .once(&Request {
                verb: Verb::Post,
                path: &path,
                query: Vec::new(),
                body: body(webhook)?,
            })
            .await?
            .0)
    }

    /// Deletes a webhook.
    pub(crate) async fn drop_webhook(&self, id: &str) -> Result<(), Failure> {
        let path = ["lists", &self.audience, "webhooks", id];
        self.client
            .send(&Request {
                verb: Verb::Delete,
                path: &path,
                query: Vec::new(),
                body: None,
            })
            .await
            .map(drop)
    }

    /// Takes tags off one member, or puts them on.
    pub(crate) async fn tag(&self, id: &str, change: &TagChange) -> Result<(), Failure> {
        let path = ["lists", &self.audience, "members", id, "tags"];
        let request = Request {
            verb: Verb::Post,
            path: &path,
            query: Vec::new(),
            body: body(change)?,
        };
        let mut tries = 0;
        loop {
            match self.client.send(&request).await {
                Err(Failure::Busy(_) | Failure::Broken(_)) if tries + 1 < TRIES => {
                    tokio::time::sleep(BACKOFF.wait(tries)).await
                }
                outcome => return outcome.map(drop),
            }
            tries += 1;
        }
    }
}
