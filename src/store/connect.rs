//! tmp
use super::Error;
use sea_orm::*;
#[derive(Clone, Debug)]
pub struct Store {
    conn: DatabaseConnection,
}
impl Store {
    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.conn
    }
    pub(super) fn backend(&self) -> DbBackend {
        self.conn.get_database_backend()
    }
    pub(super) async fn begin_write(&self) -> Result<DatabaseTransaction, Error> {
        self.conn.begin().await.map_err(|e| Error::query("begin", e))
    }
}
