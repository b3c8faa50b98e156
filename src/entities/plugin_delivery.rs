//! `plugin_deliveries`: the ledger. For each person and place what was sent, what became of it, and
//! when to look again.

use crate::domain::Time;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plugin_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub plugin: String,
    /// The place it delivers to: for Mailchimp an audience.
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub supporter_id: i64,
    /// Where it was last sent.
    pub address: Option<String>,
    /// Of what the other side holds.
    pub fingerprint: Option<i64>,
    /// `sending`, or a fate's word.
    pub state: String,
    /// What was being done when it was last sent.
    pub intent: Option<String>,
    /// Why, if it is not simply delivered; or a note.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Tries since it was last delivered.
    pub attempts: i64,
    /// When it is tried again.
    pub next_attempt_at: Option<Time>,
    /// When the person is due without any change.
    pub review_at: Option<Time>,
    /// A trace of what was taken back since: the same is not sent again by itself.
    pub undone_mark: Option<i64>,
    /// When it was last delivered.
    pub delivered_at: Option<Time>,
    /// When it was last sent, or a delivery last had a word on it.
    pub updated_at: Time,
    #[sea_orm(belongs_to, from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
