//! What a plugin holds until a person approves it: the plan with its name, and the person's word on
//! it. The same as `plugin approve`.

use super::answer::{answer, is_form};
use super::payload::{Payload, object};
use super::site::{Refusal, Site};
use super::sources::Sources;
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{FaultKind, Harm, Harms, Held, Task, plan_id};
use crate::integrations;
use crate::plugin::{Disallowed, Word, approve as allow, asks_first};
use crate::status::{Order, PluginChoice};
use crate::store::{PluginKey, TenantStore};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest order.
const LARGEST: usize = 64 * 1_024;

/// What one plugin holds.
#[derive(Debug, Clone)]
pub(super) struct HeldPlan {
    pub(super) plugin: String,
    /// Its name: an approval says it.
    pub(super) id: String,
    pub(super) held: Vec<Held>,
    /// What the first push would do, when that is what waits.
    pub(super) forecast: Option<String>,
}

impl HeldPlan {
    /// By kind.
    pub(super) fn harms(&self) -> Harms {
        let mut harms = Harms::default();
        self.held
            .iter()
            .for_each(|one| harms.add(one.guarded_change.kind, 1));
        harms
    }

    /// What would be done to each person.
    pub(super) fn people(&self) -> BTreeMap<i64, Vec<Harm>> {
        let mut people: BTreeMap<i64, Vec<Harm>> = BTreeMap::new();
        self.held.iter().for_each(|one| {
            people
                .entry(one.supporter_id)
                .or_default()
                .push(one.guarded_change.kind)
        });
        people
    }

    async fn read(
        tenant: &TenantStore,
        key: &PluginKey,
    ) -> Result<Option<HeldPlan>, crate::store::Error> {
        let held = tenant.holds(key).await?;
        if held.is_empty() {
            return Ok(None);
        }
        let forecast = tenant.guard_state(key).await?.forecast;
        Ok(Some(HeldPlan {
            plugin: key.plugin.clone(),
            id: plan_id(&key.destination, &held),
            held,
            forecast,
        }))
    }
}

/// What the plugins of an organization hold, as of their last delivery.
pub(super) async fn held_plans(
    sources: Arc<Sources>,
    classy_id: i64,
) -> Result<Vec<HeldPlan>, crate::store::Error> {
    let settings = sources.settings();
    let Some(applied) = settings.organizations.get(&classy_id) else {
        return Ok(Vec::new());
    };
    let tenant = sources.store.tenant(&applied.organization);
    let mut plans = Vec::new();
    for name in applied.file.plugins.keys() {
        // One whose table is wrong delivers nothing, and says so elsewhere.
        if let Ok(destination) = integrations::destination(&sources.vault, applied, name) {
            plans.extend(
                HeldPlan::read(
                    &tenant,
                    &PluginKey {
                        plugin: name.clone(),
                        destination,
                    },
                )
                .await?,
            );
        }
    }
    Ok(plans)
}

/// A person's word, from a program or from a form of our own pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Said {
    plan: String,
    kinds: Vec<String>,
    supporters: Vec<i64>,
}

impl Said {
    fn of(headers: &HeaderMap, body: &[u8]) -> Result<Word<'static>, Refusal> {
        let bad =
            |text: String| Refusal::new(StatusCode::BAD_REQUEST, FaultKind::Configuration, text);
        let said = if is_form(headers) {
            let mut said = Said::default();
            for (name, value) in url::form_urlencoded::parse(body) {
                match name.as_ref() {
                    "plan" => said.plan = value.into_owned(),
                    "kind" => said.kinds.push(value.into_owned()),
                    "supporter" => said.supporters.push(
                        value
                            .parse()
                            .map_err(|_| bad("a supporter's id is a number".to_owned()))?,
                    ),
                    other => return Err(bad(format!("nothing is known of '{other}'"))),
                }
            }
            said
        } else {
            object(if body.is_empty() { b"{}" } else { body })
                .map_err(|error| bad(error.to_string()))?
        };
        if said.plan.is_empty() {
            let text = "the plan that is approved is missing: {\"plan\": \"...\"}".to_owned();
            return Err(bad(text).hint(Some(
                "GET .../held, or the organization's page, shows what is held and the plan's name"
                    .to_owned(),
            )));
        }
        let kind = |word: &String| {
            Harm::of(word).ok_or_else(|| bad(format!("there is no kind of harm '{word}'")))
        };
        let kinds = said.kinds.iter().map(kind).collect::<Result<_, _>>()?;
        Ok(Word {
            kinds,
            supporters: said.supporters,
            plan: Some(said.plan),
            actor: "http",
        })
    }
}

