//! `audit_log`: what a person ordered, and what a stored consent, e-mail or amount was before. Rows
//! are only ever added.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: Time,
    /// `sync`, a plugin's name, or `cli` and `http` for a person.
    pub actor: String,
    /// Absent for what concerns no single organization.
    pub organization_id: Option<i64>,
    /// `supporter.consent_changed`, `org.pause`, ...
    pub action: String,
    /// `supporter:123`
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// More, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub detail: Option<String>,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<super::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
