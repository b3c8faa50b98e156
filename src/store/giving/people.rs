//! How many people an organization knows, and how many of them may be mailed.

use crate::domain::{Money, Time};
use crate::store::statement::{as_bigint, sql, sum_text};
use crate::store::value::money;
use crate::store::{Error, TenantStore};
use sea_orm::ConnectionTrait;

/// The people of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People {
    /// Supporters that the source shows.
    pub supporters: u64,
    /// Those of them who said yes to e-mail and have an address.
    pub reachable: u64,
    /// What their active plans bring in a month.
    pub monthly: Money,
    /// Those of them with an active plan that brings something.
    pub with_plan: u64,
}

impl TenantStore {
    /// Counts them.
    pub async fn people(&self) -> Result<People, Error> {
        let failed = |error| Error::query("counting supporters", error);
        let count = |condition: &str| {
            let sum = format!("COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)");
            as_bigint(self.backend(), &sum)
        };
        let text = format!(
            "SELECT {} AS supporters, {} AS reachable, {} AS with_plan, {} AS monthly \
             FROM supporters AS s WHERE s.organization_id = $1 AND NOT s.is_stub \
             AND s.absent_since IS NULL",
            as_bigint(self.backend(), "COUNT(*)"),
            count("s.email_opt_in AND s.email_key IS NOT NULL"),
            count("s.monthly_recurring_amount > 0"),
            sum_text(self.backend(), "s.monthly_recurring_amount"),
        );
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), &text, [self.organization_id.into()]))
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        let number = |column: &str| row.try_get::<i64>("", column).map(i64::cast_unsigned);
        Ok(People {
            supporters: number("supporters").map_err(failed)?,
            reachable: number("reachable").map_err(failed)?,
            with_plan: number("with_plan").map_err(failed)?,
            monthly: money(&row, "monthly").map_err(failed)?.unwrap_or_default(),
        })
    }

    /// When a run last brought anything new.
    pub async fn last_change_at(&self) -> Result<Option<Time>, Error> {
        let failed = |error| Error::query("reading the last change", error);
        let text = "SELECT finished_at FROM sync_runs WHERE organization_id = $1 \
                    AND finished_at IS NOT NULL AND inserted + updated + absent > 0 \
                    ORDER BY started_at DESC LIMIT 1";
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, [self.organization_id.into()]))
            .await
            .map_err(failed)?;
        row.map_or(Ok(None), |row| row.try_get("", "finished_at"))
            .map_err(failed)
    }
}
