//! What each command's help ends with: a line that can be typed as it is.

use super::args::Cli;
use clap::{Command, CommandFactory, FromArgMatches};

/// A command by its words, and lines that begin with `classy-sync`.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("demo", &["demo --once"]),
    (
        "init",
        &[
            "init acme",
            "init --id 10001 --name 'Food Bank' --client-id abc --secret-env SECRET",
        ],
    ),
    ("run", &["run --config /etc/classy-sync/classy-sync.toml"]),
    ("stop", &["stop"]),
    ("reload", &["reload"]),
    ("status", &["status --watch"]),
    ("health", &["health --output json"]),
    ("alerts list", &["alerts list --all --limit 20"]),
    ("alerts ack", &["alerts ack 12"]),
    ("alerts test", &["alerts test"]),
    (
        "org add",
        &["org add --id 10001 --name 'Food Bank' --client-id abc --secret-env SECRET"],
    ),
    ("org list", &["org list"]),
    ("org show", &["org show 10001"]),
    ("org test", &["org test 10001"]),
    (
        "org set-credentials",
        &["org set-credentials 10001 --secret-env SECRET"],
    ),
    ("org pause", &["org pause 10001"]),
    ("org resume", &["org resume 10001"]),
    ("org remove", &["org remove 10001"]),
    (
        "sync",
        &[
            "sync --org 10001 --entity transactions",
            "sync --full",
            "sync --dry-run",
        ],
    ),
    ("plugin list", &["plugin list --org 10001"]),
    ("plugin run", &["plugin run --org 10001 --plugin mailchimp"]),
    (
        "plugin preview",
        &["plugin preview --org 10001 --show-people"],
    ),
    ("plugin retry", &["plugin retry --org 10001"]),
    (
        "plugin approve",
        &["plugin approve --org 10001 --kind unsubscribe"],
    ),
    ("plugin adopt", &["plugin adopt --org 10001"]),
    (
        "plugin undo",
        &["plugin undo --org 10001 --since 2026-01-31T12:00:00Z"],
    ),
    (
        "plugin resume",
        &["plugin resume --org 10001 --reason 'the audience was looked through'"],
    ),
    ("plugin audit", &["plugin audit --org 10001 --format csv"]),
    (
        "plugin webhook create",
        &["plugin webhook create --org 10001 --url https://sync.example.org"],
    ),
    ("plugin webhook list", &["plugin webhook list --org 10001"]),
    (
        "plugin webhook delete",
        &["plugin webhook delete --org 10001"],
    ),
    ("report", &["report retention --org 10001 --format csv"]),
    ("export", &["export gifts --org 10001 --since 2026-01-01"]),
    ("rejects", &["rejects --org 10001"]),
    ("history", &["history --org 10001 --limit 200"]),
    ("audit", &["audit --org 10001"]),
    ("db migrate", &["db migrate"]),
    ("db status", &["db status"]),
    ("db check", &["db check"]),
    ("db optimize", &["db optimize"]),
    ("db fields", &["db fields"]),
    ("db dictionary", &["db dictionary --format html"]),
    ("keys generate", &["keys generate --write"]),
    ("keys list", &["keys list"]),
    ("keys rotate", &["keys rotate"]),
    ("config check", &["config check"]),
    ("config show", &["config show"]),
    ("config reference", &["config reference"]),
    (
        "simulate",
        &[
            "simulate --supporters 5000 --write acme",
            "simulate --faults slow,rate-limit",
        ],
    ),
    ("completions", &["completions bash"]),
];

/// All commands, each with its examples.
pub(super) fn command() -> Command {
    EXAMPLES.iter().fold(Cli::command(), |all, (words, lines)| {
        let words: Vec<&str> = words.split(' ').collect();
        with_examples(all, &words, lines)
    })
}

fn with_examples(command: Command, words: &[&str], lines: &[&str]) -> Command {
    match words.split_first() {
        Some((word, rest)) => {
            command.mut_subcommand(word, |command| with_examples(command, rest, lines))
        }
        None => {
            let lines: Vec<String> = lines
                .iter()
                .map(|line| format!("  classy-sync {line}"))
                .collect();
            let before = command.get_after_help().map(|text| format!("\n\n{text}"));
            let text = format!(
                "Examples:\n{}{}",
                lines.join("\n"),
                before.unwrap_or_default()
            );
            command.after_help(text)
        }
    }
}

/// What was typed.
///
/// # Errors
/// Help and the version, which are results; words that do not fit together.
pub(super) fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(command: &Command, words: &str, found: &mut Vec<String>) {
        let inner: Vec<&Command> = command
            .get_subcommands()
            .filter(|one| one.get_name() != "help")
            .collect();
        if inner.is_empty() {
            found.push(words.trim().to_owned());
        }
        for one in inner {
            leaves(one, &format!("{words} {}", one.get_name()), found);
        }
    }

    #[test]
    fn each_command_has_an_example_that_is_one_of_it() {
        let mut commands = Vec::new();
        leaves(&Cli::command(), "", &mut commands);
        let known: Vec<&str> = EXAMPLES.iter().map(|(words, _)| *words).collect();
        assert_eq!(commands, known);
        for (words, lines) in EXAMPLES {
            for line in *lines {
                assert!(line.starts_with(words), "{line}");
                let typed = format!("classy-sync {line}").replace('\'', "\"");
                let mut parts = Vec::new();
                for (place, part) in typed.split('"').enumerate() {
                    if place % 2 == 1 {
                        parts.push(part.to_owned());
                    } else {
                        parts.extend(part.split_whitespace().map(str::to_owned));
                    }
                }
                let parsed = command().try_get_matches_from(parts);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }
}
