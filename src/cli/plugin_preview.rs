//! `plugin preview`: what would be done, first in five lines, then for each person.

use super::args::{Output, PluginPreview, ReportFormat};
use super::exit::Failure;
use super::output::{self, counted};
use super::plugin_selection::{PluginSelection, failed, print};
use crate::clock;
use crate::credentials::Applied;
use crate::domain::{Address, GuardedChange, Harm, Harms, Profile, Step};
use crate::integrations;
use crate::plugin::{GuardSettings, Preview, Seen, preview};
use crate::store::Store;
use crate::vault::Vault;
use serde_json::{Value, json};

/// The columns of a preview.
const PREVIEW: [&str; 10] = [
    "organization",
    "plugin",
    "supporter",
    "action",
    "fields",
    "add_tags",
    "remove_tags",
    "harm",
    "held",
    "reason",
];

/// The columns that only those see who ask for them, behind the supporter's.
const PEOPLE: [&str; 2] = ["email", "name"];

/// Where they stand.
const PLACE: usize = 3;

/// What one plugin would do.
pub(super) struct Outlook {
    pub(super) classy_id: i64,
    pub(super) plugin: String,
    pub(super) destination: String,
    pub(super) seen: Preview,
}

pub(super) async fn run(
    selection: &PluginSelection<'_>,
    guard: &GuardSettings,
    asked: &PluginPreview,
) -> Result<(), Failure> {
    let outlooks =
        preview_chosen(selection.store, selection.vault, &selection.chosen, guard).await?;
    let is_table = asked
        .format
        .map_or(selection.cli.output == Output::Table, |format| {
            format == ReportFormat::Table
        });
    for outlook in outlooks.iter().filter(|outlook| !outlook.seen.waits) {
        for line in summary(outlook) {
            if is_table {
                output::line(&line)?;
            } else {
                output::remark(&line);
            }
        }
    }
    let (headings, rows) = table(&outlooks, asked.show_people);
    print(
        selection.cli,
        asked.format,
        &headings,
        rows,
        "nobody is due: nothing would be sent",
    )
}

/// What would be done for everybody who is due.
pub(super) async fn preview_chosen(
    store: &Store,
    vault: &Vault,
    chosen: &[Applied],
    guard: &GuardSettings,
) -> Result<Vec<Outlook>, Failure> {
    let mut all = Vec::new();
    for applied in chosen {
        for name in applied.file.plugins.keys() {
            let mut plugin = integrations::make(vault, applied, name).map_err(failed)?;
            let tenant = store.tenant(&applied.organization);
            let seen = preview(&tenant, name, &mut *plugin, guard, clock::now())
                .await
                .map_err(failed)?;
            let classy_id = applied.organization.classy_id;
            if seen.waits {
                output::remark(&format!(
                    "organization {classy_id}, {name}: nothing is sent before supporters, gifts and plans were read once: `classy-sync sync`"
                ));
            }
            if let Some((since, why)) = &seen.suspended {
                let since = since.format("%Y-%m-%d %H:%M UTC");
                output::remark(&format!(
                    "organization {classy_id}, {name}: nothing is done but opt-outs, suspended since {since}: {why}"
                ));
            }
            all.push(Outlook {
                classy_id,
                plugin: name.clone(),
                destination: plugin.destination().to_owned(),
                seen,
            });
        }
    }
    Ok(all)
}

/// Headings and rows. `with_people`: e-mail addresses and names, too.
pub(super) fn table(
    outlooks: &[Outlook],
    with_people: bool,
) -> (Vec<&'static str>, Vec<Vec<Value>>) {
    let mut headings = PREVIEW.to_vec();
    if with_people {
        headings.splice(PLACE..PLACE, PEOPLE);
    }
    let rows = outlooks.iter().flat_map(|outlook| {
        outlook
            .seen
            .people
            .iter()
            .map(move |seen| row(outlook, seen, with_people))
    });
    (headings, rows.collect())
}

