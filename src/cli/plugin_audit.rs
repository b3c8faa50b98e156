//! `plugin audit`: who is on the other side against the consent known here; first how many of each
//! kind and what to do about them, then each of them.

use super::args::{Output, PluginPreview, ReportFormat};
use super::exit::Failure;
use super::output;
use super::plugin_preview::people;
use super::plugin_selection::{PluginSelection, failed, print};
use crate::clock;
use crate::domain::Profile;
use crate::integrations;
use crate::plugin::{Finding, audit};
use crate::store::TenantStore;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HEADINGS: [&str; 7] = [
    "organization",
    "plugin",
    "finding",
    "supporter",
    "remote_id",
    "remote_status",
    "detail",
];

/// The columns that only those see who ask for them, behind the supporter's.
const PEOPLE: [&str; 2] = ["email", "name"];

/// Where they stand.
const PLACE: usize = 4;

/// People in one look at the database.
const LOOK: usize = 1_000;

pub(super) async fn run(
    selection: &PluginSelection<'_>,
    asked: &PluginPreview,
) -> Result<(), Failure> {
    let is_table = asked
        .format
        .map_or(selection.cli.output == Output::Table, |format| {
            format == ReportFormat::Table
        });
    let mut rows = Vec::new();
    for (applied, name, tenant, key) in selection.plugins()? {
        let mut plugin = integrations::make(selection.vault, applied, name).map_err(failed)?;
        let found = audit(&tenant, name, &mut *plugin, clock::now())
            .await
            .map_err(failed)?;
        let classy_id = applied.organization.classy_id;
        for line in summary(classy_id, name, &key.destination, &found) {
            if is_table {
                output::line(&line)?;
            } else {
                output::remark(&line);
            }
        }
        let known = if asked.show_people {
            profiles(&tenant, &found).await?
        } else {
            BTreeMap::new()
        };
        rows.extend(found.iter().map(|finding| {
            row(
                classy_id,
                name,
                finding,
                asked.show_people.then_some(&known),
            )
        }));
    }
    let mut headings = HEADINGS.to_vec();
    if asked.show_people {
        headings.splice(PLACE..PLACE, PEOPLE);
    }
    print(
        selection.cli,
        asked.format,
        &headings,
        rows,
        "nobody on the other side is at odds with the consent known here",
    )
}

/// One line for the whole, and one for each kind in the order in which they are found.
fn summary(classy_id: i64, name: &str, destination: &str, found: &[Finding]) -> Vec<String> {
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    let (notices, found): (Vec<&Finding>, Vec<&Finding>) =
        found.iter().partition(|finding| finding.kind == "notice");
    for finding in &found {
        match kinds.iter_mut().find(|(kind, _)| *kind == finding.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((finding.kind, 1)),
        }
    }
    let contacts = found
        .iter()
        .filter(|finding| finding.remote_id.is_some())
        .count();
    let mut lines = vec![format!(
        "organization {classy_id}, {name} {destination}: {contacts} contacts held against the consent known here"
    )];
    lines.extend(notices.iter().map(|notice| format!("  {}", notice.detail)));
    lines.extend(kinds.into_iter().map(|(kind, count)| match advice(kind) {
        Some(advice) => format!("  {kind}: {count}; {advice}"),
        None => format!("  {kind}: {count}"),
    }));
    lines
}

/// What a person can do about a kind of finding.
fn advice(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "opted_out_still_subscribed" => {
            "they said no at Classy and are mailed all the same, since they were there before, came back by themselves, or were put there after the backup from which this database was restored (`plugin adopt`): unsubscribe them there, or set \
             opt_out_scope = \"everybody\" for this plugin"
        }
        "without_consent" => {
            "subscribed by us, and nobody consents any more: whoever said no is taken off by the next delivery (unless on_opt_out is \"ignore\"), and whoever was deleted at \
             Classy or has another address now is left as they are; the detail says which"
        }
        "left" => "they left there, and stay out until they come back by a form: nothing to do",
        "missing" => {
            "they consent and are not there: the reason stands beside each; `plugin approve` and `plugin retry` are for those that wait"
        }
        "tags_gone" => {
            "they had tags of ours that somebody renamed, deleted or took off there: they get them again within a week"
        }
        "foreign" => "not ours, and left alone: nothing to do",
        "ok" => "nothing to do",
        _ => return None,
    })
}

/// The people of an audit, by id.
pub(super) async fn profiles(
    tenant: &TenantStore,
    found: &[Finding],
) -> Result<BTreeMap<i64, Profile>, Failure> {
    let ids: Vec<i64> = found
        .iter()
        .filter_map(|finding| finding.supporter_id)
        .collect();
    let mut all = BTreeMap::new();
    for some in ids.chunks(LOOK) {
        all.extend(
            tenant
                .profiles(some)
                .await?
                .into_iter()
                .map(|person| (person.supporter_id, person)),
        );
    }
    Ok(all)
}

/// `known`: the people, when they are to be shown.
fn row(
    classy_id: i64,
    name: &str,
    finding: &Finding,
    known: Option<&BTreeMap<i64, Profile>>,
) -> Vec<Value> {
    let mut row = vec![
        json!(classy_id),
        json!(name),
        json!(finding.kind),
        json!(finding.supporter_id),
        json!(finding.remote_id),
        json!(finding.remote_status),
        json!(finding.detail),
    ];
    if let Some(known) = known {
        let person = finding.supporter_id.and_then(|id| known.get(&id));
        row.splice(
            PLACE..PLACE,
            person.map_or_else(|| [Value::Null, Value::Null], people),
        );
    }
    row
}
