//! The rules of the house, proved on the source: floors, no circles, who may touch which crate,
//! files that open with what they are.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "architecture/circles.rs"]
mod circles;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
const OUTSIDE: &str = "simulator";

/// Crates that stay behind one door. A path ends in `/` or names a file; `*` stands for one folder.
const DOORS: &[(&str, &[&str])] = &[
    ("actix", &["supervision/", "actors/", "daemon/"]),
    ("actix_rt", &["supervision/", "actors/", "daemon/"]),
    ("sea_orm", &["store/", "entities/"]),
    ("sqlx", &["store/"]),
    ("migration", &["store/"]),
    (
        "reqwest",
        &[
            "net/",
            "classy/",
            "integrations/*/client.rs",
            "integrations/*/api/client.rs",
            "health/",
            "cli/",
        ],
    ),
    ("aes_gcm", &["vault/"]),
    ("axum", &["http/", "simulator/"]),
    ("clap", &["cli/"]),
    ("println", &["cli/"]),
    ("print", &["cli/"]),
    ("eprintln", &["cli/"]),
    ("eprint", &["cli/"]),
];

/// Neither I/O nor formats on the lowest floor.
const NOT_IN_DOMAIN: &[&str] = &[
    "serde",
    "serde_json",
    "tokio",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "tracing",
];

struct Source {
    /// Below `src/`, with slashes.
    name: String,
    text: String,
    tokens: Vec<String>,
}

impl Source {
    fn new(name: String, text: String) -> Source {
        let mut tokens = Vec::new();
        flatten(text.parse().unwrap(), &mut tokens);
        Source { name, text, tokens }
    }

    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// The module path below the crate: `store/page.rs` is `["store", "page"]`.
    fn path(&self) -> Vec<String> {
        let mut path: Vec<String> = self
            .name
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        path
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            Source::new(
                path.strip_prefix(&folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/"),
                text,
            )
        })
        .collect()
}

/// Every token of a file, bodies of macros included; `::` is one.
fn flatten(stream: TokenStream, out: &mut Vec<String>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                out.push(open.to_owned());
                flatten(group.stream(), out);
                out.push(close.to_owned());
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':' && out.last().is_some_and(|last| last == ":") =>
            {
                out.pop();
                out.push("::".to_owned());
            }
            other => out.push(other.to_string()),
        }
    }
}

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

/// For each token, the modules written inside the file that enclose it.
fn inline_modules(tokens: &[String]) -> Vec<Vec<String>> {
    // Per open brace: whether it is a module's.
    let mut braces: Vec<bool> = Vec::new();
    let mut modules: Vec<String> = Vec::new();
    let mut enclosing = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        enclosing.push(modules.clone());
        if token == "{" {
            let is_module = index >= 2 && tokens[index - 2] == "mod";
            braces.push(is_module);
            if is_module {
                modules.push(tokens[index - 1].clone());
            }
        } else if token == "}" && braces.pop() == Some(true) {
            modules.pop();
        }
    }
    enclosing
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

#[test]
fn documents_are_looked_up_and_not_walked() {
    // A plain join lets SQLite read the whole document again for each row of the table: a batch
    // takes seconds instead of milliseconds.
    let walks = |source: &Source| {
        ["{source} JOIN", "FROM {} JOIN", "AS j JOIN"]
            .iter()
            .any(|join| source.text.contains(join))
    };
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.module() == "store" && walks(source))
        .map(|source| source.name)
        .collect();
    assert!(wrong.is_empty(), "join with statement::lookup: {wrong:?}");
}

fn prints(name: &str) -> bool {
    name.contains("print")
}

/// Whether a file may use a crate that has a door.
fn through(door: &[&str], name: &str) -> bool {
    door.iter().any(|place| match place.split_once('*') {
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.split_once('/')
                .is_some_and(|(_, rest)| format!("/{rest}") == after)
        }),
        None => name.starts_with(place),
    })
}

#[test]
fn crates_are_used_behind_their_doors_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let uses = |name: &str, tokens: &[String]| {
            let inline = inline_modules(tokens);
            tokens.iter().enumerate().any(|(index, token)| {
                // Tests print their seeds.
                if prints(name)
                    && (inline[index].iter().any(|module| module == "tests")
                        || source.path().iter().any(|part| part == "tests"))
                {
                    return false;
                }
                let next = tokens.get(index + 1).map(String::as_str);
                let before = index.checked_sub(1).map(|index| tokens[index].as_str());
                // A path's first word, or a macro.
                token == name
                    && ((next == Some("::") && before != Some("::"))
                        || next == Some("!")
                        || (before == Some("use") && next == Some(";")))
            })
        };
        for (name, door) in DOORS {
            if uses(name, &source.tokens) && !through(door, &source.name) {
                wrong.push(format!("{} uses {name}", source.name));
            }
        }
        let plain = source.tokens.join(" ");
        if plain.contains("Utc :: now") && source.name != "clock.rs" && source.module() != OUTSIDE {
            wrong.push(format!("{} reads the clock", source.name));
        }
        if ["domain", "clock"].contains(&source.module()) {
            wrong.extend(
                NOT_IN_DOMAIN
                    .iter()
                    .filter(|name| plain.contains(&format!("{} ::", name.replace("::", " :: "))))
                    .map(|name| format!("{} uses {name}", source.name)),
            );
        }
        if source.name != "classy/transport.rs" {
            // Only one place reads bodies, and it counts them.
            wrong.extend(
                [
                    ". bytes ( ) . await",
                    ". json ( ) . await",
                    ". text ( ) . await",
                ]
                .iter()
                .filter(|call| plain.contains(**call))
                .map(|call| format!("{}: {call}", source.name)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn secrets_are_exposed_in_few_places() {
    // Where they leave for their neighbour or are sealed; a new place must be thought about and
    // added here.
    const PLACES: &[&str] = &[
        "classy/token.rs",
        "classy/transport.rs",
        "cli/keys.rs",
        "config/load.rs",
        "config/meaning.rs",
        "config/places.rs",
        "config/secret.rs",
        "config/show.rs",
        "credentials/sealed.rs",
        "daemon/surroundings.rs",
        "domain/remote_text.rs",
        "health/messenger.rs",
        "http/access.rs",
        "http/hooks/signature.rs",
        "integrations/files.rs",
        "integrations/mailchimp/api/client.rs",
        "integrations/mailchimp/settings.rs",
        "integrations/webhook/client.rs",
        "store/connect.rs",
        "vault/key.rs",
        "vault/seal.rs",
    ];
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|source| !source.path().iter().any(|part| part == "tests"))
        .filter(|source| source.tokens.iter().any(|token| token == "expose_secret"))
        .map(|source| source.name)
        .collect();
    assert_eq!(found, PLACES);
}

#[test]
fn files_are_short_and_open_with_what_they_are() {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "migration/src"] {
        files(&root().join(folder), &mut paths);
    }
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not open with //!", path.display()));
        }
        if text.lines().count() > 400 {
            wrong.push(format!("{} has more than 400 lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_map_lists_every_module() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let modules: BTreeSet<String> = sources()
        .iter()
        .map(|source| source.module().to_owned())
        .filter(|module| !["lib", "main"].contains(&module.as_str()))
        .collect();
    let missing: Vec<&String> = modules
        .iter()
        .filter(|module| !map.contains(&format!("`{module}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not tell of {missing:?}"
    );
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        "TO".to_owned() + "DO",
        "FIX".to_owned() + "ME",
        "XX".to_owned() + "X",
        "HA".to_owned() + "CK",
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| {
                line.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| word == mark)
            }) {
                wrong.push(format!("{}:{}", source.name, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
