//! Whether the database can hold every text: one in a narrow encoding is refused before anything is
//! made in it, rather than with the first name that it cannot spell.

use super::statement::sql;
use super::{Error, Store, tuple};

impl Store {
    /// # Errors
    /// [`Error::Encoding`], and database errors.
    pub(super) async fn require_unicode(&self) -> Result<(), Error> {
        let failed = |error| Error::query("asking for the database's encoding", error);
        for question in self.dialect().encoding_questions() {
            let statement = sql(self.dialect(), &question.text, []);
            let answer = tuple::one(self.connection(), statement)
                .await
                .map_err(failed)?;
            if let Some(narrow) = (question.narrow)(answer) {
                return Err(Error::Encoding {
                    place: narrow.place,
                    encoding: narrow.encoding,
                    needed: narrow.needed,
                });
            }
        }
        Ok(())
    }
}
