//! A table as it is written down here: columns, key, links and indexes.

use super::dialect::Dialect;
use sea_orm_migration::prelude::*;

/// A table, and the indexes that are made after it.
pub(super) struct Table {
    dialect: Dialect,
    pub(super) name: &'static str,
    pub(super) create: TableCreateStatement,
    pub(super) indexes: Vec<IndexCreateStatement>,
}

impl Table {
    pub(super) fn new(dialect: Dialect, name: &'static str) -> Table {
        let mut create = sea_query::Table::create()
            .table(name)
            .if_not_exists()
            .to_owned();
        if dialect == Dialect::MySql {
            // A server's character set is whatever somebody once chose; consent must not depend on
            // it.
            create
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate("utf8mb4_bin");
        }
        Table {
            dialect,
            name,
            create,
            indexes: Vec::new(),
        }
    }

    pub(super) fn column(mut self, column: impl IntoColumnDef) -> Table {
        self.create.col(column);
        self
    }

    pub(super) fn key(mut self, columns: &[&'static str]) -> Table {
        let mut key = Index::create();
        for column in columns {
            key.col(*column);
        }
        self.create.primary_key(&mut key);
        self
    }

    /// Its rows are an organization's.
    pub(super) fn of_organization(mut self) -> Table {
        self.create.foreign_key(
            ForeignKey::create()
                .from(self.name, "organization_id")
                .to("organizations", "id"),
        );
        self
    }

    /// Its rows point to rows of another table, of the same organization.
    pub(super) fn link(mut self, column: &'static str, parent: &'static str) -> Table {
        let mut link = ForeignKey::create();
        link.from(self.name, (column, "organization_id"))
            .to(parent, ("id", "organization_id"));
        self.create.foreign_key(&mut link);
        self
    }

    pub(super) fn index(mut self, name: &'static str, columns: &[&'static str]) -> Table {
        let mut index = Index::create().name(name).table(self.name).to_owned();
        for column in columns {
            index.col(*column);
        }
        if self.dialect == Dialect::MySql {
            // MySQL cannot make an index unless it is there, so it comes with the table.
            self.create.index(&mut index);
        } else {
            self.indexes.push(index.if_not_exists().to_owned());
        }
        self
    }
}
