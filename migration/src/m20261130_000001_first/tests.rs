//! What the migration says to each database, held against what was recorded when it was written.

use super::dialect::Dialect;
use super::{tables, views};
use sea_orm_migration::prelude::*;

fn statements(dialect: Dialect) -> String {
    let mut statements = Vec::new();
    for table in tables(dialect) {
        match dialect {
            Dialect::Sqlite => {
                statements.push(table.create.to_string(SqliteQueryBuilder));
                statements.extend(
                    table
                        .indexes
                        .iter()
                        .map(|index| index.to_string(SqliteQueryBuilder)),
                );
            }
            Dialect::Postgres => {
                statements.push(table.create.to_string(PostgresQueryBuilder));
                statements.extend(
                    table
                        .indexes
                        .iter()
                        .map(|index| index.to_string(PostgresQueryBuilder)),
                );
            }
            Dialect::MySql => {
                statements.push(table.create.to_string(MysqlQueryBuilder));
                statements.extend(
                    table
                        .indexes
                        .iter()
                        .map(|index| index.to_string(MysqlQueryBuilder)),
                );
            }
        }
    }
    statements
        .extend(views::all(dialect).map(|(name, body)| format!("CREATE VIEW {name} AS {body}")));
    statements
        .iter()
        .map(|statement| format!("{statement};\n"))
        .collect()
}

#[test]
fn it_says_what_it_said_when_it_was_written() {
    for (dialect, name, recorded) in [
        (
            Dialect::Sqlite,
            "sqlite",
            include_str!("recorded/sqlite.sql"),
        ),
        (
            Dialect::Postgres,
            "postgres",
            include_str!("recorded/postgres.sql"),
        ),
        (Dialect::MySql, "mysql", include_str!("recorded/mysql.sql")),
    ] {
        for (said, recorded) in statements(dialect).lines().zip(recorded.lines()) {
            assert_eq!(
                said, recorded,
                "{name}: a migration that was released is not edited; a change is a new migration"
            );
        }
        assert_eq!(
            statements(dialect).lines().count(),
            recorded.lines().count(),
            "{name}"
        );
    }
}
