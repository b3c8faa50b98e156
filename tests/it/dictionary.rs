//! The dictionary names every table, view and column that each database has and no other, and the
//! file in `docs/` is the one that the program prints.

use crate::backend::{Fresh, Kind, kinds};
use classy_sync::entities::dictionary::{Entry, Sort, dictionary};
use classy_sync::store::{Settings, Store};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// `table.column` of everything that a database has.
async fn columns(connection: &DatabaseConnection, kind: Kind) -> BTreeSet<String> {
    let text = match kind {
        Kind::Sqlite => {
            "SELECT m.name || '.' || c.name AS line FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'seaql_migrations'"
        }
        Kind::Postgres => {
            "SELECT CONCAT(table_name, '.', column_name) AS line FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name <> 'seaql_migrations'"
        }
        Kind::MySql => {
            "SELECT CONCAT(table_name, '.', column_name) AS line FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name <> 'seaql_migrations'"
        }
    };
    let statement = Statement::from_string(connection.get_database_backend(), text);
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "line").unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_each_database_is_told() {
    let told: BTreeSet<String> = dictionary()
        .iter()
        .flat_map(|entry| {
            let name = entry.name;
            entry
                .columns
                .iter()
                .map(move |field| format!("{name}.{}", field.name))
        })
        .collect();
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let connection = fresh.connect().await;
        Migrator::up(&connection, None).await.unwrap();
        let there = columns(&connection, kind).await;
        connection.close().await.unwrap();
        let untold: Vec<_> = there.difference(&told).collect();
        let invented: Vec<_> = told.difference(&there).collect();
        assert!(
            untold.is_empty() && invented.is_empty(),
            "{kind:?}: not told {untold:?}, not there {invented:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_show_what_the_dictionary_says() {
    for (kind, text) in [
        (
            Kind::Postgres,
            "SELECT col_description('gifts'::regclass, ordinal_position::int) AS line FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = 'gifts' AND column_name = 'fiscal_year'",
        ),
        (
            Kind::MySql,
            "SELECT table_comment AS line FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'transactions'",
        ),
    ] {
        if !kinds().contains(&kind) {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 2,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let connection = fresh.connect().await;
        let statement = Statement::from_string(connection.get_database_backend(), text);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        let said: String = row.try_get("", "line").unwrap();
        let expected = match kind {
            Kind::Postgres => {
                "The fiscal year of that day, called after the year in which it ends."
            }
            _ => "A gift, a ticket, a refund (contract 6.2).",
        };
        assert_eq!(said, expected, "{kind:?}");
        store.close().await.unwrap();
    }
}

#[test]
fn everything_has_a_meaning_and_what_comes_from_classy_its_key() {
    for entry in dictionary() {
        assert!(!entry.meaning.is_empty(), "{}", entry.name);
        for field in &entry.columns {
            let name = format!("{}.{}", entry.name, field.name);
            assert!(
                field.meaning.len() > 3 && !field.meaning.contains("  "),
                "{name}"
            );
        }
    }
    let of = |entry: &Entry, name: &str| {
        let field = entry.columns.iter().find(|field| field.name == name);
        field.map(|field| (field.source, field.links, field.meaning.clone()))
    };
    let all = dictionary();
    let table = |name: &str| all.iter().find(|entry| entry.name == name).unwrap();
    // Key and column differ; the meaning is the one of the record's file.
    let told = of(table("supporters"), "email_opt_in").unwrap();
    assert_eq!(told.0, Some("opt_in"));
    assert!(told.2.starts_with("Consent to e-mail: only yes is a yes"));
    let told = of(table("transactions"), "recurring_plan_id").unwrap();
    assert_eq!(
        (told.0, told.1),
        (Some("recurring_donation_plan_id"), Some("recurring_plans"))
    );
    let views = all.iter().filter(|entry| entry.sort == Sort::View);
    for view in views {
        assert!(
            of(view, "classy_organization_id").is_some(),
            "{}",
            view.name
        );
        assert!(of(view, "organization_name").is_some(), "{}", view.name);
    }
}

/// Prints the dictionary where there is neither configuration nor database.
fn printed(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_classy-sync"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_file_in_docs_is_what_the_program_prints() {
    assert!(
        printed(&["db", "dictionary"]) == include_str!("../../docs/dictionary.md"),
        "docs/dictionary.md is not current: classy-sync db dictionary > docs/dictionary.md"
    );
    let json = printed(&["db", "dictionary", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let tables = json.as_array().unwrap();
    assert_eq!(tables.len(), dictionary().len());
    assert!(
        tables
            .iter()
            .all(|table| table["columns"][0]["meaning"].is_string())
    );
    let html = printed(&["db", "dictionary", "--format", "html"]);
    assert!(html.starts_with("<!DOCTYPE html>") && !html.contains("://"));
    assert!(
        dictionary()
            .iter()
            .all(|entry| html.contains(&format!("id=\"{}\"", entry.name)))
    );
}
