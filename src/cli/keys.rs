//! `keys`: made, listed, rotated.

use super::app::{App, done};
use super::args::{Cli, Keys, Output};
use super::exit::{Code, Failure};
use super::in_force::{Changed, tell_daemon};
use super::init::new_key_id;
use super::output;
use crate::credentials::{KeyUse, key_use, rotate};
use crate::store::Error;
use crate::vault::{KeyRing, Vault, add_key_to_file, generate_key_line};
use secrecy::ExposeSecret;
use serde_json::json;

pub(super) async fn run(cli: &Cli, order: &Keys) -> Result<(), Failure> {
    match order {
        Keys::Generate { id, write } => {
            let id = id.clone().unwrap_or_else(new_key_id);
            let line = generate_key_line(&id);
            // An id that is no id is found before anything is written.
            KeyRing::parse(line.expose_secret())?;
            if *write {
                let app = App::start(cli)?;
                let file = &app.config.vault.key_file;
                let unopened = unopened(&app).await;
                if unopened.iter().any(|key| key.id == id) {
                    let text = format!(
                        "credentials are sealed with another key of the name '{id}', which is not here"
                    );
                    return Err(Failure::new(Code::Configuration, text).hint(
                        "put that key's line back into the key file, or choose another --id",
                    ));
                }
                add_key_to_file(file, &line)?;
                name_unopened(&unopened);
                done(&format!(
                    "'{id}' is the current key in {}; keep a copy in a safe place",
                    file.display()
                ));
                done("`classy-sync keys rotate` seals everything with it");
                tell_daemon(&app, Changed::File).await;
            } else {
                // Where there is no configuration nothing is sealed here.
                if let Ok(app) = App::start(cli) {
                    name_unopened(&unopened(&app).await);
                }
                match cli.output {
                    Output::Table => output::line(line.expose_secret())?,
                    Output::Json => {
                        output::json(&json!({ "id": id, "line": line.expose_secret() }))?
                    }
                }
            }
        }
        Keys::List => {
            let app = App::start(cli)?;
            let store = app.store_to_read().await?;
            // Without any key the list is what a person needs most: which are missing, and for
            // whom.
            let (vault, lost) = match app.vault(&store).await {
                Ok(vault) => (vault, None),
                Err(failure) => (Vault::new(KeyRing::empty()), Some(failure)),
            };
            let row = |key: KeyUse| {
                vec![
                    json!(key.id),
                    json!(key.present),
                    json!(key.current),
                    json!(key.organizations.len()),
                ]
            };
            let rows = key_use(&store, &vault)
                .await?
                .into_iter()
                .map(row)
                .collect();
            output::rows(
                cli.output,
                &["key", "present", "current", "organizations"],
                rows,
                "there is no key",
            )?;
            store.close().await?;
            return lost.map_or(Ok(()), Err);
        }
        Keys::Rotate => {
            let app = App::start(cli)?;
            let store = app.store_that_exists().await?;
            let vault = app.vault(&store).await?;
            // It opens what is sealed with the current key from now on.
            tell_daemon(&app, Changed::File).await;
            let rotated = rotate(&store, &vault).await?;
            store
                .audit(
                    None,
                    "keys.rotate",
                    "vault",
                    json!({ "resealed": rotated.resealed, "key": vault.current_key_id() }),
                )
                .await?;
            let facts = vec![
                ("resealed", json!(rotated.resealed)),
                ("sealed_with_the_current_key_before", json!(rotated.current)),
            ];
            output::facts(cli.output, facts)?;
            store.close().await?;
        }
    }
    Ok(())
}

/// Keys that something is sealed with and that are not here: no new key opens that either. Says so
/// when it cannot be known.
async fn unopened(app: &App) -> Vec<KeyUse> {
    let found = async {
        let store = match app.store_to_read().await {
            Ok(store) => store,
            Err(failure)
                if failure.is::<Error>(|error| matches!(error, Error::NothingYet { .. })) =>
            {
                return Ok(Vec::new());
            }
            Err(failure) => return Err(failure),
        };
        let keys = KeyRing::load(&app.config.vault.keys, &app.config.vault.key_file)
            .unwrap_or_else(|_| KeyRing::empty());
        let uses = key_use(&store, &Vault::new(keys)).await?;
        store.close().await?;
        Ok::<_, Failure>(uses.into_iter().filter(|key| !key.present).collect())
    };
    found.await.unwrap_or_else(|failure| {
        output::remark(&format!(
            "whether credentials are sealed with a key that is not here is not known: {}",
            failure.text()
        ));
        Vec::new()
    })
}

fn name_unopened(keys: &[KeyUse]) {
    for KeyUse {
        id, organizations, ..
    } in keys
    {
        let whose = output::counted(organizations.len() as u64, "organization", "organizations");
        output::remark(&format!(
            "warning: the credentials of {whose} are sealed with the key '{id}', which is not here, and a new key does not open them: put its line \
             back into the key file, below the current one, or give the credentials anew (`classy-sync org set-credentials ID`)"
        ));
    }
}
