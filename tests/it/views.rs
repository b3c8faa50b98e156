//! What people and pages ask, right after a load: a database that has no statistics yet must not
//! need minutes for it.

use crate::backend::{Fresh, Kind, kinds};
use classy_sync::domain::{Item, Mode, Time, Zone};
use classy_sync::entities::{Entity, Supporter};
use classy_sync::store::{Batch, Cell, Report, Settings, Store};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use std::time::{Duration, Instant};

const PEOPLE: i64 = 16_000;
const GIFTS: i64 = 100_000;
const CAMPAIGNS: i64 = 50;

/// The tables whose statistics are switched off and whose rows make the questions expensive.
const TABLES: [&str; 5] = [
    "supporters",
    "campaigns",
    "recurring_plans",
    "transactions",
    "sync_runs",
];

/// `SELECT` of numbers 1 to `upto` as `n`, on any database.
fn numbers(upto: i64) -> String {
    let digits = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 \
                  UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9";
    let tables = ["a", "b", "c", "e", "f"]
        .map(|name| format!("({digits}) AS {name}"))
        .join(" CROSS JOIN ");
    format!(
        "SELECT n FROM (SELECT a.d + b.d * 10 + c.d * 100 + e.d * 1000 + f.d * 10000 + 1 AS n FROM {tables}) AS numbers WHERE n <= {upto}"
    )
}

