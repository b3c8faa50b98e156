//! `sync --dry-run`: what would be read, and what plugins would do. Writes nothing, so it needs no lock and may run beside a daemon.

use super::app::{App, complain};
use super::args::{self, Cli, Output};
use super::exit::Failure;
use super::sync::{choose, entities, require_some};
use super::{output, plugin};
use crate::actors::Plan;
use crate::classy::{Client, Transport};
use crate::credentials::client;
use crate::domain::{Campaign, Entity, Query, RecurringPlan, Supporter, Transaction};
use crate::sync::Settings;
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn run(cli: &Cli, order: &args::Sync, app: &App) -> Result<ExitCode, Failure> {
    let (store, vault) = (app.store().await?, app.vault()?);
    let (applied, wrong) = app.organizations(&store, &vault).await?;
    let chosen = choose(&order.org, applied)?;
    require_some(&chosen, &wrong)?;
    let (transport, settings) = (Transport::new("")?, Plan::of(&app.config).engine);
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for applied in &chosen {
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
                json!(total(&client, entity, query, &settings).await?),
                json!(tenant.count(entity).await?),
            ]);
        }
    }
    let previews = if order.no_plugins { Vec::new() } else { plugin::preview_rows(&store, &vault, &chosen).await? };
    let headings = ["organization", "feed", "mode", "would_read", "stored"];
    if cli.output == Output::Json {
        let [feeds, plugins] = [output::objects(&headings, rows), output::objects(&plugin::PREVIEW, previews)];
        output::json(&json!({ "feeds": feeds, "plugins": plugins }));
    } else {
        output::rows(cli.output, &headings, rows);
        if !previews.is_empty() {
            output::rows(cli.output, &plugin::PREVIEW, previews);
        }
    }
    store.close().await?;
    complain(wrong);
    Ok(ExitCode::SUCCESS)
}

/// Asks a feed how much would be read.
async fn total(client: &Client, entity: Entity, query: Query, settings: &Settings) -> Result<u64, crate::classy::Error> {
    let size = settings.per_page;
    Ok(match entity {
        Entity::Supporters => client.page::<Supporter>(query, 1, size).await?.total,
        Entity::Campaigns => client.page::<Campaign>(query, 1, size).await?.total,
        Entity::RecurringPlans => client.page::<RecurringPlan>(query, 1, size).await?.total,
        Entity::Transactions => client.page::<Transaction>(query, 1, size).await?.total,
    })
}
