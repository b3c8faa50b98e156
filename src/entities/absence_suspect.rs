//! `absence_suspects`: a row that a pass did not meet, until it is sure whether it is gone.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "absence_suspects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub entity: String,
    /// Classy's id of the record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: i64,
    /// Why nobody could say; absent until somebody asked.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Since when nobody can say.
    pub since: Option<Time>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
