//! `plugin adopt`: shows which contacts carry our tags though this database did not put them there,
//! asks, and has the next delivery take them over.

use super::args::PluginAdopt;
use super::exit::Failure;
use super::output::{self, counted};
use super::plugin_approve::confirm;
use super::plugin_audit::profiles;
use super::plugin_preview::people;
use super::plugin_selection::{PluginSelection, failed};
use crate::clock;
use crate::integrations;
use crate::plugin::{Finding, REFUSED, adoptable};
use crate::store::{PluginKey, TenantStore};
use serde_json::{Value, json};

const HEADINGS: [&str; 6] = [
    "organization",
    "plugin",
    "supporter",
    "remote_id",
    "remote_status",
    "detail",
];

/// The columns that only those see who ask for them, behind the supporter's.
const PEOPLE: [&str; 2] = ["email", "name"];

/// Where they stand.
const PLACE: usize = 3;

/// One plugin's place, with who would be taken over there.
struct Place<'a> {
    classy_id: i64,
    plugin: &'a str,
    tenant: TenantStore,
    key: PluginKey,
    found: Vec<Finding>,
}

pub(super) async fn run(
    selection: &PluginSelection<'_>,
    asked: &PluginAdopt,
) -> Result<(), Failure> {
    let places = find_places(selection).await?;
    let (mut rows, mut headings) = (Vec::new(), HEADINGS.to_vec());
    for place in &places {
        show(place);
        rows.extend(rows_of(place, asked.show_people).await?);
    }
    if asked.show_people {
        headings.splice(PLACE..PLACE, PEOPLE);
    }
    let is_any = !rows.is_empty();
    output::rows(
        selection.cli.output,
        &headings,
        rows,
        "no contact carries our tags that is not ours already",
    )?;
    if !is_any && !asked.none {
        return Ok(());
    }
    let question = if asked.none {
        "Are they somebody else's, and left alone? Type yes"
    } else {
        "Are they ours? Type yes"
    };
    if !asked.yes {
        confirm(question, "adopted")?;
    }
    for Place {
        classy_id,
        plugin,
        tenant,
        key,
        found,
    } in places
    {
        let ids: Vec<String> = found
            .into_iter()
            .filter(|_| !asked.none)
            .filter_map(|one| one.remote_id)
            .collect();
        if asked.none {
            tenant.adopt(&key, &[], "cli").await?;
            output::done(&format!(
                "organization {classy_id}, {plugin}: nobody is adopted, and the next delivery stops telling of them"
            ));
        } else if !ids.is_empty() {
            tenant.adopt(&key, &ids, "cli").await?;
            let contacts = counted(ids.len() as u64, "contact", "contacts");
            output::done(&format!(
                "organization {classy_id}, {plugin}: the next delivery adopts {contacts}"
            ));
        }
    }
    Ok(())
}

async fn find_places<'a>(selection: &'a PluginSelection<'a>) -> Result<Vec<Place<'a>>, Failure> {
    let (mut places, mut unable) = (Vec::new(), None);
    for (applied, plugin, tenant, key) in selection.plugins()? {
        let mut made = integrations::make(selection.vault, applied, plugin).map_err(failed)?;
        match adoptable(&tenant, plugin, &mut *made, clock::now())
            .await
            .map_err(failed)?
        {
            Some(found) => places.push(Place {
                classy_id: applied.organization.classy_id,
                plugin,
                tenant,
                key,
                found,
            }),
            None => unable = Some(plugin),
        }
    }
    match unable.filter(|_| places.is_empty()) {
        Some(plugin) => Err(Failure::usage(format!(
            "{plugin} keeps no contacts that could be adopted"
        ))
        .hint("name another plugin with --plugin")),
        None => Ok(places),
    }
}

/// Tells a person what it would mean.
fn show(place: &Place<'_>) {
    let refusers = place.found.iter().filter(|one| one.kind == REFUSED).count() as u64;
    output::remark(&format!(
        "organization {}, {} {}: {} our tags and not ours as far as this database knows; of them opted out at Classy: {refusers}, whom the \
         next delivery unsubscribes (many at once wait for `plugin approve`)",
        place.classy_id,
        place.plugin,
        place.key.destination,
        counted(
            place.found.len() as u64,
            "contact carries",
            "contacts carry"
        )
    ));
}

async fn rows_of(place: &Place<'_>, show_people: bool) -> Result<Vec<Vec<Value>>, Failure> {
    let known = if show_people {
        profiles(&place.tenant, &place.found).await?
    } else {
        Default::default()
    };
    let row = |one: &Finding| {
        let mut row = vec![
            json!(place.classy_id),
            json!(place.plugin),
            json!(one.supporter_id),
            json!(one.remote_id),
            json!(one.remote_status),
            json!(one.detail),
        ];
        if show_people {
            let person = one.supporter_id.and_then(|id| known.get(&id));
            row.splice(
                PLACE..PLACE,
                person.map_or_else(|| [Value::Null, Value::Null], people),
            );
        }
        row
    };
    Ok(place.found.iter().map(row).collect())
}
