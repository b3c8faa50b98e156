//! `plugin webhook`: the webhook by which the other side tells of changes at once, set up there by
//! its API. Its secret is sealed in the same step: nobody sees it, and nothing has to be copied.

use super::app::{App, done};
use super::args::{WebhookCreate, WebhookOrder};
use super::exit::{Code, Failure};
use super::in_force::{Changed, tell_daemon};
use super::output;
use super::plugin_selection::{PluginSelection, failed};
use crate::config::check_url;
use crate::credentials::{self, Applied};
use crate::integrations;
use crate::plugin::{Hook, Hooks, NewHook};
use crate::store::{self, PluginKey, TenantStore};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

const HEADINGS: [&str; 7] = [
    "organization",
    "plugin",
    "destination",
    "webhook",
    "url",
    "state",
    "heard_at",
];

/// One plugin whose other side has webhooks.
struct Place<'a> {
    applied: &'a Applied,
    name: &'a str,
    tenant: TenantStore,
    key: PluginKey,
    hooks: Box<dyn Hooks>,
}

pub(super) async fn run(
    selection: &PluginSelection<'_>,
    app: &App,
    order: &WebhookOrder,
) -> Result<(), Failure> {
    let mut places = Vec::new();
    for (applied, name, tenant, key) in selection.plugins()? {
        if let Some(hooks) = integrations::hooks(selection.vault, applied, name).map_err(failed)? {
            places.push(Place {
                applied,
                name,
                tenant,
                key,
                hooks,
            });
        }
    }
    if places.is_empty() {
        return Err(Failure::new(
            Code::Configuration,
            "no plugin that is meant has webhooks which can be set up",
        ));
    }
    let mut rows = Vec::new();
    for place in &places {
        match order {
            WebhookOrder::List(_) => rows.extend(place.list().await?),
            WebhookOrder::Create(asked) => rows.push(place.create(selection, app, asked).await?),
            WebhookOrder::Delete(_) => rows.extend(place.delete(selection).await?),
        }
    }
    if !matches!(order, WebhookOrder::List(_)) {
        tell_daemon(app, Changed::File).await;
    }
    output::rows(selection.cli.output, &HEADINGS, rows, "there is no webhook")
}

