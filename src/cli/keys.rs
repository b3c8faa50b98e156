//! `keys`: made, listed, rotated.

use super::app::{App, done};
use super::args::{Cli, Keys};
use super::exit::Failure;
use super::init::new_key_id;
use super::output;
use crate::credentials::{key_use, rotate};
use crate::vault::{KeyRing, add_key_to_file, generate_key_line};
use secrecy::ExposeSecret;
use serde_json::json;

pub(super) async fn run(cli: &Cli, order: &Keys) -> Result<(), Failure> {
    let app = App::start(cli)?;
    match order {
        Keys::Generate { id, write } => {
            let id = id.clone().unwrap_or_else(new_key_id);
            let line = generate_key_line(&id);
            // An id that is no id is found before anything is written.
            KeyRing::parse(line.expose_secret())?;
            if *write {
                let file = &app.config.vault.key_file;
                add_key_to_file(file, &line)?;
                done(&format!("'{id}' is the current key in {}; keep a copy in a safe place", file.display()));
                done("`classy-sync keys rotate` seals everything with it");
            } else {
                output::line(line.expose_secret());
            }
        }
        Keys::List => {
            let (vault, store) = (app.vault()?, app.store().await?);
            let row = |key: crate::credentials::KeyUse| {
                vec![json!(key.id), json!(key.present), json!(key.current), json!(key.organizations.len())]
            };
            let rows = key_use(&store, &vault).await?.into_iter().map(row).collect();
            output::rows(cli.output, &["key", "present", "current", "organizations"], rows);
            store.close().await?;
        }
        Keys::Rotate => {
            let (vault, store) = (app.vault()?, app.store().await?);
            let rotated = rotate(&store, &vault).await?;
            store.audit(None, "keys.rotate", "vault", json!({ "resealed": rotated.resealed, "key": vault.current_key_id() })).await?;
            let facts = vec![("resealed", json!(rotated.resealed)), ("sealed_with_the_current_key_before", json!(rotated.current))];
            output::facts(cli.output, facts);
            store.close().await?;
        }
    }
    Ok(())
}
