//! What the dictionary says, written into the database itself, where its tools show it: on
//! PostgreSQL of every table, view and column, on MySQL of tables. There a column's comment could
//! only be changed together with all else that the column is.

use super::{Error, Store};
use crate::entities::dictionary::{Entry, Sort, dictionary};
use sea_orm::{ConnectionTrait, DbBackend};

/// What MySQL holds of a table.
const MOST_CHARACTERS: usize = 2_000;

fn literal(text: &str, backend: DbBackend) -> String {
    let text: String = text.chars().take(MOST_CHARACTERS).collect();
    let text = text.replace('\'', "''");
    // A backslash is a sign of its own there.
    if backend == DbBackend::MySql {
        format!("'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}

fn on_postgres(entry: &Entry) -> String {
    let kind = if entry.sort == Sort::View {
        "VIEW"
    } else {
        "TABLE"
    };
    let of = |text: &str| literal(text, DbBackend::Postgres);
    let mut text = format!(
        "COMMENT ON {kind} {} IS {};\n",
        entry.name,
        of(&entry.meaning)
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
            of(&meaning)
        ));
    }
    text
}

impl Store {
    /// Writes them all.
    pub(super) async fn write_comments(&self) -> Result<(), Error> {
        let failed = |error| Error::query("commenting the schema", error);
        let connection = self.connection();
        match self.backend() {
            DbBackend::Postgres => {
                let text: String = dictionary().iter().map(on_postgres).collect();
                connection.execute_unprepared(&text).await.map_err(failed)?;
            }
            DbBackend::MySql => {
                let tables = dictionary()
                    .into_iter()
                    .filter(|one| one.sort != Sort::View);
                for table in tables {
                    let text = format!(
                        "ALTER TABLE {} COMMENT = {}",
                        table.name,
                        literal(&table.meaning, DbBackend::MySql)
                    );
                    connection.execute_unprepared(&text).await.map_err(failed)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