impl Place<'_> {
    fn row(
        &self,
        hook: &str,
        url: &str,
        state: &str,
        heard_at: Option<crate::domain::Time>,
    ) -> Vec<Value> {
        let heard_at = heard_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        let id = self.applied.organization.classy_id;
        vec![
            json!(id),
            json!(self.name),
            json!(self.key.destination),
            json!(hook),
            json!(url),
            json!(state),
            json!(heard_at),
        ]
    }

    /// Whether a webhook tells this organization's own path, whatever the host.
    fn is_ours(&self, hook: &Hook) -> bool {
        Url::parse(&hook.url).is_ok_and(|url| {
            url.path()
                .ends_with(&path(self.name, self.applied.organization.classy_id))
        })
    }

    async fn list(&self) -> Result<Vec<Vec<Value>>, Failure> {
        let known = self.tenant.hook(&self.key).await?;
        let state = |hook: &Hook| match (self.is_ours(hook), hook.is_as_wanted) {
            (false, _) => "foreign",
            (true, false) => "tells something else",
            (true, true) if known.as_ref().is_some_and(|known| known.missed > 0) => "silent",
            (true, true) => "ours",
        };
        let heard = |hook: &Hook| {
            known
                .as_ref()
                .filter(|_| self.is_ours(hook))
                .and_then(|known| known.heard_at)
        };
        let found = self.hooks.list().await.map_err(failed)?;
        Ok(found
            .iter()
            .map(|hook| self.row(&hook.id, &hook.url, state(hook), heard(hook)))
            .collect())
    }

    async fn create(
        &self,
        selection: &PluginSelection<'_>,
        app: &App,
        asked: &WebhookCreate,
    ) -> Result<Vec<Value>, Failure> {
        let classy_id = self.applied.organization.classy_id;
        let url = address(
            self.name,
            classy_id,
            asked.url.as_deref().unwrap_or(&app.config.http.public_url),
        )?;
        let table = self
            .applied
            .file
            .plugins
            .get(self.name)
            .and_then(toml::Value::as_table);
        if table.is_some_and(|table| table.contains_key(self.hooks.secret_key())) {
            let text = format!(
                "plugins.{}.{} is in the organization's file",
                self.name,
                self.hooks.secret_key()
            );
            let hint = "take it out: a new webhook has a secret of its own, which is sealed in the database and would be replaced by it";
            return Err(Failure::new(Code::Configuration, text).hint(hint));
        }
        let found = self.hooks.list().await.map_err(failed)?;
        let known = self.tenant.hook(&self.key).await?;
        let has_secret = self.secret(selection).await?.is_some();
        let there: Vec<&Hook> = found
            .iter()
            .filter(|hook| hook.url == url.as_str())
            .collect();
        if let ([hook], Some(known)) = (there.as_slice(), &known)
            && hook.is_as_wanted
            && has_secret
            && known.remote_id == hook.id
            && known.missed == 0
        {
            return Ok(self.row(&hook.id, &hook.url, "was there already", known.heard_at));
        }
        for hook in found
            .iter()
            .filter(|hook| self.is_ours(hook) && hook.url != url.as_str())
        {
            output::remark(&format!(
                "{}: another webhook of this organization tells {}; delete it there if nobody listens",
                self.name, hook.url
            ));
        }
        // Of what is there the secret is not known any more, or it does not tell what it should.
        for hook in &there {
            self.hooks.delete(&hook.id).await.map_err(failed)?;
        }
        let NewHook { id, secret } = self.hooks.create(&url).await.map_err(|error| {
            let hint = "the daemon must be running, and that address must lead to it from outside: the other side asks it with GET before \
                        it takes it";
            failed(error).hint(hint)
        })?;
        if let Err(failure) = self.keep(selection, &id, &url, Some(secret)).await {
            // Without its secret it would be of no use.
            if let Err(error) = self.hooks.delete(&id).await {
                output::remark(&format!(
                    "{}: the webhook {id} is left behind there: {error}",
                    self.name
                ));
            }
            return Err(failure);
        }
        let what = if there.is_empty() {
            "made"
        } else {
            "made anew"
        };
        done(&format!(
            "organization {classy_id}, {}: {what}, and its secret is sealed: {url}",
            self.name
        ));
        Ok(self.row(&id, url.as_str(), what, None))
    }

    /// Seals the secret, or forgets it, and writes down which webhook is ours.
    async fn keep(
        &self,
        selection: &PluginSelection<'_>,
        id: &str,
        url: &Url,
        secret: Option<SecretString>,
    ) -> Result<(), Failure> {
        let organization = self.now(selection).await?;
        let mut credentials =
            credentials::open(selection.vault, &organization)?.ok_or(credentials::Error::None {
                classy_id: organization.classy_id,
            })?;
        let name = format!("{}.{}", self.name, self.hooks.secret_key());
        let is_made = secret.is_some();
        match secret {
            Some(secret) => drop(credentials.plugins.insert(name, secret)),
            None => drop(credentials.plugins.remove(&name)),
        }
        credentials::seal(selection.vault, &self.tenant, &credentials).await?;
        let action = if is_made {
            self.tenant.put_hook(&self.key, id, url.as_str()).await?;
            "plugin.webhook.create"
        } else {
            self.tenant.forget_hook(&self.key).await?;
            "plugin.webhook.delete"
        };
        let detail = json!({ "plugin": self.name, "destination": self.key.destination, "webhook": id, "url": url.as_str() });
        Ok(self.tenant.note(action, detail).await?)
    }

    async fn secret(
        &self,
        selection: &PluginSelection<'_>,
    ) -> Result<Option<SecretString>, Failure> {
        let sealed = credentials::open(selection.vault, &self.now(selection).await?)?;
        Ok(sealed.and_then(|sealed| sealed.of_plugin(self.name).remove(self.hooks.secret_key())))
    }

    /// The organization's row at this moment: others may have sealed something since it was read.
    async fn now(&self, selection: &PluginSelection<'_>) -> Result<store::Organization, Failure> {
        let found = selection
            .store
            .organization(self.applied.organization.classy_id)
            .await?;
        Ok(found.ok_or(store::Error::NoOrganization)?)
    }

    async fn delete(&self, selection: &PluginSelection<'_>) -> Result<Vec<Vec<Value>>, Failure> {
        let mut rows = Vec::new();
        for hook in self
            .hooks
            .list()
            .await
            .map_err(failed)?
            .iter()
            .filter(|hook| self.is_ours(hook))
        {
            self.hooks.delete(&hook.id).await.map_err(failed)?;
            let url = Url::parse(&hook.url).map_err(|error| Failure::new(Code::Remote, error))?;
            self.keep(selection, &hook.id, &url, None).await?;
            rows.push(self.row(&hook.id, &hook.url, "deleted", None));
        }
        Ok(rows)
    }
}

fn path(plugin: &str, classy_id: i64) -> String {
    format!("/hooks/{plugin}/{classy_id}")
}

/// The address that is told: given whole, or as that of this program.
fn address(plugin: &str, classy_id: i64, given: &str) -> Result<Url, Failure> {
    if given.is_empty() {
        let hint = "--url https://sync.example.org, or http.public_url in the configuration: how this daemon is reached from outside";
        return Err(
            Failure::usage("nobody says at which address this program is reached").hint(hint),
        );
    }
    let wrong = |cause: String| {
        Failure::usage(format!("the address: {cause}")).hint("such as https://sync.example.org")
    };
    let mut url = Url::parse(given).map_err(|error| wrong(error.to_string()))?;
    check_url(&url).map_err(|cause| wrong(cause.to_owned()))?;
    if url.query().is_some() {
        return Err(wrong("expected one without a query".to_owned()));
    }
    let path = path(plugin, classy_id);
    let before = url.path().trim_end_matches('/').to_owned();
    if !before.ends_with(&path) {
        url.set_path(&format!("{before}{path}"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_taken_whole_or_completed_and_never_guessed() {
        let of = |given: &str| {
            address("mailchimp", 7, given)
                .map(|url| url.to_string())
                .ok()
        };
        let whole = "https://sync.example.org/hooks/mailchimp/7";
        for given in [
            whole,
            "https://sync.example.org",
            "https://sync.example.org/",
        ] {
            assert_eq!(of(given).as_deref(), Some(whole));
        }
        assert_eq!(
            of("https://example.org/sync/").as_deref(),
            Some("https://example.org/sync/hooks/mailchimp/7")
        );
        for wrong in [
            "",
            "sync.example.org",
            "http://sync.example.org",
            "https://u:p@example.org",
            "https://example.org?x=1",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
