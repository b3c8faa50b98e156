//! Moments that somebody waits for, kept from clocks that were ahead when they were written:
//! whatever lies further away than anybody plans is due.

use super::PluginKey;
use super::place::OfPlace;
use crate::domain::{Time, limits};
use crate::entities::{plugin_grant, plugin_guard, plugin_harm};
use crate::store::{Error, TenantStore};
use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};

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
        let approved = limits::later(now, APPROVAL);
        self.bound::<plugin_harm::Entity>(key, plugin_harm::Column::At, now)
            .await?;
        self.bound::<plugin_grant::Entity>(key, plugin_grant::Column::ExpiresAt, approved)
            .await?;
        self.bound::<plugin_guard::Entity>(key, plugin_guard::Column::FirstPushUntil, approved)
            .await
    }

    /// No moment of a column is later than this one.
    async fn bound<E: OfPlace>(
        &self,
        key: &PluginKey,
        column: E::Column,
        latest: Time,
    ) -> Result<(), Error> {
        E::update_many()
            .col_expr(column, Expr::value(latest))
            .filter(self.here::<E>(key))
            .filter(column.gt(latest))
            .exec(self.connection())
            .await
            .map(drop)
            .map_err(|error| Error::query("bounding what the guard knows", error))
    }
}
