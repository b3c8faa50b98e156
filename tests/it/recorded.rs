//! What all migrations make of an empty database, as each database tells it, held against what was
//! recorded.

use crate::backend::{Fresh, Kind, kinds};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// Questions that answer with one text a row, in an order that is always the same.
fn questions(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sqlite => &[
            "SELECT sql AS line FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
                           AND name <> 'seaql_migrations' ORDER BY type, name",
        ],
        Kind::Postgres => &[
            "SELECT CONCAT(table_name, '.', column_name, ' ', data_type, ' ', numeric_precision, ',', numeric_scale, ' null: ', is_nullable, \
             ' identity: ', is_identity, ' default: ', column_default) AS line FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name <> 'seaql_migrations' ORDER BY table_name, ordinal_position",
            "SELECT CONCAT(conrelid::regclass, ' ', pg_get_constraintdef(oid)) AS line FROM pg_constraint \
             WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f') \
             AND conrelid <> 'seaql_migrations'::regclass ORDER BY 1",
            "SELECT REPLACE(indexdef, CONCAT(schemaname, '.'), '') AS line FROM pg_indexes \
             WHERE schemaname = current_schema() AND tablename <> 'seaql_migrations' ORDER BY 1",
        ],
        Kind::MySql => &[
            "SELECT CONCAT_WS(' ', CONCAT(table_name, '.', column_name), data_type, character_maximum_length, numeric_precision, \
             numeric_scale, datetime_precision, collation_name, 'null:', is_nullable, extra, 'default:', column_default) AS line \
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name <> 'seaql_migrations' \
             ORDER BY table_name, ordinal_position",
            "SELECT CONCAT_WS(' ', table_name, index_name, non_unique, GROUP_CONCAT(column_name ORDER BY seq_in_index)) AS line \
             FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name <> 'seaql_migrations' \
             GROUP BY table_name, index_name, non_unique ORDER BY table_name, index_name",
            "SELECT CONCAT_WS(' ', table_name, 'to', referenced_table_name, GROUP_CONCAT(column_name ORDER BY ordinal_position)) AS line \
             FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL \
             GROUP BY table_name, constraint_name, referenced_table_name ORDER BY 1",
        ],
    }
}

async fn told(connection: &DatabaseConnection, kind: Kind) -> Vec<String> {
    let mut lines = Vec::new();
    for question in questions(kind) {
        let statement =
            Statement::from_string(connection.get_database_backend(), (*question).to_owned());
        for row in connection.query_all_raw(statement).await.unwrap() {
            lines.push(row.try_get::<String>("", "line").unwrap());
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_the_one_that_was_recorded() {
    let mut wrong = String::new();
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let connection = fresh.connect().await;
        Migrator::up(&connection, None).await.unwrap();
        let told = told(&connection, kind).await;
        connection.close().await.unwrap();
        let name = match kind {
            Kind::Sqlite => "sqlite.txt",
            Kind::Postgres => "postgres.txt",
            Kind::MySql => "mysql.txt",
        };
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/schema")
            .join(name);
        // What is recorded is a change that its author looks at: nothing else sets this.
        if std::env::var_os("CLASSY_SYNC_TEST_RECORD").is_some() {
            std::fs::write(&file, told.join("\n") + "\n").unwrap();
        }
        let recorded = std::fs::read_to_string(&file).unwrap();
        let recorded: Vec<&str> = recorded.lines().collect();
        for line in told
            .iter()
            .filter(|line| !recorded.contains(&line.as_str()))
        {
            wrong.push_str(&format!("{kind:?}, not recorded: {line}\n"));
        }
        for line in recorded
            .iter()
            .filter(|line| !told.iter().any(|told| told == *line))
        {
            wrong.push_str(&format!("{kind:?}, not there any more: {line}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
