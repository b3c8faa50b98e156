//! Records that could not be stored, as people look at them.

use super::of_organization::{OfOrganization, with_organization};
use super::{Error, Store};
use crate::domain::Time;
use crate::entities::reject;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// One row of `rejects`, as read.
#[derive(Debug, Clone)]
pub struct RejectRow {
    /// Classy's id of the organization.
    pub classy_id: i64,
    /// The table of the record, such as `supporters`.
    pub entity: String,
    /// Classy's id of the record; 0 when it could not be read.
    pub source_id: i64,
    /// The kind of fault.
    pub reason: String,
    /// Field and expectation, without the value.
    pub detail: String,
    /// First met.
    pub first_seen_at: Time,
    /// Last met.
    pub last_seen_at: Time,
    /// A good version came.
    pub resolved_at: Option<Time>,
}

impl Store {
    /// The rejects of one organization or of all, latest first; without `all` only the open ones.
    pub async fn rejects(
        &self,
        classy_id: Option<i64>,
        all: bool,
        limit: u64,
    ) -> Result<Vec<RejectRow>, Error> {
        let mut rows = reject::Entity::find();
        if !all {
            rows = rows.filter(reject::Column::ResolvedAt.is_null());
        }
        let rows = rows
            .order_by_desc(reject::Column::LastSeenAt)
            .order_by_asc(reject::Column::SourceId)
            .limit(limit);
        let rows = with_organization(rows, classy_id)
            .all(self.connection())
            .await
            .map_err(|error| Error::query("reading rejects", error))?;
        let row = |OfOrganization { row, classy_id }: OfOrganization<reject::Model>| RejectRow {
            classy_id: classy_id.unwrap_or_default(),
            entity: row.entity,
            source_id: row.source_id,
            reason: row.reason,
            detail: row.detail.unwrap_or_default(),
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            resolved_at: row.resolved_at,
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
