//! Whether the database can hold every text: one in a narrow encoding is refused before anything is
//! made in it, rather than with the first name that it cannot spell.

use super::statement::sql;
use super::{Error, Store};
use crate::entities::Entity;
use sea_orm::{ConnectionTrait, DbBackend};

/// MySQL's name of the whole of Unicode; its `utf8` holds no character beyond the first 65,536.
const MYSQL: &str = "utf8mb4";

impl Store {
    /// # Errors
    /// [`Error::Encoding`], and database errors.
    pub(super) async fn require_unicode(&self) -> Result<(), Error> {
        match self.backend() {
            DbBackend::Postgres => match self.ask("SHOW server_encoding", "server_encoding").await?
            {
                Some(encoding) if encoding != "UTF8" => Err(Error::Encoding {
                    place: "it".to_owned(),
                    encoding,
                    needed: "UTF8",
                }),
                _ => Ok(()),
            },
            DbBackend::MySql => {
                let text = format!(
                    "SELECT character_set_name AS word FROM information_schema.character_sets WHERE character_set_name = '{MYSQL}'"
                );
                if self.ask(&text, "word").await?.is_none() {
                    return Err(Error::Encoding {
                        place: "the server".to_owned(),
                        encoding: "older than that".to_owned(),
                        needed: MYSQL,
                    });
                }
                // Tables are made in it whatever the schema's own is; these were changed since.
                let text = format!(
                    "SELECT CONCAT(c.table_name, '.', c.column_name, ' ', c.character_set_name) AS word FROM information_schema.columns AS c \
                     WHERE c.table_schema = DATABASE() AND c.character_set_name <> '{MYSQL}' \
                     AND c.table_name IN ('organizations', 'plugin_deliveries', '{}') LIMIT 1",
                    Entity::ALL.map(Entity::as_str).join("', '")
                );
                let Some(found) = self.ask(&text, "word").await? else {
                    return Ok(());
                };
                let (place, encoding) = found.split_once(' ').unwrap_or((&found, ""));
                Err(Error::Encoding {
                    place: place.to_owned(),
                    encoding: encoding.to_owned(),
                    needed: MYSQL,
                })
            }
            // SQLite's texts are UTF-8 or UTF-16.
            _ => Ok(()),
        }
    }

    async fn ask(&self, text: &str, column: &str) -> Result<Option<String>, Error> {
        let failed = |error| Error::query("asking for the database's encoding", error);
        let row = self
            .connection()
            .query_one_raw(sql(self.backend(), text, []))
            .await
            .map_err(failed)?;
        row.map(|row| row.try_get("", column))
            .transpose()
            .map_err(failed)
    }
}
