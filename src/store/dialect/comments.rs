//! What the dictionary says, as comments of the database: on PostgreSQL of every table, view and
//! column, on MySQL of tables. There a column's comment could only be changed together with all
//! else that the column is. SQLite keeps none.

use super::{Database, Dialect};
use crate::entities::dictionary::{Entry, Sort};

/// What MySQL holds of a table.
const MOST_CHARACTERS: usize = 2_000;

impl Dialect {
    /// The statements that write these entries into the database.
    pub(crate) fn comments(self, entries: &[Entry]) -> Vec<String> {
        match self.0 {
            // All at once: it takes several statements as one text.
            Database::Postgres => vec![entries.iter().map(|one| self.all_comments(one)).collect()],
            Database::MySql => entries
                .iter()
                .filter(|one| one.sort != Sort::View)
                .map(|table| {
                    let meaning = self.literal(&table.meaning);
                    format!("ALTER TABLE {} COMMENT = {meaning}", table.name)
                })
                .collect(),
            Database::Sqlite => Vec::new(),
        }
    }

    fn all_comments(self, entry: &Entry) -> String {
        let kind = if entry.sort == Sort::View {
            "VIEW"
        } else {
            "TABLE"
        };
        let mut text = format!(
            "COMMENT ON {kind} {} IS {};\n",
            entry.name,
            self.literal(&entry.meaning)
        );
        for field in &entry.columns {
            let meaning = match field.source {
                Some(key) => format!("{} (Classy: {key})", field.meaning),
                None => field.meaning.clone(),
            };
            text.push_str(&format!(
                "COMMENT ON COLUMN {}.\"{}\" IS {};\n",
                entry.name,
                field.name,
                self.literal(&meaning)
            ));
        }
        text
    }

    fn literal(self, text: &str) -> String {
        let text: String = text.chars().take(MOST_CHARACTERS).collect();
        let text = text.replace('\'', "''");
        match self.0 {
            // A backslash is a sign of its own there.
            Database::MySql => format!("'{}'", text.replace('\\', "\\\\")),
            Database::Sqlite | Database::Postgres => format!("'{text}'"),
        }
    }
}