/// What a plugin holds.
pub(super) async fn held(
    State(site): State<Site>,
    Path((classy_id, name)): Path<(i64, String)>,
) -> Result<Response, Refusal> {
    let (tenant, key) = place(site.sources(), classy_id, &name)?;
    let plan = site
        .ask(async move { HeldPlan::read(&tenant, &key).await })
        .await?;
    Ok(Json(plan.map_or_else(
        || json!({ "plan": null, "kinds": {}, "people": [], "forecast": null }),
        |plan| {
            let people = plan.people().into_iter().map(|(id, kinds)| json!({ "supporter_id": id, "kinds": words(kinds) }));
            json!({ "plan": plan.id, "kinds": counts(&plan.harms()), "people": people.collect::<Vec<_>>(), "forecast": plan.forecast })
        },
    ))
    .into_response())
}

fn words(kinds: Vec<Harm>) -> Vec<&'static str> {
    kinds.into_iter().map(Harm::as_str).collect()
}

fn counts(harms: &Harms) -> Value {
    Value::Object(
        harms
            .each()
            .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
            .collect::<Map<_, _>>(),
    )
}

/// Allows what a plugin holds, and has it look at once.
pub(super) async fn approve(
    State(site): State<Site>,
    Path((classy_id, name)): Path<(i64, String)>,
    headers: HeaderMap,
    Payload(body): Payload<LARGEST>,
) -> Result<Response, Refusal> {
    let (tenant, key) = place(site.sources(), classy_id, &name)?;
    let word = Said::of(&headers, &body)?;
    let guard = site.sources().settings().guard;
    let allowed = site
        .ask(async move {
            let (held, now) = (tenant.holds(&key).await?, clock::now());
            let is_first = asks_first(&tenant, &key, &guard).await?;
            match allow(&tenant, &key, &guard, &held, is_first, &word, now).await {
                Err(Disallowed::Store(error)) => Err(error),
                other => Ok(other),
            }
        })
        .await?;
    let allowed = allowed.map_err(|refusal| {
        let hint = "look at what is held now; nothing was approved";
        Refusal::new(
            StatusCode::CONFLICT,
            FaultKind::Partial,
            refusal.to_string(),
        )
        .hint(Some(hint.to_owned()))
    })?;
    let orders = Arc::clone(&site.control.orders);
    let order = Order {
        entities: Vec::new(),
        task: Task::CatchUp,
        plugins: PluginChoice::One(name),
        reason: "http",
    };
    tokio::spawn(async move { orders.sync(classy_id, order).await });
    let body = json!({
        "plan": allowed.plan, "people": allowed.people, "allowed": counts(&allowed.harms), "until": allowed.until.to_rfc3339(),
    });
    Ok(answer(&headers, body))
}

/// The organization's store and the plugin's ledger.
fn place(
    sources: &Sources,
    classy_id: i64,
    name: &str,
) -> Result<(TenantStore, PluginKey), Refusal> {
    let settings = sources.settings();
    let applied: &Applied = settings
        .organizations
        .get(&classy_id)
        .ok_or_else(|| Refusal::unknown(classy_id))?;
    if !applied.file.plugins.contains_key(name) {
        let text = format!("organization {classy_id} has no plugin of this name");
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            FaultKind::Partial,
            text,
        ));
    }
    let destination =
        integrations::destination(&sources.vault, applied, name).map_err(|error| {
            let fault = error.fault();
            Refusal::new(StatusCode::BAD_GATEWAY, fault.kind, fault.text).hint(fault.hint)
        })?;
    Ok((
        sources.store.tenant(&applied.organization),
        PluginKey {
            plugin: name.to_owned(),
            destination,
        },
    ))
}
