//! What the database must hold, told apart from the program: the source's records by the map in
//! `columns`, and their totals.

mod columns;

use crate::backend::Fresh;
use chrono::{DateTime, Utc};
use classy_sync::simulator::{Fault, Kind, Simulator};
use columns::As::{self, Flag, Json, Money, Number, Text, Time};
use columns::{TRANSACTIONS, table};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Rows = BTreeMap<i64, Vec<Option<String>>>;

/// One spelling for equal values.
fn normal(kind: As, text: Option<String>) -> Option<String> {
    let text = text.filter(|text| !text.is_empty())?;
    Some(match kind {
        Text | Number => text,
        Json => serde_json::from_str::<Value>(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .to_string(),
        Money => text
            .parse::<Decimal>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .round_dp(4)
            .normalize()
            .to_string(),
        Flag => if ["true", "t", "1"].contains(&text.as_str()) {
            "yes"
        } else {
            "no"
        }
        .to_owned(),
        Time => moment(&text).to_rfc3339(),
    })
}

fn moment(text: &str) -> DateTime<Utc> {
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return at.with_timezone(&Utc);
        }
    }
    chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .and_utc()
}

fn at_source(simulator: &Simulator, organization: i64, kind: Kind) -> Rows {
    let (_, map) = table(kind);
    let world = simulator.world();
    // Of what may go wrong this alone changes which values there are.
    let faults: Vec<Fault> = [Fault::NewKeys]
        .into_iter()
        .filter(|fault| world.has(*fault))
        .collect();
    world.organizations[&organization].lists[&kind]
        .iter()
        .map(|record| {
            let mut json = String::new();
            record.render(&faults, &mut json);
            let fields: Value = serde_json::from_str(&json).unwrap();
            let value = |name: &str| match &fields[name] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            (
                record.id,
                map.iter()
                    .map(|(field, _, kind)| normal(*kind, value(field)))
                    .collect(),
            )
        })
        .collect()
}

async fn stored(
    fresh: &Fresh,
    connection: &DatabaseConnection,
    organization: i64,
    kind: Kind,
) -> Rows {
    let (table, map) = table(kind);
    let quote = if fresh.kind == crate::backend::Kind::MySql {
        '`'
    } else {
        '"'
    };
    let columns = map.iter().enumerate().map(|(index, (_, column, _))| {
        format!(
            "{} AS c{index}",
            fresh.text(&format!("t.{quote}{column}{quote}"))
        )
    });
    let not_stub = match (kind, fresh.kind) {
        (Kind::Transactions, _) => "TRUE",
        (_, crate::backend::Kind::Postgres) => "NOT t.is_stub",
        _ => "t.is_stub = 0",
    };
    let text = format!(
        "SELECT t.id, {} FROM {table} AS t JOIN organizations AS o ON o.id = t.organization_id \
         WHERE o.classy_id = {organization} AND t.absent_since IS NULL AND {not_stub}",
        columns.collect::<Vec<_>>().join(", ")
    );
    let rows = connection
        .query_all_raw(Statement::from_string(
            connection.get_database_backend(),
            text,
        ))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let value = |index: usize, kind: As| {
                normal(kind, row.try_get("", &format!("c{index}")).unwrap())
            };
            (
                row.try_get("", "id").unwrap(),
                map.iter()
                    .enumerate()
                    .map(|(index, (_, _, kind))| value(index, *kind))
                    .collect(),
            )
        })
        .collect()
}

/// Ids and every mapped column equal the source's, and every total equals a fresh sum.
pub async fn assert_exact(simulator: &Simulator, fresh: &Fresh, organization: i64) {
    for kind in Kind::ALL {
        assert_list(simulator, fresh, organization, kind).await;
    }
    assert_totals(simulator, fresh, organization).await;
}

