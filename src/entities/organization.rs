//! `organizations`: who is synced.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    /// What other tables call `organization_id`.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Classy's id: what files, paths and people call it.
    #[sea_orm(unique)]
    pub classy_id: i64,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// `active`, `paused` or `suspended`.
    pub status: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub status_reason: Option<String>,
    /// Sealed by the vault for this organization alone.
    #[sea_orm(column_type = "Text", nullable)]
    pub credentials_encrypted: Option<String>,
    /// IANA name.
    #[sea_orm(column_type = "Text", nullable)]
    pub timezone: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub currency_code: Option<String>,
    /// The month with which fiscal years begin: 1 to 12.
    pub fiscal_year_starts: i64,
    /// The last number of the change feed that was given out.
    pub change_seq: i64,
    /// The daemon and folder that last applied its file.
    #[sea_orm(column_type = "Text", nullable)]
    pub applied_from: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
}

impl ActiveModelBehavior for ActiveModel {}
