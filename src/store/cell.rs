//! Values of tables and views as people and their programs read them, for `report` and `export`.

use super::dialect::Dialect;
use super::value::total;
use crate::domain::{Money, Time};
use crate::entities::record::Kind;
use sea_orm::{DbErr, QueryResult};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// An amount or a quotient.
    Number(Money),
    /// A text or a moment.
    Text(String),
    /// A flag.
    Bool(bool),
}

/// Where columns are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A table: as its columns are.
    Table,
    /// A view: its days are read as texts, and its numbers may be of any width.
    View,
}

/// The list of columns of `v` that [`Cell::read`] reads.
pub(super) fn select(columns: &[(&str, Kind)], source: Source, dialect: Dialect) -> String {
    let one = |(name, kind): &(&str, Kind)| {
        let name = dialect.quoted(name);
        let column = format!("v.{name}");
        let value = match (kind, source) {
            (Kind::Money, _) => dialect.money_text(&column),
            (Kind::Int, Source::View) => dialect.as_bigint(&column),
            (Kind::Text, Source::View) => dialect.as_text(&column),
            _ => column,
        };
        format!("{value} AS {name}")
    };
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl Cell {
    /// The value of a column that was selected by [`select`].
    pub(super) fn read(
        row: &QueryResult,
        name: &str,
        kind: Kind,
        dialect: Dialect,
    ) -> Result<Cell, DbErr> {
        Ok(match kind {
            Kind::Int => row
                .try_get::<Option<i64>>("", name)?
                .map_or(Cell::Null, Cell::Int),
            Kind::Bool => row
                .try_get::<Option<bool>>("", name)?
                .map_or(Cell::Null, Cell::Bool),
            Kind::Money => total(row, name)?.map_or(Cell::Null, Cell::Number),
            Kind::Time if dialect.keeps_moments_as_texts() => row
                .try_get::<Option<String>>("", name)?
                .map_or(Cell::Null, Cell::Text),
            Kind::Time => row
                .try_get::<Option<Time>>("", name)?
                .map_or(Cell::Null, |time| Cell::Text(time.to_rfc3339())),
            Kind::Text => row
                .try_get::<Option<String>>("", name)?
                .map_or(Cell::Null, Cell::Text),
        })
    }
}
