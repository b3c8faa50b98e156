//! tmp
use crate::domain::*;
pub trait Wire: Record {}
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("x")]
    X,
}
impl Error {
    pub fn remedy(&self) -> Remedy {
        Remedy::Skip
    }
    pub fn hint(&self) -> Option<String> {
        None
    }
}
pub struct Client;
impl Client {
    pub async fn page<R: Wire>(&self, _q: Query, _p: u32, _pp: u32) -> Result<Page<R>, Error> {
        Err(Error::X)
    }
    pub async fn one<R: Wire>(&self, _id: i64) -> Result<Option<Item<R>>, Error> {
        Ok(None)
    }
    pub fn max_concurrency(&self) -> usize {
        4
    }
}
