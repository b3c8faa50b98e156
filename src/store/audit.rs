//! The audit trail: what an operator ordered, and what a stored consent, e-mail or amount was
//! before.

use super::dialect::Dialect;
use super::of_organization::{OfOrganization, with_organization};
use super::statement::{document, sql};
use super::{Error, Store};
use crate::clock;
use crate::domain::Time;
use crate::entities::audit_entry;
use crate::entities::record::Kind;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};
use serde_json::json;

/// One row of `audit_log`, as read.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When it was done.
    pub at: Time,
    /// Who: `sync`, a plugin's name, or `cli` for a person's command.
    pub actor: String,
    /// Classy's id of the organization; `None` for what concerns all.
    pub classy_id: Option<i64>,
    /// What: `supporter.consent_changed`, `org.pause`, ...
    pub action: String,
    /// Whom: `supporter:123`.
    pub subject: String,
    /// More, as JSON.
    pub detail: String,
}

const FIELDS: [(&str, Kind); 6] = [
    ("at", Kind::Time),
    ("actor", Kind::Text),
    ("organization_id", Kind::Int),
    ("action", Kind::Text),
    ("subject", Kind::Text),
    ("detail", Kind::Text),
];

/// Notes one act of a person.
pub(super) async fn note<C: ConnectionTrait>(
    connection: &C,
    dialect: Dialect,
    organization_id: Option<i64>,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    note_by(
        connection,
        dialect,
        "cli",
        organization_id,
        action,
        subject,
        detail,
    )
    .await
}

/// Notes one act of whoever it was.
pub(super) async fn note_by<C: ConnectionTrait>(
    connection: &C,
    dialect: Dialect,
    actor: &str,
    organization_id: Option<i64>,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let mut object = json!({
        "at": dialect.time_text(clock::now()), "actor": actor, "action": action, "subject": subject, "detail": detail.to_string(),
    });
    if let (Some(id), Some(map)) = (organization_id, object.as_object_mut()) {
        map.insert("organization_id".to_owned(), id.into());
    }
    insert(connection, dialect, &[object.to_string().into_bytes()]).await
}

/// Writes rows of the trail, given as JSON objects.
pub(super) async fn insert<C: ConnectionTrait>(
    connection: &C,
    dialect: Dialect,
    objects: &[Vec<u8>],
) -> Result<(), Error> {
    if objects.is_empty() {
        return Ok(());
    }
    let names = FIELDS.map(|(name, _)| dialect.quoted(name)).join(", ");
    let text = format!(
        "INSERT INTO audit_log ({names}) SELECT {names} FROM {}",
        dialect.unpack(&FIELDS)
    );
    connection
        .execute_raw(sql(
            dialect,
            &text,
            [document(objects.iter().map(Vec::as_slice))],
        ))
        .await
        .map_err(|error| Error::query("writing the audit trail", error))?;
    Ok(())
}

impl Store {
    /// Notes a person's command that concerns no single organization's rows.
    pub async fn audit(
        &self,
        organization_id: Option<i64>,
        action: &str,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        note(
            self.connection(),
            self.dialect(),
            organization_id,
            action,
            subject,
            detail,
        )
        .await
    }

    /// Notes what a person ordered over HTTP. `classy_id` is Classy's id of the organization it
    /// concerns.
    pub async fn audit_http(
        &self,
        classy_id: Option<i64>,
        action: &str,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        let organization = match classy_id {
            Some(classy_id) => self
                .organization(classy_id)
                .await?
                .map(|organization| organization.row_id()),
            None => None,
        };
        note_by(
            self.connection(),
            self.dialect(),
            "http",
            organization,
            action,
            subject,
            detail,
        )
        .await
    }

    /// The latest `limit` rows of the audit trail, latest first, of one organization or of all.
    pub async fn audit_rows(
        &self,
        classy_id: Option<i64>,
        limit: u64,
    ) -> Result<Vec<AuditRow>, Error> {
        let rows = audit_entry::Entity::find()
            .order_by_desc(audit_entry::Column::Id)
            .limit(limit);
        let rows = with_organization(rows, classy_id)
            .all(self.connection())
            .await;
        let row =
            |OfOrganization { row, classy_id }: OfOrganization<audit_entry::Model>| AuditRow {
                at: row.at,
                actor: row.actor,
                classy_id,
                action: row.action,
                subject: row.subject,
                detail: row.detail.unwrap_or_default(),
            };
        Ok(rows
            .map_err(|error| Error::query("reading the audit trail", error))?
            .into_iter()
            .map(row)
            .collect())
    }
}