fn row(outlook: &Outlook, seen: &Seen, with_people: bool) -> Vec<Value> {
    let Seen {
        person,
        planned,
        held,
        later,
    } = seen;
    let words = |guarded_changes: &[GuardedChange]| {
        guarded_changes
            .iter()
            .map(|guarded_change| guarded_change.kind.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let reason = if *later {
        Some("waits for its portion: no more people are added today".to_owned())
    } else {
        planned.reason.clone()
    };
    let mut row = vec![
        json!(outlook.classy_id),
        json!(outlook.plugin),
        json!(person.supporter_id),
        json!(planned.step.as_str()),
        json!(planned.fields.join(" ")),
        json!(planned.tags.join(", ")),
        json!(planned.untags.join(", ")),
        json!(words(&planned.guarded_changes)),
        json!(words(held)),
        json!(reason),
    ];
    if with_people {
        row.splice(PLACE..PLACE, people(person));
    }
    row
}

/// E-mail address and name.
pub(super) fn people(person: &Profile) -> [Value; 2] {
    let name = [&person.first_name, &person.last_name]
        .into_iter()
        .flatten()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty());
    [
        json!(person.address.as_ref().map(Address::as_str)),
        json!(name.collect::<Vec<_>>().join(" ")),
    ]
}

/// Five lines.
fn summary(outlook: &Outlook) -> [String; 5] {
    let Outlook {
        classy_id,
        plugin,
        destination,
        seen,
    } = outlook;
    let forecast = seen.forecast;
    let steps = |step: Step| {
        seen.people
            .iter()
            .filter(|one| one.planned.step == step)
            .count()
    };
    let of = |kind: Harm| {
        seen.people
            .iter()
            .filter(|one| {
                one.planned
                    .guarded_changes
                    .iter()
                    .any(|guarded_change| guarded_change.kind == kind)
            })
            .count()
    };
    let mails = |one: &&Seen| {
        one.planned
            .guarded_changes
            .iter()
            .any(|guarded_change| guarded_change.kind == Harm::Confirm)
    };
    let now = seen
        .people
        .iter()
        .filter(mails)
        .filter(|one| one.held.is_empty() && !one.later)
        .count();
    let later = seen.people.iter().filter(|one| one.later).count();
    let portions = if later > 0 {
        format!(" (with later portions: {later})")
    } else {
        String::new()
    };
    let held = seen.holds();
    [
        format!(
            "organization {classy_id}, {plugin} {destination}: {} contacts now, {} after",
            forecast.contacts,
            forecast.after()
        ),
        format!(
            "people: {} to be added{portions}, {} to be changed, {} to be moved, {} to be unsubscribed; {} skipped, {} as they should be",
            steps(Step::Add),
            steps(Step::Change),
            steps(Step::Move),
            steps(Step::Unsubscribe),
            steps(Step::Skip),
            steps(Step::Keep)
        ),
        format!(
            "mails that ask to confirm: {}, of them with the next run: {now}",
            forecast.confirmations
        ),
        format!(
            "people there who would gain tags: {} ({} tags); lose some: {}; get another name or address: {}",
            forecast.gaining,
            forecast.tags,
            of(Harm::Untag),
            of(Harm::Rename)
        ),
        match held.is_none() {
            true => "held: nothing".to_owned(),
            false => {
                let why = if seen.asks_first {
                    "; it is the first push"
                } else {
                    ""
                };
                format!(
                    "held until a person approves{why}: {} (plan {}): `classy-sync plugin approve --org {classy_id} --plugin {plugin}`",
                    in_words(&held),
                    seen.plan()
                )
            }
        },
    ]
}

/// `3 people to be added, 1 person to lose tags`
pub(super) fn in_words(held: &Harms) -> String {
    held.each()
        .map(|(kind, count)| format!("{} {}", counted(count, "person", "people"), kind.in_words()))
        .collect::<Vec<_>>()
        .join(", ")
}
