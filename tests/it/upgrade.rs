//! What becomes of a database that another version of this program wrote.

use crate::backend::{Kind, kinds};
use crate::site::{ORGANIZATION, Site, feed, world};
use classy_sync::simulator::Kind as List;
use migration::{Migrator, MigratorTrait};

/// As if a version that knew fewer columns had written every second supporter.
async fn write_as_before(site: &Site) {
    site.execute("UPDATE supporters SET schema_version = 0, fingerprint = 0, city = NULL, sms_opt_in = NULL WHERE id % 2 = 0").await;
    site.execute("UPDATE checkpoints SET schema_version = 0 WHERE entity = 'supporters'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_wrote_is_read_again_at_once_and_nothing_counts_as_missed() {
    for kind in kinds() {
        let site = Site::new(kind, world(120, 401)).await;
        site.sync();
        write_as_before(&site).await;
        let old = site
            .number(
                "SELECT COUNT(*) AS n FROM supporters WHERE schema_version = 0 AND fingerprint = 0",
            )
            .await;
        assert!(old > 30, "{kind:?}: {old}");
        // One of them changes as well.
        let id = site
            .numbers("SELECT MIN(id) AS n FROM supporters WHERE schema_version = 0")
            .await[0];
        assert!(site.simulator.world().edit(
            ORGANIZATION,
            List::Supporters,
            id,
            &[("first_name", "\"Zora\"".to_owned())],
            true
        ));
        site.simulator.world().clock_offset += 20;
        let report = site.sync();
        let told = feed(&report, "supporters");
        assert_eq!(told["mode"], "full", "{kind:?}: {told}");
        assert_eq!(
            (&told["upgraded"], &told["updated"]),
            (&(old - 1).into(), &old.into()),
            "{kind:?}: {told}"
        );
        assert_eq!(
            (&told["reconcile"]["stale"], &told["reconcile"]["missing"]),
            (&0.into(), &0.into()),
            "{kind:?}: {told}"
        );
        assert_eq!(
            feed(&report, "transactions")["mode"],
            "incremental",
            "{kind:?}: nothing of these changed"
        );
        site.assert_exact().await;
        assert_eq!(
            site.number(
                "SELECT COUNT(*) AS n FROM supporters WHERE schema_version = 0 AND NOT is_stub"
            )
            .await,
            0,
            "{kind:?}"
        );
        // That nobody had agreed to text messages before it was stored is no news for the audit
        // trail.
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM audit_log WHERE action LIKE '%consent_changed'")
                .await,
            0,
            "{kind:?}"
        );
        assert_eq!(
            site.numbers("SELECT upgraded AS n FROM sync_runs WHERE upgraded > 0")
                .await,
            [old - 1],
            "{kind:?}"
        );
        let again = site.sync();
        assert_eq!(
            feed(&again, "supporters")["mode"],
            "incremental",
            "{kind:?}: once"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_the_first_release_is_left_alone_and_it_is_said_what_to_do() {
    for kind in kinds() {
        let site = Site::new(kind, world(20, 402)).await;
        site.execute("CREATE TABLE seaql_migrations (version VARCHAR(200) NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)").await;
        site.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20261124_000001_schema', 0)").await;
        for command in [&["db", "migrate"][..], &["sync"], &["status"]] {
            let output = site.run(command);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{kind:?} {command:?}: {said}");
            assert!(
                said.contains("from before the first release")
                    && said.contains("read again from Classy"),
                "{kind:?} {command:?}: {said}"
            );
        }
        assert_eq!(
            site.number("SELECT COUNT(*) AS n FROM seaql_migrations")
                .await,
            1,
            "{kind:?}: nothing was made"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_which_somebody_has_a_table_or_view_of_our_name_is_left_alone() {
    for kind in kinds() {
        for (make, look, name) in [
            (
                "CREATE VIEW gifts AS SELECT 1 AS mine",
                "SELECT COUNT(mine) AS n FROM gifts",
                "gifts",
            ),
            (
                "CREATE TABLE Alerts (id INT, n INT)",
                "SELECT COUNT(n) + 1 AS n FROM Alerts",
                "alerts",
            ),
        ] {
            let site = Site::new(kind, world(20, 403)).await;
            site.execute(make).await;
            for command in [&["db", "migrate"][..], &["sync"]] {
                let output = site.run(command);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(65), "{kind:?}: {said}");
                assert!(
                    said.contains(&format!("'{name}'")) && said.contains("of its own"),
                    "{kind:?} {command:?}: {said}"
                );
            }
            // It is as it was, and alone.
            assert_eq!(site.number(look).await, 1, "{kind:?} {name}");
            site.execute("CREATE TABLE organizations (n INT)").await;
        }
    }
}

/// The two kinds of record that came after gifts named them, each with its report and the gifts'
/// column.
const LATER: [(&str, &str, &str); 2] = [
    ("designations", "designations", "designation_id"),
    (
        "fundraising_pages",
        "fundraising-pages",
        "fundraising_page_id",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn gifts_that_were_stored_before_their_designations_and_pages_keep_their_links_and_are_added_up()
 {
    for kind in kinds() {
        let site = Site::new(kind, world(150, 403)).await;
        site.sync();
        // As if gifts had been read by a version that knew neither.
        let connection = site.database.connect().await;
        let back = Migrator::migrations()
            .iter()
            .skip_while(|migration| !migration.name().ends_with("_designations"))
            .count();
        Migrator::down(&connection, Some(back as u32))
            .await
            .unwrap();
        Migrator::up(&connection, None).await.unwrap();
        connection.close().await.unwrap();
        site.execute(
            "DELETE FROM checkpoints WHERE entity IN ('designations', 'fundraising_pages')",
        )
        .await;
        for (table, _, column) in LATER {
            let named = site
                .number(&format!(
                    "SELECT COUNT(DISTINCT {column}) AS n FROM transactions"
                ))
                .await;
            let stubs = site
                .number(&format!(
                    "SELECT COUNT(*) AS n FROM {table} WHERE fingerprint IS NULL"
                ))
                .await;
            assert!(
                named > 1 && stubs == named,
                "{kind:?} {table}: {stubs} of {named}"
            );
        }
        site.json(&["db", "check"], 0);
        site.json(&["sync"], 0);
        site.assert_exact().await;
        let whole = if kind == Kind::MySql {
            "SIGNED"
        } else {
            "BIGINT"
        };
        for (_, report, column) in LATER {
            let rows = site.json(&["report", report], 0);
            let mut gifts = 0;
            for row in rows.as_array().unwrap() {
                let of_it = format!(
                    "FROM transactions WHERE {column} = {} AND status = 'success' AND total_gross_amount > 0",
                    row[column]
                );
                let sum = format!(
                    "SELECT CAST(ROUND(COALESCE(SUM(total_gross_amount), 0) * 100) AS {whole}) AS n {of_it}"
                );
                let cents = site.number(&sum).await;
                let raised: rust_decimal::Decimal =
                    row["raised"].to_string().trim_matches('"').parse().unwrap();
                assert_eq!(
                    row["gifts"],
                    site.number(&format!("SELECT COUNT(*) AS n {of_it}")).await,
                    "{kind:?}: {row}"
                );
                assert_eq!(
                    (raised * rust_decimal::Decimal::ONE_HUNDRED)
                        .normalize()
                        .to_string(),
                    cents.to_string(),
                    "{kind:?}: {row}"
                );
                gifts += row["gifts"].as_i64().unwrap();
            }
            let all = format!(
                "SELECT COUNT(*) AS n FROM transactions WHERE {column} IS NOT NULL AND status = 'success' \
                 AND total_gross_amount > 0"
            );
            assert!(
                gifts > 0 && gifts == site.number(&all).await,
                "{kind:?} {report}: {gifts}"
            );
        }
    }
}
