//! `sync --dry-run`: what would be read, and what plugins would do. Writes nothing, so it needs no
//! lock and may run beside a daemon.

use super::app::{App, Expected, print_config_errors};
use super::args::{self, Cli, Output};
use super::chosen::{choose, entities, require_some};
use super::exit::Failure;
use super::{output, plugin_preview};
use crate::actors::Plan;
use crate::classy::{Client, Transport};
use crate::credentials::{Applied, client};
use crate::domain::Query;
use crate::entities::{ForRecord, Record};
use crate::status::OrganizationReport;
use crate::store::Store;
use crate::sync::Settings;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, order: &args::Sync, app: &App) -> Result<ExitCode, Failure> {
    let Expected {
        places,
        vault,
        wrong,
        store,
    } = app.expect().await?;
    let chosen = choose(
        &order.org,
        places.iter().map(|(_, applied)| applied.clone()).collect(),
    )?;
    require_some(&chosen, &wrong)?;
    chosen.name_paused();
    let refused = chosen.refused.iter().find_map(OrganizationReport::fault);
    if let Some(fault) = refused {
        return Err(fault.into());
    }
    let is_chosen = |applied: &Applied| {
        chosen
            .synced
            .iter()
            .any(|one| one.organization.classy_id == applied.organization.classy_id)
    };
    let chosen: Vec<(Store, Applied)> = places
        .into_iter()
        .filter(|(_, applied)| is_chosen(applied))
        .collect();
    let plan = Plan::of(&app.config);
    let (transport, settings) = (Transport::new("")?, plan.engine);
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (store, applied) in &chosen {
        if let Some(problem) = &applied.problem {
            return Err(problem.clone().into());
        }
        let client = client(&transport, &vault, &applied.organization, &applied.file)?;
        let tenant = store.tenant(&applied.organization);
        for entity in entities(order) {
            let state = tenant.feed_state(entity).await?;
            let begun = state.first_pass_at.is_some() && state.pass.is_none();
            let query = match state.watermark.filter(|_| begun) {
                Some(watermark) => Query::LatestSince(watermark - settings.overlap),
                None => Query::All,
            };
            rows.push(vec![
                json!(applied.organization.classy_id),
                json!(entity.as_str()),
                json!(if begun { "incremental" } else { "full" }),
                json!(
                    entity
                        .with(Total {
                            client: &client,
                            query,
                            settings: &settings
                        })
                        .await?
                ),
                json!(tenant.count(entity).await?),
            ]);
        }
    }
    let mut previews = Vec::new();
    for (store, applied) in chosen.iter().filter(|_| !order.no_plugins) {
        previews.extend(
            plugin_preview::preview_chosen(
                store,
                &vault,
                std::slice::from_ref(applied),
                &plan.guard,
            )
            .await?,
        );
    }
    let (columns, previews) = plugin_preview::table(&previews, false);
    let headings = ["organization", "feed", "mode", "would_read", "stored"];
    if cli.output == Output::Json {
        let [feeds, plugins] = [
            output::objects(&headings, rows),
            output::objects(&columns, previews),
        ];
        output::json(&json!({ "feeds": feeds, "plugins": plugins }))?;
    } else {
        output::rows(cli.output, &headings, rows, "nothing would be read")?;
        if !previews.is_empty() {
            output::rows(cli.output, &columns, previews, "")?;
        }
    }
    store.close().await?;
    print_config_errors(wrong);
    Ok(ExitCode::SUCCESS)
}

/// Asks a feed how much would be read.
struct Total<'a> {
    client: &'a Client,
    query: Query,
    settings: &'a Settings,
}

impl<'a> ForRecord for Total<'a> {
    type Output = BoxFuture<'a, Result<u64, crate::classy::Error>>;

    fn call<R: Record>(self) -> Self::Output {
        Box::pin(async move {
            Ok(self
                .client
                .page::<R>(self.query, 1, self.settings.per_page)
                .await?
                .total)
        })
    }
}
