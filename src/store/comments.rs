//! What the dictionary says, written into the database itself, where its tools show it.

use super::{Error, Store};
use crate::entities::dictionary::dictionary;
use sea_orm::ConnectionTrait;

impl Store {
    /// Writes what the database keeps of it.
    pub(super) async fn write_comments(&self) -> Result<(), Error> {
        for text in self.dialect().comments(&dictionary()) {
            self.connection()
                .execute_unprepared(&text)
                .await
                .map_err(|error| Error::query("commenting the schema", error))?;
        }
        Ok(())
    }
}
