//! What a person is told of an undo: before it what would be taken back, and after it what became
//! of whom.

use super::app::App;
use super::args::Cli;
use super::exit::Failure;
use super::output::{self, counted};
use super::plugin_preview::people;
use crate::domain::{Harm, Outcome, Profile, Taking, plan_id};
use crate::plugin::UndoPreview;
use crate::store::{PluginKey, TenantStore};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HEADINGS: [&str; 8] = [
    "organization",
    "plugin",
    "supporter",
    "outcome",
    "fields",
    "tags",
    "untags",
    "detail",
];

/// The columns that only those see who ask for them, behind the supporter's.
const PEOPLE: [&str; 2] = ["email", "name"];

/// Where they stand.
const PLACE: usize = 3;

/// So many people are listed before the question.
const SHOWN: usize = 100;

/// One plugin's place, with what would be taken back there.
pub(super) struct Place {
    pub(super) classy_id: i64,
    pub(super) plugin: String,
    pub(super) tenant: TenantStore,
    pub(super) key: PluginKey,
    pub(super) seen: UndoPreview,
}

impl Place {
    fn name(&self) -> String {
        format!(
            "organization {}, {} {}",
            self.classy_id, self.plugin, self.key.destination
        )
    }

    /// Whether an order would do anything.
    pub(super) fn is_due(&self) -> bool {
        self.seen
            .people
            .iter()
            .any(|(_, taking)| taking.outcome == Outcome::TakenBack)
    }
}

/// An order that was given.
pub(super) struct Given {
    pub(super) place: Place,
    pub(super) order: i64,
}

/// Tells a person what would be taken back.
pub(super) fn show(place: &Place, show_people: bool) {
    let UndoPreview {
        people: all,
        held,
        suspended,
        ..
    } = &place.seen;
    let of = |word: &str| {
        all.iter()
            .filter(|(_, taking)| taking.outcome.as_str() == word)
            .count() as u64
    };
    let crowd = |count: u64| counted(count, "person", "people");
    let left_alone = format!(
        "{} changed since by somebody else, {} left, {} not yet",
        crowd(of("changed_since")),
        of("left"),
        of("not_yet")
    );
    output::remark(&format!(
        "{}: {} would have fields and tags taken back; left alone: {left_alone}",
        place.name(),
        crowd(of("taken_back"))
    ));
    if let Some((since, why)) = suspended {
        let since = since.format("%Y-%m-%d %H:%M UTC");
        output::remark(&format!(
            "nothing is sent there, suspended since {since}: {why}; it is done after `classy-sync plugin resume`"
        ));
    }
    if !held.is_empty() {
        output::remark(&format!(
            "that is more than goes unasked: it waits for approval then (plan {})",
            place.seen.plan()
        ));
    }
    for (person, taking) in all.iter().take(SHOWN) {
        let who = if show_people {
            let words = people(person)
                .iter()
                .filter_map(Value::as_str)
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            format!(" ({words})")
        } else {
            String::new()
        };
        output::remark(&format!(
            "  supporter {}{who}: {}",
            taking.supporter_id,
            in_words(taking)
        ));
    }
    if all.len() > SHOWN {
        output::remark(&format!("  and {} more", all.len() - SHOWN));
    }
}

fn in_words(taking: &Taking) -> String {
    let Taking {
        outcome,
        fields,
        tags,
        untags,
        ..
    } = taking;
    let part = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let parts = [
        part("fields back:", fields),
        part("tags back:", tags),
        part("tags off:", untags),
        taking.detail(),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        outcome.as_str().replace('_', " ")
    } else {
        parts.join("; ")
    }
}

/// Tells what became of it: a row a person.
pub(super) async fn tell(
    cli: &Cli,
    app: &App,
    given: &[Given],
    show_people: bool,
) -> Result<(), Failure> {
    let store = app.store_to_read().await?;
    let mut rows = Vec::new();
    for Given { place, order } in given {
        let tenant = match store.organization(place.classy_id).await? {
            Some(organization) => store.tenant(&organization),
            None => continue,
        };
        let done = tenant.undone_by(&place.key, *order).await?;
        let words: BTreeMap<i64, (String, Value)> = done
            .into_iter()
            .map(|row| {
                (
                    row.supporter_id,
                    (
                        row.outcome,
                        serde_json::from_str(&row.detail).unwrap_or_default(),
                    ),
                )
            })
            .collect();
        let is_open = tenant
            .open_undo(&place.key)
            .await?
            .is_some_and(|open| open.id == *order);
        let mut held = tenant.holds(&place.key).await?;
        held.retain(|one| one.guarded_change.kind == Harm::Undo);
        for (person, taking) in &place.seen.people {
            let mut row = planned(place, person, taking, show_people);
            let shift = if show_people { PEOPLE.len() } else { 0 };
            match words.get(&taking.supporter_id) {
                Some((outcome, detail)) => {
                    let names = |key: &str| {
                        let names = detail[key]
                            .as_array()
                            .into_iter()
                            .flatten()
                            .filter_map(Value::as_str)
                            .collect::<Vec<_>>();
                        json!(names.join(", "))
                    };
                    let told = [
                        json!(outcome),
                        names("fields"),
                        names("tags"),
                        names("untags"),
                        detail["detail"].clone(),
                    ];
                    row.splice(PLACE + shift.., told);
                }
                None if is_open => {
                    row[PLACE + shift] = json!(if held
                        .iter()
                        .any(|one| one.supporter_id == taking.supporter_id)
                    {
                        "held"
                    } else {
                        "waiting"
                    })
                }
                None => {}
            }
            rows.push(row);
        }
        if is_open && !held.is_empty() {
            output::remark(&format!(
                "{}: that is more than goes unasked, and waits for approval, for 24 hours: `classy-sync plugin approve --org {} --plugin {} --plan {}`",
                place.name(),
                place.classy_id,
                place.plugin,
                plan_id(&place.seen.destination, &held)
            ));
        } else if is_open {
            output::remark(&format!(
                "{}: ordered, and not all of it is done yet: the next delivery does the rest",
                place.name()
            ));
        }
    }
    store.close().await?;
    output::rows(
        cli.output,
        &headings(show_people),
        rows,
        "nothing was taken back",
    )?;
    output::done(
        "what was taken back is not sent again as it was, until people's data or the configuration changes, or `classy-sync plugin resume --undone`",
    );
    Ok(())
}

pub(super) fn headings(show_people: bool) -> Vec<&'static str> {
    let mut headings = HEADINGS.to_vec();
    if show_people {
        headings.splice(PLACE..PLACE, PEOPLE);
    }
    headings
}

/// The row of a person as it was planned.
pub(super) fn planned(
    place: &Place,
    person: &Profile,
    taking: &Taking,
    show_people: bool,
) -> Vec<Value> {
    let mut row = vec![
        json!(place.classy_id),
        json!(place.plugin),
        json!(taking.supporter_id),
        json!(taking.outcome.as_str()),
        json!(taking.fields.join(", ")),
        json!(taking.tags.join(", ")),
        json!(taking.untags.join(", ")),
        json!(taking.detail()),
    ];
    if show_people {
        row.splice(PLACE..PLACE, people(person));
    }
    row
}
