//! The change feed's counter: one number a changed supporter, in commit order.

use super::Error;
use super::page::Step;
use super::statement::sql;
use sea_orm::ConnectionTrait;

/// Takes the next `count` numbers of the organization and returns the first.
pub(super) async fn reserve(step: &Step<'_>, count: usize) -> Result<i64, Error> {
    let count = count as i64;
    let failed = |error| Error::query("counting changes", error);
    let id = || step.organization_id.into();
    let text = "UPDATE organizations SET change_seq = change_seq + $1 WHERE id = $2";
    step.tx.execute_raw(sql(step.backend, text, [count.into(), id()])).await.map_err(failed)?;
    let text = "SELECT change_seq FROM organizations WHERE id = $1";
    let row = step.tx.query_one_raw(sql(step.backend, text, [id()])).await.map_err(failed)?;
    let last: i64 = row.ok_or(Error::NoOrganization)?.try_get("", "change_seq").map_err(failed)?;
    Ok(last - count + 1)
}
