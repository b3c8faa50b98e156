//! The dictionary as Markdown, with a diagram in Mermaid: `docs/dictionary.md`.

use super::parts::PARTS;
use crate::entities::dictionary::{Entry, Sort};
use std::fmt::Write;

pub(super) fn text(entries: &[Entry]) -> String {
    let mut text = String::from(
        "# Data dictionary\n\n\
         Made by `classy-sync db dictionary`; what a gift is and how the views are used is in \
         [docs/questions.md](questions.md).\n\n",
    );
    text.push_str(&diagram(entries));
    for (sort, heading, about) in PARTS {
        // A string takes everything.
        let _ = write!(text, "\n## {heading}\n\n{about}\n");
        for entry in entries.iter().filter(|entry| entry.sort == sort) {
            let _ = write!(text, "\n### {}\n\n{}\n", entry.name, entry.meaning);
            if let Some(path) = entry.path {
                let _ = write!(text, "\nFrom `/{path}` at Classy.\n");
            }
            text.push_str(&table(entry));
        }
    }
    text
}

fn table(entry: &Entry) -> String {
    let is_record = entry.sort == Sort::Record;
    let mut text = String::from(if is_record {
        "\n| column | type | at Classy | meaning |\n|---|---|---|---|\n"
    } else {
        "\n| column | type | meaning |\n|---|---|---|\n"
    });
    for field in &entry.columns {
        let source = match (is_record, field.source) {
            (false, _) => String::new(),
            (true, None) => " |".to_owned(),
            (true, Some(key)) => format!(" `{key}` |"),
        };
        let link = field
            .links
            .filter(|_| is_record)
            .map_or_else(String::new, |table| format!(" Links to `{table}`."));
        let meaning = field.meaning.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{}` | {} |{source} {meaning}{link} |",
            field.name,
            field.kind.told()
        );
    }
    text
}

/// What links to what.
fn diagram(entries: &[Entry]) -> String {
    let mut text = String::from("```mermaid\nerDiagram\n");
    for entry in entries.iter().filter(|entry| entry.sort == Sort::Record) {
        for field in &entry.columns {
            if let Some(parent) = field.links {
                let _ = writeln!(text, "    {parent} ||--o{{ {} : {}", entry.name, field.name);
            }
        }
    }
    text.push_str("```\n");
    text
}
