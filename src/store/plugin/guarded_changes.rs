//! How one change to one person lies in the tables of what is held and of what is granted.

use super::PluginKey;
use crate::domain::{GuardedChange, Harm, Held};
use crate::entities::record::Kind;
use crate::store::statement::sql;
use crate::store::{Error, TenantStore};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};

/// The columns that name one change to one person, in the tables of what is held and of what is
/// granted.
pub(super) const CHANGE_KEY: [(&str, Kind); 6] = [
    ("organization_id", Kind::Int),
    ("plugin", Kind::Text),
    ("destination", Kind::Text),
    ("supporter_id", Kind::Int),
    ("kind", Kind::Text),
    ("mark", Kind::Int),
];

/// Rows in one statement.
pub(super) const PIECE: usize = 5_000;

/// One change to one person, as it is stored.
#[derive(FromQueryResult)]
pub(super) struct StoredChange {
    supporter_id: i64,
    kind: String,
    mark: i64,
}

impl StoredChange {
    /// `None` of a kind that is not known here.
    pub(super) fn held(self) -> Option<Held> {
        Harm::of(&self.kind).map(|kind| Held {
            supporter_id: self.supporter_id,
            guarded_change: GuardedChange {
                kind,
                mark: self.mark,
                // What is held or allowed is told by person.
                contacts: 1,
            },
        })
    }
}

impl TenantStore {
    /// A statement about the rows of these people, some at a time.
    #[allow(clippy::too_many_arguments, reason = "the parts of one statement")]
    pub(super) async fn for_each_piece(
        &self,
        tx: &DatabaseTransaction,
        what: &str,
        first: Option<Value>,
        key: &PluginKey,
        also: &str,
        rest: &[Value],
        ids: &[i64],
    ) -> Result<(), Error> {
        let place = 1 + usize::from(first.is_some());
        for ids in ids.chunks(PIECE) {
            let list = ids
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            let text = format!(
                "{what} WHERE organization_id = ${place} AND plugin = ${} AND destination = ${} AND {also}supporter_id IN ({list})",
                place + 1,
                place + 2
            );
            let values = first
                .iter()
                .cloned()
                .chain(self.plugin_values(key))
                .chain(rest.iter().cloned());
            tx.execute_raw(sql(self.dialect(), &text, values))
                .await
                .map_err(|error| Error::query("writing what is held or allowed", error))?;
        }
        Ok(())
    }
}
