//! The floors: a module names only lower ones, and the server asks no actor.

use super::source::{Source, inline_modules, sources};
use std::collections::BTreeSet;

/// Lowest first. A module names only modules of lower floors: no sibling, nothing above.
const FLOORS: &[&[&str]] = &[
    &["clock", "domain", "files"],
    &["entities"],
    &["config"],
    &["net", "schedule", "supervision", "telemetry"],
    &["classy", "store", "vault"],
    &["credentials", "health", "plugin", "status", "sync"],
    &["integrations"],
    &["actors"],
    &["http"],
    &["daemon"],
    &["cli"],
];

/// Outside the floors: a double of the APIs. It names nothing of the crate; only the command line
/// and tests name it.
pub(super) const OUTSIDE: &str = "simulator";

/// Top-level modules that a file names, through `crate::` or by climbing with `super::`.
fn named(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let tokens = &source.tokens;
    let inline = inline_modules(tokens);
    for (index, token) in tokens.iter().enumerate() {
        let start = match token.as_str() {
            "crate" if tokens.get(index + 1).is_some_and(|next| next == "::") => index + 2,
            "super" if index == 0 || tokens[index - 1] != "::" => {
                let climbs = tokens[index..]
                    .chunks(2)
                    .take_while(|pair| {
                        pair[0] == "super" && pair.get(1).is_some_and(|next| next == "::")
                    })
                    .count();
                if climbs < source.path().len() + inline[index].len() {
                    continue;
                }
                index + 2 * climbs
            }
            _ => continue,
        };
        if tokens.get(start).is_some_and(|next| next == "{") {
            // `use crate::{a, b::c}`: the first word of each part.
            let mut depth = 0;
            let mut first = true;
            for token in &tokens[start..] {
                match token.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    "," if depth == 1 => first = true,
                    word if first && depth == 1 => {
                        found.insert(word.to_owned());
                        first = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else if let Some(word) = tokens.get(start) {
            found.insert(word.clone());
        }
    }
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
fn modules_name_only_lower_floors() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module().to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        for other in named(&source).into_iter().filter(|other| *other != module) {
            let allowed = match (floor(&module), floor(&other)) {
                _ if module == OUTSIDE => false,
                _ if other == OUTSIDE => {
                    module == "cli" || source.path().iter().any(|part| part == "tests")
                }
                (Some(here), Some(there)) => there < here,
                _ => false,
            };
            if !allowed {
                wrong.push(format!("{} names crate::{other}", source.name));
            }
        }
        assert!(
            module == OUTSIDE || floor(&module).is_some(),
            "{module} has no floor: give it one in this test and in ARCHITECTURE.md"
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_of_floors_sees_every_way_to_name_a_module() {
    let see = |name: &str, text: &str| {
        named(&Source::new(name.to_owned(), text.to_owned()))
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        see(
            "store/page.rs",
            "use crate::{clock, domain::{Entity, Time}, cli};"
        ),
        "cli clock domain"
    );
    assert_eq!(
        see("store/page.rs", "fn f() { trace!(crate::daemon::X); }"),
        "daemon"
    );
    assert_eq!(
        see("store/page.rs", "use super::super::cli::X; use super::row;"),
        "cli"
    );
    assert_eq!(see("store/mod.rs", "use super::vault;"), "vault");
    assert_eq!(
        see(
            "store/page.rs",
            "use super::row; use super::{lease, Error}; mod tests { use super::*; use super::super::super::cli; }"
        ),
        "cli"
    );
}

#[test]
fn the_server_asks_no_actor() {
    let asks = |source: &Source| source.module() == "http" && named(source).contains("actors");
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(asks)
        .map(|source| source.name)
        .collect();
    assert!(
        wrong.is_empty(),
        "what http reads is in status, and what it orders goes through status::Orders: {wrong:?}"
    );
}
