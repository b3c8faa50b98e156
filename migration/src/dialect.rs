//! What the three databases call differently: the kinds of columns, and how a table gets more of
//! them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// A database's way of speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

impl Dialect {
    pub(crate) fn of(backend: DbBackend) -> Dialect {
        match backend {
            DbBackend::Postgres => Dialect::Postgres,
            DbBackend::MySql => Dialect::MySql,
            _ => Dialect::Sqlite,
        }
    }
}

/// The kinds of columns. An amount is exact to four decimals, on SQLite a float of which fifteen
/// digits are kept; a time is UTC.
impl Dialect {
    /// A number that the database gives, each higher than the one before.
    pub(crate) fn auto(self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name)
            .big_integer()
            .not_null()
            .auto_increment()
            .primary_key()
            .take()
    }

    pub(crate) fn int(self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).big_integer().take()
    }

    pub(crate) fn double(self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).double().take()
    }

    pub(crate) fn flag(self, name: &'static str) -> ColumnDef {
        ColumnDef::new(name).boolean().take()
    }

    pub(crate) fn money(self, name: &'static str) -> ColumnDef {
        self.named(name, ["real", "decimal(19,4)", "decimal(19,4)"])
    }

    pub(crate) fn time(self, name: &'static str) -> ColumnDef {
        self.named(name, ["text", "timestamp with time zone", "datetime(6)"])
    }

    /// Of any length.
    pub(crate) fn text(self, name: &'static str) -> ColumnDef {
        self.named(name, ["text", "text", "longtext"])
    }

    /// One of our own words, short enough for a key.
    pub(crate) fn word(self, name: &'static str) -> ColumnDef {
        self.named(name, ["text", "text", "varchar(190)"])
    }

    /// An e-mail address that is a key, too.
    pub(crate) fn address(self, name: &'static str) -> ColumnDef {
        self.named(name, ["text", "text", "varchar(320)"])
    }

    /// A column whose type the three call differently: SQLite, PostgreSQL, MySQL.
    fn named(self, name: &'static str, types: [&'static str; 3]) -> ColumnDef {
        let [sqlite, postgres, mysql] = types;
        let kind = match self {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
            Dialect::MySql => mysql,
        };
        ColumnDef::new(name).custom(kind).take()
    }
}

/// Adds columns that are not there yet: MySQL keeps what was made before a failure, and SQLite adds
/// one at a time.
pub(crate) async fn add_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: Vec<ColumnDef>,
) -> Result<(), DbErr> {
    for column in columns {
        if !manager.has_column(table, column.get_column_name()).await? {
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
        }
    }
    Ok(())
}

/// Takes columns away again.
pub(crate) async fn drop_columns(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: Vec<ColumnDef>,
) -> Result<(), DbErr> {
    for column in columns {
        let name = column.get_column_name();
        if manager.has_column(table, &name).await? {
            manager
                .alter_table(
                    Table::alter()
                        .table(table)
                        .drop_column(Alias::new(name))
                        .to_owned(),
                )
                .await?;
        }
    }
    Ok(())
}
