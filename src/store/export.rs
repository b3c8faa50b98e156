//! Whole tables and views, row after row: never more of them in memory than the database sends at
//! once.

use super::cell::{Cell, Source, select};
use super::statement::sql;
use super::{Error, Store};
use crate::domain::Time;
use crate::entities::dictionary::{Entry, Sort};
use crate::entities::record::Kind;
use crate::entities::views::VIEWS;
use futures_util::{Stream, StreamExt};
use sea_orm::{DbErr, StreamTrait};

/// What is exported.
#[derive(Debug)]
pub struct Export {
    name: &'static str,
    /// Names and types, in the order of the cells.
    columns: Vec<(&'static str, Kind)>,
    /// The moment by which `since` goes.
    moment: Option<&'static str>,
    order: &'static str,
    source: Source,
}

impl Export {
    /// A view or a table of records; the program's own tables are nobody else's, and hold sealed
    /// secrets.
    pub fn of(entry: &Entry) -> Option<Export> {
        let columns = entry.columns.iter().map(|field| (field.name, field.kind));
        let has = |name: &str| entry.columns.iter().any(|field| field.name == name);
        match entry.sort {
            Sort::View => Some(Export {
                name: entry.name,
                columns: columns.collect(),
                moment: has("purchased_at").then_some("purchased_at"),
                order: VIEWS.iter().find(|view| view.name == entry.name)?.order,
                source: Source::View,
            }),
            Sort::Record => Some(Export {
                name: entry.name,
                columns: columns.collect(),
                moment: Some("last_sync_at"),
                // As the key lies.
                order: "v.id, v.organization_id",
                source: Source::Table,
            }),
            Sort::Own => None,
        }
    }

    /// Names and types of the columns: of a table Classy's id of the organization first.
    pub fn columns(&self) -> Vec<(&'static str, Kind)> {
        let columns = self.columns.iter().copied();
        match self.source {
            Source::Table => std::iter::once((CLASSY_ID, Kind::Int))
                .chain(columns)
                .collect(),
            Source::View => columns.collect(),
        }
    }

    /// Whether rows can be asked for from a moment on.
    pub const fn has_moment(&self) -> bool {
        self.moment.is_some()
    }
}

const CLASSY_ID: &str = "classy_organization_id";

impl Store {
    /// All rows, of one organization or of all, from a moment on: as the database sends them.
    pub async fn export<'a>(
        &'a self,
        export: &'a Export,
        classy_id: Option<i64>,
        since: Option<Time>,
    ) -> Result<impl Stream<Item = Result<Vec<Cell>, Error>> + 'a, Error> {
        let failed = |error: DbErr| Error::query("exporting", error);
        let dialect = self.dialect();
        let mut list = select(&export.columns, export.source, dialect);
        if export.source == Source::Table {
            list = format!("o.classy_id AS {CLASSY_ID}, {list}");
        }
        let mut conditions = Vec::new();
        let mut values: Vec<sea_orm::Value> = Vec::new();
        if let Some(id) = classy_id {
            values.push(id.into());
            conditions.push(format!("o.classy_id = ${}", values.len()));
        }
        if let (Some(moment), Some(since)) = (export.moment, since) {
            values.push(since.into());
            conditions.push(format!("v.{moment} >= ${}", values.len()));
        }
        let only = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let text = format!(
            "SELECT {list} FROM {} AS v JOIN organizations AS o ON o.id = v.organization_id {only} \
             ORDER BY {}",
            export.name, export.order
        );
        let statement = sql(dialect, &text, values);
        let rows = self
            .connection()
            .stream_raw(statement)
            .await
            .map_err(failed)?;
        Ok(rows.map(move |row| {
            let row = row.map_err(failed)?;
            let mut cells = Vec::with_capacity(export.columns.len() + 1);
            if export.source == Source::Table {
                cells.push(Cell::read(&row, CLASSY_ID, Kind::Int, dialect).map_err(failed)?);
            }
            for (name, kind) in &export.columns {
                cells.push(Cell::read(&row, name, *kind, dialect).map_err(failed)?);
            }
            Ok(cells)
        }))
    }
}
