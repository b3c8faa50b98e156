//! Views that later migrations make, each frozen with the one that first made it.

use crate::dialect::Dialect;
use sea_orm_migration::prelude::*;

pub(crate) async fn create_view(
    manager: &SchemaManager<'_>,
    name: &str,
    body: &str,
) -> Result<(), DbErr> {
    drop_view(manager, name).await?;
    manager
        .get_connection()
        .execute_unprepared(&format!("CREATE VIEW {name} AS {body}"))
        .await
        .map(drop)
}

pub(crate) async fn drop_view(manager: &SchemaManager<'_>, name: &str) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared(&format!("DROP VIEW IF EXISTS {name}"))
        .await
        .map(drop)
}

/// What each record of a kind brought in, as the body of a view: gifts that count, in the
/// organization's currency. The gifts of one are looked up by an index, so that a question about
/// one organization does not read all others'.
pub(crate) fn performance(
    t: Dialect,
    table: &str,
    link: &str,
    index: &str,
    columns: &str,
) -> String {
    let (hint, not_stub) = match t {
        Dialect::MySql => (format!(" FORCE INDEX ({index})"), "v.is_stub = 0"),
        Dialect::Postgres => (String::new(), "NOT v.is_stub"),
        Dialect::Sqlite => (String::new(), "v.is_stub = 0"),
    };
    let sum = |amount: &str| match t {
        // Whole ten-thousandths: a sum of floats need not be exact.
        Dialect::Sqlite => {
            format!("COALESCE(SUM(CAST(ROUND({amount} * 10000) AS INTEGER)), 0) / 10000.0")
        }
        _ => format!("COALESCE(SUM({amount}), 0)"),
    };
    let of = |what: &str, more: &str| {
        format!(
            "(SELECT {what} FROM transactions AS t{hint} WHERE t.organization_id = v.organization_id AND t.{link} = v.id \
             AND t.absent_since IS NULL AND {more})"
        )
    };
    let gift = "t.status = 'success'";
    format!(
        "SELECT v.organization_id, v.id AS {link}, {columns}, {raised} AS raised, {donors} AS donors, {gifts} AS gifts, \
         {refunds} AS refunds, {net} AS net_after_fees, {first} AS first_gift_at, {last} AS last_gift_at \
         FROM {table} AS v WHERE {not_stub} AND v.absent_since IS NULL",
        raised = of(&sum("t.total_gross_amount"), gift),
        donors = of("COUNT(DISTINCT t.supporter_id)", gift),
        gifts = of("COUNT(*)", gift),
        refunds = of("COUNT(*)", "t.status = 'refunded'"),
        net = of(&sum("t.donation_net_amount"), gift),
        first = of("MIN(t.purchased_at)", gift),
        last = of("MAX(t.purchased_at)", gift),
    )
}