/// One large organization; rows are written as they lie, since only reading is looked at here.
async fn load(connection: &DatabaseConnection, kind: Kind) {
    let run = async |text: String| {
        connection.execute_unprepared(&text).await.unwrap();
    };
    for table in TABLES {
        match kind {
            Kind::Sqlite => {}
            Kind::Postgres => {
                run(format!(
                    "ALTER TABLE {table} SET (autovacuum_enabled = false)"
                ))
                .await
            }
            Kind::MySql => run(format!("ALTER TABLE {table} STATS_AUTO_RECALC = 0")).await,
        }
    }
    // An hour earlier, so that none lies on the moment a year ago, which goes on meanwhile.
    let recent = match kind {
        Kind::Sqlite => {
            "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '-1 hours', '-' || (n % 700) || ' days')"
        }
        Kind::Postgres => "CURRENT_TIMESTAMP - INTERVAL '1 hour' - (n % 700) * INTERVAL '1 day'",
        Kind::MySql => "UTC_TIMESTAMP() - INTERVAL 1 HOUR - INTERVAL n % 700 DAY",
    };
    let now = match kind {
        Kind::Sqlite => "'2026-01-01T00:00:00+00:00'",
        Kind::Postgres => "TIMESTAMPTZ '2026-01-01T00:00:00+00:00'",
        Kind::MySql => "TIMESTAMP('2026-01-01 00:00:00')",
    };
    let text = |column: &str| match kind {
        Kind::MySql => format!("CONCAT('{column} ', n)"),
        _ => format!("'{column} ' || n"),
    };
    run(format!(
        "INSERT INTO supporters (id, organization_id, email_address, lifetime_donation_amount, lifetime_donation_count, last_donation_at, \
         source_updated_at, fingerprint, first_seen_at, last_sync_at) SELECT n, 1, {}, n % 12000, n % 7, {recent}, {recent}, n, {now}, {now} FROM ({}) AS s",
        text("mail"),
        numbers(PEOPLE)
    ))
    .await;
    run(format!(
        "INSERT INTO campaigns (id, organization_id, name, status, goal, total_raised, transactions_count, source_updated_at, fingerprint, last_sync_at) \
         SELECT n, 1, {}, 'active', 1000, 500, 5, {recent}, n, {now} FROM ({}) AS s",
        text("name"),
        numbers(CAMPAIGNS)
    ))
    .await;
    run(format!(
        "INSERT INTO recurring_plans (id, organization_id, supporter_id, amount, status, source_updated_at, fingerprint, last_sync_at) \
         SELECT n, 1, n, 5, 'active', {recent}, n, {now} FROM ({}) AS s",
        numbers(PEOPLE / 2)
    ))
    .await;
    run(format!(
        "INSERT INTO transactions (id, organization_id, supporter_id, campaign_id, status, total_gross_amount, donation_net_amount, \
         purchased_at, source_updated_at, fingerprint, last_sync_at) SELECT n, 1, (n * 7919) % {PEOPLE} + 1, n % {CAMPAIGNS} + 1, \
         CASE WHEN n % 10 = 0 THEN 'refunded' ELSE 'success' END, 5, 4, {recent}, {recent}, n, {now} FROM ({}) AS s",
        numbers(GIFTS)
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_ask_is_answered_soon_after_a_load_by_a_database_without_statistics() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 4,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        store.put_organization(10_001, "One").await.unwrap();
        let connection = fresh.connect().await;
        load(&connection, kind).await;

        let mut took = Vec::new();
        let ask = async |text: &str| {
            let begin = Instant::now();
            let row = connection
                .query_one_raw(Statement::from_string(
                    connection.get_database_backend(),
                    text,
                ))
                .await
                .unwrap()
                .unwrap();
            (begin.elapsed(), row)
        };
        let whole = |column: &str| match kind {
            Kind::MySql => format!("CAST({column} AS SIGNED) AS n"),
            _ => format!("CAST({column} AS BIGINT) AS n"),
        };
        let number = |row: &sea_orm::QueryResult| row.try_get::<i64>("", "n").unwrap();
        let year_ago = match kind {
            Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '-12 months')",
            Kind::Postgres => "CURRENT_TIMESTAMP - INTERVAL '12 months'",
            Kind::MySql => "UTC_TIMESTAMP() - INTERVAL 12 MONTH",
        };
        let (_, row) = ask(&format!(
            "SELECT {} FROM transactions WHERE status = 'success' AND purchased_at >= {year_ago}",
            whole("count(*)")
        ))
        .await;
        let lately = number(&row);
        assert!(lately > GIFTS / 3);

        let (time, row) = ask(&format!(
            "SELECT count(*) AS people, {} FROM supporter_summary",
            whole("sum(gifts_last_12_months)")
        ))
        .await;
        took.push(("supporter_summary", time));
        assert_eq!(number(&row), lately, "{kind:?}");
        let (time, row) = ask(&format!(
            "SELECT {} FROM supporter_summary WHERE giving_type = 'Recurring' AND active_plans = 1",
            whole("count(*)")
        ))
        .await;
        took.push(("supporter_summary, recurring", time));
        assert_eq!(number(&row), PEOPLE / 2, "{kind:?}");
        let (time, row) = ask(&format!(
            "SELECT {} FROM campaign_performance",
            whole("sum(refunds) * 1000000 + sum(net_after_fees)")
        ))
        .await;
        took.push(("campaign_performance", time));
        assert_eq!(
            number(&row),
            GIFTS / 10 * 1_000_000 + GIFTS / 10 * 9 * 4,
            "{kind:?}"
        );
        for view in ["donor_value_distribution", "donor_engagement_distribution"] {
            let (time, row) =
                ask(&format!("SELECT {} FROM {view}", whole("sum(supporters)"))).await;
            took.push((view, time));
            assert_eq!(number(&row), PEOPLE, "{kind:?}");
        }

        let organization = store.organization(10_001).await.unwrap().unwrap();
        let tenant = store.tenant(&organization);
        tenant
            .set_zone(Zone::parse("America/New_York").unwrap())
            .await
            .unwrap();
        for (view, count, expected) in [
            ("gifts", "count(*)", Some(GIFTS / 10 * 9)),
            ("giving_by_month", "sum(gifts)", Some(GIFTS / 10 * 9)),
            ("donor_years", "sum(gifts)", Some(GIFTS / 10 * 9)),
            ("donor_retention", "sum(amount)", Some(GIFTS / 10 * 9 * 5)),
            ("donor_cohorts", "sum(amount)", Some(GIFTS / 10 * 9 * 5)),
            ("donor_rfm", "sum(gifts)", Some(GIFTS / 10 * 9)),
            ("donors_lybunt", "count(*)", None),
            ("donors_sybunt", "count(*)", None),
            ("recurring_by_month", "count(*)", None),
        ] {
            let (time, row) = ask(&format!("SELECT {} FROM {view}", whole(count))).await;
            took.push((view, time));
            assert!(
                expected.is_none_or(|expected| number(&row) == expected),
                "{kind:?}: {view}: {}",
                number(&row)
            );
        }

        for report in [
            Report::Donors,
            Report::Engagement,
            Report::Campaigns,
            Report::Supporters,
        ] {
            for of in [None, Some(10_001)] {
                let begin = Instant::now();
                let rows = store.report(report, of, 0, 20_000).await.unwrap();
                took.push(("report", begin.elapsed()));
                assert!(
                    rows.iter().all(|row| row[0] == Cell::Int(10_001)),
                    "{report:?}"
                );
                assert!(report != Report::Supporters || rows.len() == PEOPLE as usize);
            }
        }
        let begin = Instant::now();
        let months = store
            .giving_by_month(10_001, Time::from_timestamp(0, 0).unwrap())
            .await
            .unwrap();
        took.push(("giving by month", begin.elapsed()));
        assert_eq!(
            months.iter().map(|month| month.gifts).sum::<u64>(),
            GIFTS as u64 / 10 * 9
        );
        let begin = Instant::now();
        store.feed_summaries().await.unwrap();
        store.runs(Some(10_001), 50).await.unwrap();
        store
            .past_runs(
                10_001,
                Entity::Transactions,
                Mode::Incremental,
                Time::from_timestamp(9_000_000_000, 0).unwrap(),
            )
            .await
            .unwrap();
        store
            .reject_counts(Time::from_timestamp(0, 0).unwrap())
            .await
            .unwrap();
        store.plugin_lags(None).await.unwrap();
        store.plugin_lags(Some(1)).await.unwrap();
        store.delivery_counts(10_001).await.unwrap();
        store.audit_rows(Some(10_001), 50).await.unwrap();
        store.alerts(Some(10_001), true, 50).await.unwrap();
        took.push(("what else pages ask", begin.elapsed()));
        let begin = Instant::now();
        store.check().await.unwrap();
        took.push(("what db check asks", begin.elapsed()));

        println!("{kind:?}: {took:?}");
        // A plan that goes wrong takes minutes. What a question may take on a machine at rest is
        // measured by the benches.
        assert!(
            took.iter().all(|(_, time)| *time < Duration::from_secs(20)),
            "{kind:?}: {took:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_leaves_the_database_with_statistics() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = Store::connect(&Settings {
            url: fresh.url.clone().into(),
            max_connections: 4,
        })
        .await
        .unwrap();
        store.migrate().await.unwrap();
        let connection = fresh.connect().await;
        // So that nobody else gathers them.
        let never = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some("SET (autovacuum_enabled = false)"),
            Kind::MySql => Some("STATS_AUTO_RECALC = 0"),
        };
        if let Some(never) = never {
            connection
                .execute_unprepared(&format!("ALTER TABLE supporters {never}"))
                .await
                .unwrap();
        }
        let tenant = store.tenant(&store.put_organization(10_001, "One").await.unwrap());
        let fence = tenant
            .acquire("here", Duration::from_secs(60))
            .await
            .unwrap();
        let known = match kind {
            Kind::Sqlite => {
                "SELECT CAST(COALESCE(MAX(CAST(stat AS INTEGER)), 0) AS BIGINT) AS n FROM sqlite_stat1 WHERE tbl = 'supporters'"
            }
            Kind::Postgres => {
                "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM pg_stats WHERE tablename = 'supporters' AND attname = 'organization_id'"
            }
            Kind::MySql => {
                "SELECT CAST(n_rows AS SIGNED) AS n FROM mysql.innodb_table_stats WHERE database_name = DATABASE() AND table_name = 'supporters'"
            }
        };
        let is_known = async || match connection
            .query_one_raw(Statement::from_string(
                connection.get_database_backend(),
                known,
            ))
            .await
        {
            Ok(row) => row.is_some_and(|row| row.try_get::<i64>("", "n").unwrap() > 0),
            // SQLite's table of statistics is made with the first of them.
            Err(_) => false,
        };
        assert!(!is_known().await, "{kind:?}");
        let people = (1..=1_200)
            .map(|id| {
                Item::Good(Supporter {
                    id,
                    ..Supporter::default()
                })
            })
            .collect();
        tenant.commit(&fence, &Batch::of(people)).await.unwrap();
        assert!(store.keep_statistics().await.unwrap());
        assert!(is_known().await, "{kind:?}");
        assert!(
            !store.keep_statistics().await.unwrap(),
            "nothing was written since"
        );
    }
}
