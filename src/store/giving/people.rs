//! How many people an organization knows, and how many of them may be mailed.

use crate::domain::{Money, Time};
use crate::store::amount::Amount;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore, tuple};
use sea_orm::FromQueryResult;

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

#[derive(FromQueryResult)]
struct Counts {
    supporters: i64,
    reachable: i64,
    with_plan: i64,
    monthly: Option<Amount>,
}

impl TenantStore {
    /// Counts them.
    pub async fn people(&self) -> Result<People, Error> {
        let failed = |error| Error::query("counting supporters", error);
        let count = |condition: &str| {
            let sum = format!("COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)");
            self.dialect().as_bigint(&sum)
        };
        let text = format!(
            "SELECT {} AS supporters, {} AS reachable, {} AS with_plan, {} AS monthly \
             FROM supporters AS s WHERE s.organization_id = $1 AND NOT s.is_stub \
             AND s.absent_since IS NULL",
            self.dialect().as_bigint("COUNT(*)"),
            count("s.email_opt_in AND s.email_key IS NOT NULL"),
            count("s.monthly_recurring_amount > 0"),
            self.dialect().sum_text("s.monthly_recurring_amount"),
        );
        let statement = sql(self.dialect(), &text, [self.organization_id.into()]);
        let counts = Counts::find_by_statement(statement)
            .one(self.connection())
            .await
            .map_err(failed)?
            .ok_or(Error::NoOrganization)?;
        Ok(People {
            supporters: counts.supporters.cast_unsigned(),
            reachable: counts.reachable.cast_unsigned(),
            with_plan: counts.with_plan.cast_unsigned(),
            monthly: counts.monthly.map(Money::from).unwrap_or_default(),
        })
    }

    /// When a run last brought anything new.
    pub async fn last_change_at(&self) -> Result<Option<Time>, Error> {
        let failed = |error| Error::query("reading the last change", error);
        let text = "SELECT finished_at FROM sync_runs WHERE organization_id = $1 \
                    AND finished_at IS NOT NULL AND inserted + updated + absent > 0 \
                    ORDER BY started_at DESC LIMIT 1";
        let statement = sql(self.dialect(), text, [self.organization_id.into()]);
        tuple::one(self.connection(), statement)
            .await
            .map_err(failed)
    }
}
