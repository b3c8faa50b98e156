//! Rows of statements that are text, column by column: of those that are no model's, and too small
//! for a struct of their own.

use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult, QueryResult, SelectModel, SelectorRaw, Statement,
    TryGetableMany,
};

/// The columns of a row, in their order.
struct Tuple<T>(T);

impl<T: TryGetableMany> FromQueryResult for Tuple<T> {
    fn from_query_result(found: &QueryResult, _prefix: &str) -> Result<Self, DbErr> {
        found.try_get_many_by_index().map(Tuple)
    }
}

fn find<T: TryGetableMany>(statement: Statement) -> SelectorRaw<SelectModel<Tuple<T>>> {
    Tuple::find_by_statement(statement)
}

/// The rows of a statement: each is a tuple of its columns, or its only column.
pub(super) async fn all<T: TryGetableMany>(
    connection: &impl ConnectionTrait,
    statement: Statement,
) -> Result<Vec<T>, DbErr> {
    let rows = find(statement).all(connection).await?;
    Ok(rows.into_iter().map(|Tuple(columns)| columns).collect())
}

/// The first row of a statement, in the same way.
pub(super) async fn one<T: TryGetableMany>(
    connection: &impl ConnectionTrait,
    statement: Statement,
) -> Result<Option<T>, DbErr> {
    let row = find(statement).one(connection).await?;
    Ok(row.map(|Tuple(columns)| columns))
}
