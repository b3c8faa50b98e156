//! The analyst's questions of `docs/questions.md`: each is run on each database, and what the first
//! of them say is held against the simulator's own records.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, world};
use axum::body::Bytes;
use classy_sync::simulator;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use serde_json::Value;

const FILE: &str = include_str!("../../docs/questions.md");

/// A question's number, and what is to be said to a database.
fn questions(kind: Kind) -> Vec<(u32, String)> {
    let word = match kind {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
        Kind::MySql => "mysql",
    };
    let mut found = Vec::new();
    for part in FILE.split("\n### ").skip(1) {
        let number = part.split('.').next().unwrap().parse().unwrap();
        let meant = [format!("```sql {word}\n"), "```sql\n".to_owned()];
        let blocks: Vec<&str> = meant
            .iter()
            .filter_map(|fence| part.split_once(fence.as_str()))
            .map(|(_, rest)| rest.split_once("```").unwrap().0)
            .collect();
        assert_eq!(blocks.len(), 1, "{kind:?}: question {number}");
        found.push((number, blocks[0].trim().trim_end_matches(';').to_owned()));
    }
    found
}

async fn ask(connection: &DatabaseConnection, text: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), text);
    connection
        .query_all_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What the simulator's records say: gifts, their sum, refunds.
fn truth(site: &Site) -> (i64, Decimal, i64) {
    let world = site.simulator.world();
    let list = &world.organizations[&ORGANIZATION].lists[&simulator::Kind::Transactions];
    let mut sums = (0, Decimal::ZERO, 0);
    for record in list.iter() {
        let mut json = String::new();
        record.render(&[], &mut json);
        let fields: Value = serde_json::from_str(&json).unwrap();
        let amount: Decimal = fields["total_gross_amount"].to_string().parse().unwrap();
        match fields["status"].as_str().unwrap() {
            "success" if amount > Decimal::ZERO => {
                sums.0 += 1;
                sums.1 += amount;
            }
            "refunded" if amount > Decimal::ZERO => sums.2 += 1,
            _ => {}
        }
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_is_answered_on_each_database() {
    for kind in kinds() {
        let site = Site::new(kind, world(300, 2_600)).await;
        site.sync();
        let connection = site.database.connect().await;
        let questions = questions(kind);
        let numbers: Vec<u32> = questions.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        let mut silent = Vec::new();
        for (number, text) in &questions {
            if ask(&connection, text).await.is_empty() {
                silent.push(*number);
            }
        }
        // What depends on the day may have nobody in a small world.
        silent.retain(|number| ![3, 5, 6, 7, 13, 17].contains(number));
        assert!(silent.is_empty(), "{kind:?}: nothing is said to {silent:?}");

        // The first and the eleventh, summed, are what the source says.
        let (gifts, amount, refunds) = truth(&site);
        assert!(gifts > 500 && refunds > 0);
        let whole = if kind == Kind::MySql {
            "SIGNED"
        } else {
            "BIGINT"
        };
        for (number, refunded) in [(1, true), (11, false)] {
            let text = &questions[number - 1].1;
            let refunded = if refunded {
                "SUM(q.refunded_amount)"
            } else {
                "0"
            };
            let text = format!(
                "SELECT CAST(SUM(q.gifts) AS {whole}) AS n, {} AS amount, {} AS refunded FROM ({text}) AS q",
                site.database.text("ROUND(SUM(q.amount), 2)"),
                site.database.text(refunded)
            );
            let row = ask(&connection, &text).await.remove(0);
            let said: Decimal = row
                .try_get::<String>("", "amount")
                .unwrap()
                .parse()
                .unwrap();
            let back: Decimal = row
                .try_get::<String>("", "refunded")
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(
                row.try_get::<i64>("", "n").unwrap(),
                gifts,
                "{kind:?}: {number}"
            );
            assert_eq!(said.normalize(), amount.normalize(), "{kind:?}: {number}");
            assert_eq!(back > Decimal::ZERO, number == 1, "{kind:?}: {number}");
        }
        connection.close().await.unwrap();
    }
}

/// CSV as rows, without what spreadsheets need.
fn csv_rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes);
    let rows = reader.records();
    rows.map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// Whether a value in a Parquet file is the one that JSON has.
fn is_same(field: &Field, value: &Value) -> bool {
    let text = value.as_str();
    match field {
        Field::Null => value.is_null(),
        Field::Long(number) => value.as_i64() == Some(*number),
        Field::Bool(flag) => value.as_bool() == Some(*flag),
        Field::Str(of_file) => text == Some(of_file),
        Field::TimestampMicros(micros) => text
            .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
            .is_some_and(|at| at.timestamp_micros() == *micros),
        Field::Decimal(amount) => {
            let bytes: [u8; 16] = amount.data().try_into().unwrap();
            let of_file = Decimal::from_i128_with_scale(
                i128::from_be_bytes(bytes),
                u32::try_from(amount.scale()).unwrap(),
            );
            text.and_then(|text| text.parse::<Decimal>().ok())
                .is_some_and(|amount| amount.round_dp(4) == of_file)
        }
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parquet_file_has_what_json_has_with_types() {
    for kind in kinds() {
        let site = Site::new(kind, world(60, 2_602)).await;
        site.sync();
        let exported = |what: &str, format: &str| {
            let output = site.run(&["export", what, "--format", format]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{kind:?} {what}: {said}");
            output.stdout
        };
        let tables = classy_sync::entities::Entity::ALL.map(|entity| entity.as_str());
        let views = classy_sync::entities::views::VIEWS.iter();
        for what in tables.into_iter().chain(views.map(|view| view.name)) {
            let rows: Vec<Value> = serde_json::from_slice(&exported(what, "json")).unwrap();
            let file = Bytes::from(exported(what, "parquet"));
            let file = SerializedFileReader::new(file).unwrap();
            let count = file.metadata().file_metadata().num_rows();
            assert_eq!(count as usize, rows.len(), "{kind:?} {what}");
            for (row, json) in file.get_row_iter(None).unwrap().zip(&rows) {
                let row = row.unwrap();
                assert_eq!(row.len(), json.as_object().unwrap().len());
                for (name, field) in row.get_column_iter() {
                    assert!(
                        is_same(field, &json[name]),
                        "{kind:?} {what} {name}: {field:?}, {}",
                        json[name]
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_views_are_exported_whole_or_from_a_moment_on() {
    for kind in kinds() {
        let site = Site::new(kind, world(60, 2_601)).await;
        site.sync();
        let (gifts, amount, _) = truth(&site);
        let exported = |arguments: &[&str]| {
            let output = site.run(arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{kind:?} {arguments:?}: {said}");
            output.stdout
        };
        let rows: Value =
            serde_json::from_slice(&exported(&["export", "gifts", "--format", "json"])).unwrap();
        let rows = rows.as_array().unwrap().clone();
        assert_eq!(rows.len() as i64, gifts, "{kind:?}");
        let sum: Decimal = rows
            .iter()
            .map(|row| row["amount"].as_str().unwrap().parse::<Decimal>().unwrap())
            .sum();
        assert_eq!(sum.normalize(), amount.normalize(), "{kind:?}");
        assert_eq!(rows[0]["classy_organization_id"], ORGANIZATION, "{kind:?}");

        // Half of them, by the moment of the one in the middle.
        let moment = rows[rows.len() / 2]["purchased_at"]
            .as_str()
            .unwrap()
            .to_owned();
        let since = exported(&["export", "gifts", "--format=json", "--since", &moment]);
        let later: Value = serde_json::from_slice(&since).unwrap();
        let expected = rows.iter().filter(|row| {
            let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
            at(row["purchased_at"].as_str().unwrap()) >= at(&moment)
        });
        assert_eq!(
            later.as_array().unwrap().len(),
            expected.count(),
            "{kind:?}"
        );

        for table in classy_sync::entities::Entity::ALL {
            let rows = csv_rows(&exported(&["export", table.as_str(), "--org", "10001"]));
            let stored = site.count(table.as_str()).await.unwrap();
            assert_eq!(rows.len() as i64 - 1, stored, "{kind:?}: {table}");
            assert_eq!(rows[0][..2], ["classy_organization_id", "id"], "{kind:?}");
            let none = csv_rows(&exported(&[
                "export",
                table.as_str(),
                "--since",
                "2026-01-01",
                "--format",
                "csv",
            ]));
            assert_eq!(none[0], rows[0], "{kind:?}");
        }
        for view in classy_sync::entities::views::VIEWS {
            let rows = csv_rows(&exported(&["export", view.name]));
            assert!(
                rows.iter().all(|row| row.len() == view.columns.len() + 3),
                "{}",
                view.name
            );
            assert!(
                rows.len() > 1 || view.name.ends_with("bunt"),
                "{kind:?}: {}",
                view.name
            );
        }
        for (arguments, why) in [
            (
                &["export", "organizations"][..],
                "nothing called 'organizations'",
            ),
            (&["export", "gift"], "gifts"),
            (
                &["export", "donor_rfm", "--since", "2026-01-01"],
                "no moment",
            ),
            (&["export", "gifts", "--org", "4"], "4"),
        ] {
            let output = site.run(arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                !output.status.success() && said.contains(why),
                "{arguments:?}: {said}"
            );
            assert!(output.stdout.is_empty(), "{arguments:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_reports_print_what_their_views_hold() {
    let site = Site::new(Kind::Sqlite, world(60, 2_602)).await;
    site.sync();
    for (report, view) in [
        ("months", "giving_by_month"),
        ("retention", "donor_retention"),
        ("lybunt", "donors_lybunt"),
        ("sybunt", "donors_sybunt"),
        ("cohorts", "donor_cohorts"),
        ("rfm", "donor_rfm"),
        ("recurring", "recurring_by_month"),
    ] {
        let rows = site.json(&["report", report], 0);
        let rows = rows.as_array().unwrap();
        assert_eq!(
            rows.len() as i64,
            site.count(view).await.unwrap(),
            "{report}"
        );
        assert!(
            rows.iter().all(|row| row["classy_id"] == ORGANIZATION),
            "{report}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fiscal_year_begins_with_the_month_of_the_file() {
    let site = Site::new(Kind::Sqlite, world(60, 2_603)).await;
    let file = site.path().join("organizations/10001.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    for wrong in ["0", "13", "\"July\"", "1.5"] {
        std::fs::write(&file, format!("fiscal_year_starts = {wrong}\n{good}")).unwrap();
        let output = site.run(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.code() == Some(78) && said.contains("fiscal_year_starts"),
            "{wrong}: {said}"
        );
    }
    std::fs::write(&file, format!("fiscal_year_starts = 7\n{good}")).unwrap();
    assert_eq!(site.run(&["config", "check"]).status.code(), Some(0));
    site.sync();
    let starts = "SELECT fiscal_year_starts AS n FROM organizations";
    assert_eq!(site.number(starts).await, 7);
    let july = "SELECT COUNT(*) AS n FROM gifts WHERE (SUBSTR(gift_month, 6) >= '07') \
                <> (fiscal_year = CAST(SUBSTR(gift_month, 1, 4) AS INTEGER) + 1)";
    assert_eq!(site.number(july).await, 0);
    assert!(site.number("SELECT COUNT(*) AS n FROM gifts").await > 50);
    // Left out, a year is a year again.
    std::fs::write(&file, &good).unwrap();
    site.sync();
    assert_eq!(site.number(starts).await, 1);
}
