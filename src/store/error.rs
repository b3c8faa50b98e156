//! tmp
use crate::domain::{Remedy, Time};
use sea_orm::DbErr;
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{context}: {source}")]
    Query { context: &'static str, source: DbErr },
    #[error("another process took this organization over")]
    FenceLost,
    #[error("held by {holder} until {expires_at}")]
    LeaseHeld { holder: String, expires_at: Time },
    #[error("no organization")]
    NoOrganization,
}
impl Error {
    pub(super) fn query(context: &'static str, source: DbErr) -> Error {
        Error::Query { context, source }
    }
    pub(super) fn commit(source: DbErr) -> Error {
        Error::Query { context: "committing", source }
    }
    pub fn remedy(&self) -> Remedy {
        Remedy::Retry { after: None }
    }
    pub fn hint(&self) -> Option<String> {
        None
    }
}
