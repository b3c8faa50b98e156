//! Moments that somebody waits for, kept from clocks that were ahead when they were written:
//! whatever lies further away than anybody plans is due.

use super::PluginKey;
use crate::domain::{Time, limits};
use crate::store::statement::{quoted, sql};
use crate::store::{Error, TenantStore};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

/// No delivery takes longer.
const DELIVERY: TimeDelta = TimeDelta::days(1);
/// Nobody is put off for longer: the last of the tries with growing gaps comes after 64 hours.
const DEFERRAL: TimeDelta = TimeDelta::days(4);
/// Nobody is to be looked at again later: the longest state of engagement is two years.
const REVIEW: TimeDelta = TimeDelta::days(735);

/// No approval is good for longer.
const APPROVAL: TimeDelta = TimeDelta::hours(24);

/// Conditions on the ledger, each with the moment behind it, for what nobody can have planned.
pub(super) fn unplanned(now: Time) -> [(&'static str, Option<Time>); 3] {
    [
        (
            "state = 'held' AND updated_at > ",
            Some(limits::later(now, DELIVERY)),
        ),
        ("next_attempt_at > ", Some(limits::later(now, DEFERRAL))),
        ("review_at > ", Some(limits::later(now, REVIEW))),
    ]
}

impl TenantStore {
    /// What was written down while the clock was ahead counts from now on: harm holds nobody for
    /// longer than it is counted, and an approval is good for no longer than a day, from here.
    pub async fn bound_guard(&self, key: &PluginKey, now: Time) -> Result<(), Error> {
        let at = quoted(self.backend(), "at");
        let approved = limits::later(now, APPROVAL);
        for (table, column, latest) in [
            ("plugin_harms", at.as_str(), now),
            ("plugin_grants", "expires_at", approved),
            ("plugin_guards", "first_push_until", approved),
        ] {
            let text = format!(
                "UPDATE {table} SET {column} = $1 WHERE organization_id = $2 AND plugin = $3 AND destination = $4 AND {column} > $5"
            );
            let of = [
                self.organization_id.into(),
                key.plugin.as_str().into(),
                key.destination.as_str().into(),
            ];
            let values = std::iter::once(latest.into())
                .chain(of)
                .chain([latest.into()]);
            let done = self
                .connection()
                .execute_raw(sql(self.backend(), &text, values))
                .await;
            done.map_err(|error| Error::query("bounding what the guard knows", error))?;
        }
        Ok(())
    }
}
