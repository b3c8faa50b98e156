//! The rules of the house, proved on the source: floors, no circles, who may touch which crate,
//! files that open with what they are.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/floors.rs"]
mod floors;
#[path = "architecture/needs.rs"]
mod needs;
#[path = "architecture/source.rs"]
mod source;

use floors::OUTSIDE;
use source::{Source, files, inline_modules, root, sources};
use std::collections::BTreeSet;

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
        "config/restart.rs",
        "config/secret.rs",
        "config/show.rs",
        "credentials/replaced.rs",
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
    assert_eq!(having(|token| token == "expose_secret"), PLACES);
}

/// The files, without those of tests, that have a token.
fn having(is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|source| !source.path().iter().any(|part| part == "tests"))
        .filter(|source| source.tokens.iter().any(|token| is_meant(token)))
        .map(|source| source.name)
        .collect()
}

#[test]
fn which_database_it_is_is_asked_in_few_places() {
    // Whoever needs something different for one of the three gives it a name in `dialect`.
    const PLACES: &[&str] = &["store/dialect/mod.rs", "store/migrate.rs"];
    let is_asked = |token: &str| ["DbBackend", "DatabaseBackend"].contains(&token);
    assert_eq!(having(is_asked), PLACES);
}

#[test]
fn columns_are_read_one_by_one_in_few_places() {
    // Rows are structs and tuples that read themselves; these files say how a value is read.
    const PLACES: &[&str] = &[
        "store/amount.rs",
        "store/cell.rs",
        "store/tuple.rs",
        "store/value.rs",
    ];
    // The command line's parser has methods whose names begin alike.
    let is_read =
        |token: &str| token.starts_with("try_get") && !token.starts_with("try_get_matches");
    assert_eq!(having(is_read), PLACES);
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
