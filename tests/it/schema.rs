//! The schema on every database: made, made at once by several, unmade, as its entities are,
//! refused when it is newer.

use crate::backend::{Fresh, Kind, kinds, store};
use classy_sync::entities;
use classy_sync::store::Error;
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IdenStatic, Iterable,
    PrimaryKeyToColumn, QueryResult, Statement,
};
use std::collections::{BTreeMap, BTreeSet};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_made_unmade_and_made_again() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let connection = fresh.connect().await;
        Migrator::up(&connection, None).await.unwrap();
        Migrator::down(&connection, None).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        for (table, columns) in FIXED {
            connection
                .execute_unprepared(&format!("SELECT {columns} FROM {table} WHERE 1 = 0"))
                .await
                .unwrap_or_else(|error| panic!("{kind:?} {table}: {error}"));
        }
        connection.close().await.unwrap();
    }
}

/// The columns of a table, and which of them may be empty, as the database tells them.
async fn columns_of(
    connection: &DatabaseConnection,
    kind: Kind,
    table: &str,
) -> BTreeMap<String, bool> {
    let text = match kind {
        Kind::Sqlite => format!(
            "SELECT name AS column_name, CASE WHEN \"notnull\" = 0 THEN 'YES' ELSE 'NO' END AS nullable FROM pragma_table_info('{table}')"
        ),
        Kind::Postgres => format!(
            "SELECT column_name::text AS column_name, is_nullable::text AS nullable FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
        Kind::MySql => format!(
            "SELECT column_name AS column_name, is_nullable AS nullable FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ),
    };
    let rows = connection
        .query_all_raw(Statement::from_string(
            connection.get_database_backend(),
            text,
        ))
        .await
        .unwrap();
    let column = |row: &QueryResult| {
        let nullable: String = row.try_get("", "nullable").unwrap();
        (row.try_get("", "column_name").unwrap(), nullable == "YES")
    };
    rows.iter().map(column).collect()
}

/// What the program takes a table for is what the migrations made of it.
async fn is_as_made<E: EntityTrait>(connection: &DatabaseConnection, kind: Kind, _: E) {
    let table = E::default().table_name().to_owned();
    let keys: BTreeSet<String> = E::PrimaryKey::iter()
        .map(|key| key.into_column().as_str().to_owned())
        .collect();
    let made = columns_of(connection, kind, &table).await;
    let taken: BTreeMap<String, bool> = E::Column::iter()
        .map(|column| (column.as_str().to_owned(), column.def().is_null()))
        .collect();
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        taken.keys().collect::<Vec<_>>(),
        "{kind:?} {table}"
    );
    for (column, nullable) in taken.iter().filter(|(column, _)| !keys.contains(*column)) {
        assert_eq!(
            made[column], *nullable,
            "{kind:?} {table}.{column}: may it be empty?"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entity_is_its_table() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let connection = fresh.connect().await;
        Migrator::up(&connection, None).await.unwrap();
        is_as_made(&connection, kind, entities::absence_suspect::Entity).await;
        is_as_made(&connection, kind, entities::alert::Entity).await;
        is_as_made(&connection, kind, entities::audit_entry::Entity).await;
        is_as_made(&connection, kind, entities::checkpoint::Entity).await;
        is_as_made(&connection, kind, entities::chore::Entity).await;
        is_as_made(&connection, kind, entities::daemon::Entity).await;
        is_as_made(&connection, kind, entities::health_sample::Entity).await;
        is_as_made(&connection, kind, entities::lease::Entity).await;
        is_as_made(&connection, kind, entities::organization::Entity).await;
        is_as_made(&connection, kind, entities::plugin_adoption::Entity).await;
        is_as_made(&connection, kind, entities::plugin_delivery::Entity).await;
        is_as_made(&connection, kind, entities::plugin_grant::Entity).await;
        is_as_made(&connection, kind, entities::plugin_guard::Entity).await;
        is_as_made(&connection, kind, entities::plugin_harm::Entity).await;
        is_as_made(&connection, kind, entities::plugin_hold::Entity).await;
        is_as_made(&connection, kind, entities::plugin_hook::Entity).await;
        is_as_made(&connection, kind, entities::plugin_image::Entity).await;
        is_as_made(&connection, kind, entities::plugin_member::Entity).await;
        is_as_made(&connection, kind, entities::plugin_state::Entity).await;
        is_as_made(&connection, kind, entities::plugin_suppression::Entity).await;
        is_as_made(&connection, kind, entities::plugin_undo::Entity).await;
        is_as_made(&connection, kind, entities::reject::Entity).await;
        is_as_made(&connection, kind, entities::sync_run::Entity).await;
        is_as_made(&connection, kind, entities::unread_field::Entity).await;
        is_as_made(&connection, kind, entities::zone_clock::Entity).await;
        is_as_made(&connection, kind, entities::zone_year::Entity).await;
        connection.close().await.unwrap();
    }
}

/// Names that other programs are written against.
const FIXED: &[(&str, &str)] = &[
    (
        "organizations",
        "id, classy_id, name, status, status_reason, credentials_encrypted, timezone, currency_code, change_seq, created_at, updated_at",
    ),
    (
        "supporters",
        "id, organization_id, email_address, first_name, last_name, phone, address1, address2, city, state, postal_code, country, email_opt_in, \
         consent_decided_at, origin, source_campaign_id, member_id, lifetime_donation_amount, lifetime_donation_count, monthly_recurring_amount, \
         first_donation_at, last_donation_at, largest_donation_amount, source_created_at, source_updated_at, change_seq, absent_since, is_stub, \
         first_seen_at, last_sync_at",
    ),
    (
        "transactions",
        "id, organization_id, supporter_id, campaign_id, recurring_plan_id, parent_transaction_id, designation_id, status, total_gross_amount, \
         donation_gross_amount, donation_net_amount, fees_amount, currency_code, raw_total_gross_amount, raw_currency_code, \
         charged_total_gross_amount, charged_currency_code, frequency, payment_method, payment_type, is_anonymous, purchased_at, refunded_at, \
         source_updated_at, absent_since, last_sync_at",
    ),
    (
        "campaigns",
        "id, organization_id, name, status, type, goal, total_raised, donors_count, transactions_count, currency_code, timezone, canonical_url, \
         started_at, ended_at, source_created_at, source_updated_at, absent_since, is_stub, last_sync_at",
    ),
    (
        "recurring_plans",
        "id, organization_id, supporter_id, campaign_id, amount, currency_code, frequency, status, is_paused, started_at, next_payment_date, \
         canceled_at, source_created_at, source_updated_at, absent_since, is_stub, last_sync_at",
    ),
    (
        "checkpoints",
        "organization_id, entity, mode, watermark, page, pass_id",
    ),
    (
        "sync_runs",
        "organization_id, entity, mode, reason, outcome, started_at, finished_at, requests, pages, bytes, seen, inserted, updated, unchanged, rejected, error",
    ),
    (
        "rejects",
        "organization_id, entity, source_id, reason, first_seen_at, last_seen_at, resolved_at",
    ),
    ("leases", "organization_id, holder, epoch, expires_at"),
    ("plugin_states", "organization_id, plugin"),
    (
        "plugin_deliveries",
        "organization_id, plugin, destination, supporter_id, fingerprint, state, reason, attempts, next_attempt_at, review_at, delivered_at",
    ),
    (
        "plugin_members",
        "organization_id, plugin, destination, remote_id, supporter_id, remote_status, managed_tags, subscribed_by_us, ever_left_at, last_seen_at",
    ),
    (
        "audit_log",
        "id, actor, organization_id, action, subject, detail",
    ),
    (
        "alerts",
        "id, organization_id, severity, message, opened_at, last_seen_at, acknowledged_at, resolved_at",
    ),
    ("health_samples", "organization_id, metric"),
    (
        "supporter_summary",
        "organization_id, donor_segment, engagement_status, giving_type, average_gift, days_since_last_gift, gifts_last_12_months, active_plans",
    ),
    (
        "campaign_performance",
        "organization_id, goal, raised, percent_of_goal, donors, gifts, average_gift, refunds, net_after_fees, days_running, raised_per_day, status",
    ),
    (
        "donor_value_distribution",
        "organization_id, donor_segment, supporters, total, average, share_of_giving, monthly_recurring",
    ),
    (
        "donor_engagement_distribution",
        "organization_id, engagement_status, supporters, total, average_gift, opted_in",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn several_may_migrate_at_once() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let store = store(&fresh).await;
            tasks.spawn(async move { store.migrate().await.map(|applied| applied.len()) });
        }
        let applied: Vec<usize> = tasks
            .join_all()
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            applied.iter().sum::<usize>(),
            Migrator::migrations().len(),
            "{kind:?}: one of them did it"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_and_an_older_one_named() {
    for kind in kinds() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = Fresh::new(kind, folder.path()).await;
        let store = store(&fresh).await;
        assert!(matches!(
            store.require_schema().await,
            Err(Error::SchemaBehind { .. })
        ));
        store.migrate().await.unwrap();
        store.require_schema().await.unwrap();
        let connection = fresh.connect().await;
        connection
            .execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_future', 0)")
            .await
            .unwrap();
        for result in [
            store.migrate().await.map(drop),
            store.require_schema().await,
        ] {
            assert!(
                matches!(result, Err(Error::SchemaNewer { unknown }) if unknown == "m29990101_000001_future")
            );
        }
        connection.close().await.unwrap();
    }
}
