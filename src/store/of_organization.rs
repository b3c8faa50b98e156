//! Rows of bookkeeping tables with the id that Classy gives their organization: what people see is
//! that, not our row's.

use crate::entities::organization;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, Related, Select,
    SelectModel, Selector,
};

/// A row, and Classy's id of the organization that it is about.
#[derive(FromQueryResult)]
pub(super) struct OfOrganization<M: FromQueryResult> {
    #[sea_orm(nested)]
    pub(super) row: M,
    /// Absent for what concerns no single organization.
    pub(super) classy_id: Option<i64>,
}

/// The rows of a query with their organization, of one organization or of all.
pub(super) fn with_organization<E>(
    rows: Select<E>,
    classy_id: Option<i64>,
) -> Selector<SelectModel<OfOrganization<E::Model>>>
where
    E: EntityTrait + Related<organization::Entity>,
    E::Model: FromQueryResult,
{
    let mut rows = rows
        .join(JoinType::LeftJoin, E::to())
        .column_as(organization::Column::ClassyId, "classy_id");
    if let Some(classy_id) = classy_id {
        rows = rows.filter(organization::Column::ClassyId.eq(classy_id));
    }
    rows.into_model()
}
