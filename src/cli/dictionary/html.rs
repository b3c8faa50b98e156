//! The dictionary as one page, without anything from outside.

use super::parts::PARTS;
use crate::entities::dictionary::Entry;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;\
padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;\
vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ccc}";

/// A meaning: what is between backticks is a word of the database.
fn words(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

pub(super) fn text(entries: &[Entry]) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Data dictionary" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Data dictionary" }
                @for (sort, heading, about) in PARTS {
                    h2 { (heading) }
                    p { (about) }
                    @for entry in entries.iter().filter(|entry| entry.sort == sort) {
                        h3 id=(entry.name) { (entry.name) }
                        p { (words(&entry.meaning)) }
                        table {
                            thead { tr { th { "Column" } th { "Type" } th { "At Classy" } th { "Meaning" } } }
                            tbody {
                                @for field in &entry.columns {
                                    tr {
                                        td { code { (field.name) } }
                                        td { (field.kind.told()) }
                                        td { @if let Some(key) = field.source { code { (key) } } }
                                        td {
                                            (words(&field.meaning))
                                            @if let Some(table) = field.links {
                                                " Links to " a href={ "#" (table) } { (table) } "."
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}
