//! Whether the database can hold every text, as it is asked. SQLite's texts are UTF-8 or UTF-16.

use super::{Database, Dialect};
use crate::entities::Entity;

/// MySQL's name of the whole of Unicode; its `utf8` holds no character beyond the first 65,536.
const MYSQL: &str = "utf8mb4";

/// A question about encodings, and what its answer means.
pub(crate) struct EncodingQuestion {
    /// The statement; it answers with one text, or with nothing.
    pub(crate) text: String,
    /// What is too narrow, by the answer.
    pub(crate) narrow: fn(Option<String>) -> Option<NarrowEncoding>,
}

/// An encoding that cannot spell every name.
pub(crate) struct NarrowEncoding {
    /// What has it.
    pub(crate) place: String,
    /// What it is called.
    pub(crate) encoding: String,
    /// What it should be.
    pub(crate) needed: &'static str,
}

impl Dialect {
    /// What is asked, one after the other.
    pub(crate) fn encoding_questions(self) -> Vec<EncodingQuestion> {
        match self.0 {
            Database::Postgres => vec![EncodingQuestion {
                text: "SHOW server_encoding".to_owned(),
                narrow: not_utf8,
            }],
            Database::MySql => vec![
                EncodingQuestion {
                    text: format!(
                        "SELECT character_set_name AS word FROM information_schema.character_sets WHERE character_set_name = '{MYSQL}'"
                    ),
                    narrow: unknown_to_server,
                },
                // Tables are made in it whatever the schema's own is; these were changed since.
                EncodingQuestion {
                    text: format!(
                        "SELECT CONCAT(c.table_name, '.', c.column_name, ' ', c.character_set_name) AS word FROM information_schema.columns AS c \
                         WHERE c.table_schema = DATABASE() AND c.character_set_name <> '{MYSQL}' \
                         AND c.table_name IN ('organizations', 'plugin_deliveries', '{}') LIMIT 1",
                        Entity::ALL.map(Entity::as_str).join("', '")
                    ),
                    narrow: of_column,
                },
            ],
            Database::Sqlite => Vec::new(),
        }
    }
}

fn not_utf8(encoding: Option<String>) -> Option<NarrowEncoding> {
    let encoding = encoding.filter(|encoding| encoding != "UTF8")?;
    Some(NarrowEncoding {
        place: "it".to_owned(),
        encoding,
        needed: "UTF8",
    })
}

fn unknown_to_server(known: Option<String>) -> Option<NarrowEncoding> {
    known.is_none().then(|| NarrowEncoding {
        place: "the server".to_owned(),
        encoding: "older than that".to_owned(),
        needed: MYSQL,
    })
}

fn of_column(found: Option<String>) -> Option<NarrowEncoding> {
    let found = found?;
    let (place, encoding) = found.split_once(' ').unwrap_or((&found, ""));
    Some(NarrowEncoding {
        place: place.to_owned(),
        encoding: encoding.to_owned(),
        needed: MYSQL,
    })
}
