//! `plugin approve`: shows whom a held plan would touch, asks, and allows exactly that.

use super::args::PluginApprove;
use super::ask;
use super::exit::{Code, Failure};
use super::output;
use super::plugin_preview::{Outlook, in_words, people, preview_chosen};
use super::plugin_selection::PluginSelection;
use crate::clock;
use crate::domain::Harms;
use crate::plugin::{Disallowed, GuardSettings, Word, approve};
use crate::store::PluginKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many people are listed; all of them are in the preview.
const SHOWN: usize = 100;

pub(super) async fn run(
    selection: &PluginSelection<'_>,
    guard: &GuardSettings,
    asked: &PluginApprove,
) -> Result<(), Failure> {
    let word = Word {
        kinds: asked.kind.clone(),
        supporters: asked.supporter.clone(),
        plan: asked.plan.clone(),
        actor: "cli",
    };
    let outlooks =
        preview_chosen(selection.store, selection.vault, &selection.chosen, guard).await?;
    let meant: Vec<&Outlook> = outlooks
        .iter()
        .filter(|outlook| !word.chosen(&outlook.seen.held()).is_empty())
        .collect();
    if meant.is_empty() {
        if let Some(plan) = &word.plan {
            return Err(refused(Disallowed::Changed {
                asked: plan.clone(),
                now: "nothing of that".to_owned(),
            }));
        }
        return output::rows(
            selection.cli.output,
            &HEADINGS,
            Vec::new(),
            "nothing of that is held",
        );
    }
    for outlook in &meant {
        show(outlook, &word, asked.show_people);
    }
    if !asked.yes {
        confirm("Shall that be done? Type yes", "approved")?;
    }
    let mut rows = Vec::new();
    for (applied, name, tenant, key) in selection.plugins()? {
        let id = applied.organization.classy_id;
        let Some(Outlook {
            seen, destination, ..
        }) = meant
            .iter()
            .find(|one| (one.classy_id, one.plugin.as_str()) == (id, name))
        else {
            continue;
        };
        let key = PluginKey {
            destination: destination.clone(),
            ..key
        };
        let allowed = approve(
            &tenant,
            &key,
            guard,
            &seen.held(),
            seen.asks_first,
            &word,
            clock::now(),
        )
        .await
        .map_err(refused)?;
        rows.extend(allowed.harms.each().map(|(kind, count)| {
            let until = allowed
                .until
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            vec![
                json!(id),
                json!(name),
                json!(allowed.plan),
                json!(kind.as_str()),
                json!(count),
                json!(until),
            ]
        }));
    }
    output::rows(selection.cli.output, &HEADINGS, rows, "nothing is held")?;
    output::done(
        "approved, for these people and once; `classy-sync plugin run` does it now, a running daemon does it by itself",
    );
    Ok(())
}

const HEADINGS: [&str; 6] = ["organization", "plugin", "plan", "kind", "allowed", "until"];

/// Tells a person whom it would touch.
fn show(outlook: &Outlook, word: &Word<'_>, show_people: bool) {
    let Outlook {
        classy_id,
        plugin,
        destination,
        seen,
    } = outlook;
    let chosen = word.chosen(&seen.held());
    let mut harms = Harms::default();
    chosen
        .iter()
        .for_each(|one| harms.add(one.guarded_change.kind, 1));
    output::remark(&format!(
        "organization {classy_id}, {plugin} {destination}: {} (plan {})",
        in_words(&harms),
        seen.plan()
    ));
    if seen.asks_first {
        output::remark(&format!("it is the first push: {}", seen.forecast));
    }
    let mut by_person: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    chosen.iter().for_each(|one| {
        by_person
            .entry(one.supporter_id)
            .or_default()
            .push(one.guarded_change.kind.as_str())
    });
    let listed = seen
        .people
        .iter()
        .filter_map(|one| Some((&one.person, by_person.get(&one.person.supporter_id)?)));
    for (person, kinds) in listed.take(SHOWN) {
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
            person.supporter_id,
            kinds.join(", ")
        ));
    }
    if by_person.len() > SHOWN {
        output::remark(&format!(
            "  and {} more: `classy-sync plugin preview --org {classy_id} --plugin {plugin}`",
            by_person.len() - SHOWN
        ));
    }
}

/// Asks; `done`: what nothing is without a yes.
pub(super) fn confirm(question: &str, done: &str) -> Result<(), Failure> {
    let answer = ask::ask(question).ok_or_else(|| {
        Failure::usage(format!("nobody can be asked here, and nothing was {done}"))
            .hint("look at what is shown, then say it again with --yes")
    })?;
    match answer
        .map_err(|error| Failure::new(Code::Usage, error))?
        .to_lowercase()
        .as_str()
    {
        "yes" | "y" => Ok(()),
        _ => Err(Failure::usage(format!("nothing was {done}"))),
    }
}

fn refused(refusal: Disallowed) -> Failure {
    match refusal {
        Disallowed::Store(error) => error.into(),
        Disallowed::Changed { .. } => Failure::new(Code::Partial, refusal.to_string())
            .hint("`classy-sync plugin preview` shows what is held now; nothing was approved"),
        Disallowed::Nothing => Failure::new(Code::Partial, refusal.to_string()),
    }
}
