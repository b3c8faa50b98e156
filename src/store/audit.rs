//! The audit trail: what an operator ordered, and what a stored consent, e-mail or amount was before.

use super::decide::Decision;
use super::page::Step;
use super::row::{Kind, Row, time_text};
use super::statement::{document, quoted, sql, unpack};
use super::value::Value;
use super::{Error, Store};
use crate::clock;
use crate::domain::{Entity, Time};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

/// One row of `audit_log`, as read.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When.
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

/// Notes every change of an audited column of a row that was stored.
pub(super) async fn changes<R: Row>(step: &Step<'_>, decision: &Decision<'_, R>) -> Result<(), Error> {
    let at = time_text(step.now, step.backend);
    let noun = noun(R::ENTITY);
    let mut objects = Vec::new();
    for write in &decision.writes {
        let Some(before) = write.before.as_ref().filter(|stored| !stored.is_stub) else { continue };
        let audited = R::table().columns.iter().filter_map(|column| Some((column, column.audit?)));
        for ((column, action), was) in audited.zip(&before.audited) {
            let is = Value::of(&column.get, &write.row);
            if is != *was {
                let detail = json!({ "column": column.name, "from": was.json(), "to": is.json() });
                let object = json!({
                    "at": at, "actor": "sync", "organization_id": step.organization_id, "action": format!("{noun}.{action}"),
                    "subject": format!("{noun}:{}", write.row.id()), "detail": detail.to_string(),
                });
                objects.push(object.to_string().into_bytes());
            }
        }
    }
    insert(step.tx, step.backend, &objects).await
}

/// The singular of an entity's name, as audit subjects spell it.
pub(super) const fn noun(entity: Entity) -> &'static str {
    match entity {
        Entity::Supporters => "supporter",
        Entity::Campaigns => "campaign",
        Entity::RecurringPlans => "recurring_plan",
        Entity::Transactions => "transaction",
    }
}

/// Notes one act of a person.
pub(super) async fn note<C: ConnectionTrait>(
    connection: &C,
    backend: DbBackend,
    organization_id: Option<i64>,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    note_by(connection, backend, "cli", organization_id, action, subject, detail).await
}

/// Notes one act of whoever it was.
pub(super) async fn note_by<C: ConnectionTrait>(
    connection: &C,
    backend: DbBackend,
    actor: &str,
    organization_id: Option<i64>,
    action: &str,
    subject: &str,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let mut object = json!({
        "at": time_text(clock::now(), backend), "actor": actor, "action": action, "subject": subject, "detail": detail.to_string(),
    });
    if let (Some(id), Some(map)) = (organization_id, object.as_object_mut()) {
        map.insert("organization_id".to_owned(), id.into());
    }
    insert(connection, backend, &[object.to_string().into_bytes()]).await
}

async fn insert<C: ConnectionTrait>(connection: &C, backend: DbBackend, objects: &[Vec<u8>]) -> Result<(), Error> {
    if objects.is_empty() {
        return Ok(());
    }
    let names = FIELDS.map(|(name, _)| quoted(backend, name)).join(", ");
    let text = format!("INSERT INTO audit_log ({names}) SELECT {names} FROM {}", unpack(backend, &FIELDS));
    connection
        .execute_raw(sql(backend, &text, [document(objects.iter().map(Vec::as_slice))]))
        .await
        .map_err(|error| Error::query("writing the audit trail", error))?;
    Ok(())
}

impl Store {
    /// Notes a person's command that concerns no single organization's rows.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit(&self, organization_id: Option<i64>, action: &str, subject: &str, detail: serde_json::Value) -> Result<(), Error> {
        note(self.connection(), self.backend(), organization_id, action, subject, detail).await
    }

    /// Notes what a person ordered over HTTP. `classy_id` is Classy's id of the organization it concerns.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit_http(&self, classy_id: Option<i64>, action: &str, subject: &str, detail: serde_json::Value) -> Result<(), Error> {
        let organization = match classy_id {
            Some(classy_id) => self.organization(classy_id).await?.map(|organization| organization.row_id()),
            None => None,
        };
        note_by(self.connection(), self.backend(), "http", organization, action, subject, detail).await
    }

    /// The latest `limit` rows of the audit trail, latest first, of one organization or of all.
    ///
    /// # Errors
    /// Database errors.
    pub async fn audit_rows(&self, classy_id: Option<i64>, limit: u64) -> Result<Vec<AuditRow>, Error> {
        let failed = |error| Error::query("reading the audit trail", error);
        let at = quoted(self.backend(), "at");
        let only = if classy_id.is_some() { "WHERE o.classy_id = $1" } else { "" };
        let text = format!(
            "SELECT a.{at} AS noted_at, a.actor, o.classy_id, a.action, a.subject, a.detail FROM audit_log AS a \
             LEFT JOIN organizations AS o ON o.id = a.organization_id {only} ORDER BY a.id DESC LIMIT {limit}"
        );
        let rows = self.connection().query_all_raw(sql(self.backend(), &text, classy_id.map(Into::into))).await.map_err(failed)?;
        rows.iter()
            .map(|row| {
                Ok(AuditRow {
                    at: row.try_get("", "noted_at")?,
                    actor: row.try_get("", "actor")?,
                    classy_id: row.try_get("", "classy_id")?,
                    action: row.try_get("", "action")?,
                    subject: row.try_get("", "subject")?,
                    detail: row.try_get::<Option<String>>("", "detail")?.unwrap_or_default(),
                })
            })
            .collect::<Result<_, _>>()
            .map_err(failed)
    }
}