/// Ids and every mapped column of one list equal the source's.
pub async fn assert_list(simulator: &Simulator, fresh: &Fresh, organization: i64, kind: Kind) {
    let connection = fresh.connect().await;
    let (table, map) = table(kind);
    let (source, here) = (
        at_source(simulator, organization, kind),
        stored(fresh, &connection, organization, kind).await,
    );
    let lacking: Vec<_> = source.keys().filter(|id| !here.contains_key(id)).collect();
    let surplus: Vec<_> = here.keys().filter(|id| !source.contains_key(id)).collect();
    assert!(
        lacking.is_empty() && surplus.is_empty(),
        "{:?} {table}: lacks {lacking:?}, has too many {surplus:?}",
        fresh.kind
    );
    for (id, row) in &source {
        for (index, (_, column, _)) in map.iter().enumerate() {
            assert_eq!(
                here[id][index], row[index],
                "{:?} {table} {id} {column}",
                fresh.kind
            );
        }
    }
    connection.close().await.unwrap();
}

/// What somebody gave, or a campaign raised.
#[derive(Default)]
struct Sum {
    amount: Decimal,
    gifts: i64,
    last: Option<String>,
    donors: BTreeSet<String>,
}

/// Giving totals, from the source's own records.
async fn assert_totals(simulator: &Simulator, fresh: &Fresh, organization: i64) {
    let connection = fresh.connect().await;
    let gifts = at_source(simulator, organization, Kind::Transactions);
    let column = |name: &str| {
        TRANSACTIONS
            .iter()
            .position(|(_, column, _)| *column == name)
            .unwrap()
    };
    let (supporter, campaign, status, amount, at) = (
        column("supporter_id"),
        column("campaign_id"),
        column("status"),
        column("total_gross_amount"),
        column("purchased_at"),
    );
    let mut sums: BTreeMap<(&str, i64), Sum> = BTreeMap::new();
    for gift in gifts.values().filter(|gift| {
        let amount = gift[amount].as_ref();
        gift[status].as_deref() == Some("success")
            && amount.is_some_and(|text| text.parse::<Decimal>().unwrap() > Decimal::ZERO)
    }) {
        for (table, link) in [("supporters", supporter), ("campaigns", campaign)] {
            let Some(id) = gift[link].as_ref().map(|id| id.parse::<i64>().unwrap()) else {
                continue;
            };
            let entry = sums.entry((table, id)).or_default();
            entry.amount += gift[amount]
                .as_ref()
                .map_or(Decimal::ZERO, |text| text.parse().unwrap());
            entry.gifts += 1;
            entry.last = entry.last.clone().max(gift[at].clone());
            entry.donors.extend(gift[supporter].clone());
        }
    }
    for (table, sum, count, last, donors) in [
        (
            "supporters",
            "lifetime_donation_amount",
            "lifetime_donation_count",
            "last_donation_at",
            "1",
        ),
        (
            "campaigns",
            "total_raised",
            "transactions_count",
            "NULL",
            "donors_count",
        ),
    ] {
        let text = format!(
            "SELECT t.id, {} AS total, {} AS gifts, {} AS last_gift, {} AS donors FROM {table} AS t JOIN organizations AS o ON o.id = t.organization_id WHERE o.classy_id = {organization}",
            fresh.text(sum),
            fresh.text(count),
            fresh.text(last),
            fresh.text(donors)
        );
        for row in connection
            .query_all_raw(Statement::from_string(
                connection.get_database_backend(),
                text,
            ))
            .await
            .unwrap()
        {
            let id: i64 = row.try_get("", "id").unwrap();
            let expected = sums.remove(&(table, id)).unwrap_or_default();
            let total = normal(Money, row.try_get("", "total").unwrap()).unwrap();
            assert_eq!(
                total,
                expected.amount.round_dp(4).normalize().to_string(),
                "{:?} {table} {id} {sum}",
                fresh.kind
            );
            assert_eq!(
                row.try_get::<String>("", "gifts").unwrap(),
                expected.gifts.to_string(),
                "{table} {id} {count}"
            );
            if table == "campaigns" {
                assert_eq!(
                    row.try_get::<String>("", "donors").unwrap(),
                    expected.donors.len().to_string(),
                    "{table} {id} {donors}"
                );
            } else {
                assert_eq!(
                    normal(Time, row.try_get("", "last_gift").unwrap()),
                    expected.last,
                    "{table} {id} {last}"
                );
            }
        }
    }
    assert!(sums.is_empty(), "gifts of nobody: {:?}", sums.keys());
    connection.close().await.unwrap();
}
