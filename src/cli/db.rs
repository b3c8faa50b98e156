//! `db`: schema and health of the database.

use super::app::{App, done};
use super::args::{Cli, Db};
use super::dictionary;
use super::exit::{Code, Failure};
use super::output;
use crate::entities::Entity;
use crate::store::Store;
use serde_json::json;
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, order: &Db) -> Result<ExitCode, Failure> {
    if let Db::Dictionary { format } = order {
        dictionary::print(cli, *format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let app = App::start(cli)?;
    let store = match order {
        Db::Migrate => Store::connect(&app.settings()).await?,
        Db::Optimize => app.store_that_exists().await?,
        _ => Store::connect_to_read(&app.settings()).await?,
    };
    let mut code = ExitCode::SUCCESS;
    match order {
        Db::Migrate => {
            let applied = store.migrate().await?;
            output::rows(
                cli.output,
                &["applied"],
                applied.iter().map(|name| vec![json!(name)]).collect(),
                "the schema was up to date",
            )?;
        }
        Db::Status => {
            let rows = store
                .schema_status()
                .await?
                .into_iter()
                .map(|(name, applied)| vec![json!(name), json!(applied)])
                .collect();
            output::rows(cli.output, &["migration", "applied"], rows, "")?;
        }
        Db::Check => {
            store.require_readable().await?;
            let found = store.check().await?;
            let violations: u64 = found.iter().map(|one| one.count).sum();
            let rows = found
                .into_iter()
                .map(|one| vec![json!(one.name), json!(one.count), json!(one.holds)])
                .collect();
            output::rows(
                cli.output,
                &["invariant", "violations", "must_hold"],
                rows,
                "",
            )?;
            if violations > 0 {
                code = ExitCode::from(Code::Database as u8);
            }
        }
        Db::Fields => {
            store.require_readable().await?;
            let fields = store.unread_fields().await?;
            let of = |entity: Entity| {
                fields
                    .iter()
                    .filter(|one| one.entity == entity.as_str())
                    .count()
            };
            let counts = Entity::ALL
                .into_iter()
                .filter(|entity| of(*entity) > 0)
                .map(|entity| format!("{} of {entity}", of(entity)));
            let counts: Vec<String> = counts.collect();
            let rows = fields
                .into_iter()
                .map(|one| {
                    vec![
                        json!(one.entity),
                        json!(one.name),
                        json!(one.first_seen_at.to_rfc3339()),
                    ]
                })
                .collect();
            output::rows(
                cli.output,
                &["feed", "field", "first_seen_at"],
                rows,
                "every field of what was read so far is kept",
            )?;
            if !counts.is_empty() {
                output::remark(&format!("not kept: {}", counts.join(", ")));
            }
        }
        // Printed above, without a database.
        Db::Dictionary { .. } => {}
        Db::Optimize => {
            store.optimize().await?;
            done("the database has gathered its statistics anew");
        }
    }
    store.close().await?;
    Ok(code)
}
