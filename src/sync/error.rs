//! Why a run failed.

use crate::domain::{Fault, FaultKind, Remedy};
use crate::entities::Entity;
use crate::{classy, store};

/// The reasons for which a run ends early. What was committed before stays, and the next run goes
/// on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source did not answer as it should.
    #[error(transparent)]
    Source(#[from] classy::Error),
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A full pass lacked more stored records than the guard takes for deletions.
    #[error(
        "the list of {entity} lacks at least {missing} of {stored} stored records: taken for a fault of the API, nothing was marked absent"
    )]
    MassAbsence {
        /// The kind of record that the feed reads.
        entity: Entity,
        /// Stored records that no page showed, as far as they were counted.
        missing: u64,
        /// Stored records in all.
        stored: u64,
    },
    /// The list is not in the order that was asked for, so it cannot be read by key.
    #[error("the list of {entity} is not in the order that was asked for (sort=updated_at:asc)")]
    Unordered {
        /// The kind of record that the feed reads.
        entity: Entity,
    },
    /// The source shows page after page and nothing new, or far more than it told of: it would
    /// never end.
    #[error("the list of {entity} does not end: {what}")]
    Endless {
        /// The kind of record that the feed reads.
        entity: Entity,
        /// What was seen.
        what: String,
    },
    /// Page after page cannot be read.
    #[error("the list of {entity} cannot be read: {what}")]
    Unreadable {
        /// The kind of record that the feed reads.
        entity: Entity,
        /// The first of them.
        what: String,
    },
}

impl Error {
    /// What is to be done.
    pub fn remedy(&self) -> Remedy {
        match self {
            Error::Source(error) => error.remedy(),
            Error::Store(error) => error.remedy(),
            _ => Remedy::Skip,
        }
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> FaultKind {
        match self {
            Error::Source(error) => error.kind(),
            Error::Store(error) => error.kind(),
            _ => FaultKind::Partial,
        }
    }

    /// Whether the organization's other feeds would fail for the same reason.
    pub fn concerns_all_feeds(&self) -> bool {
        match self {
            Error::Source(error) => error.concerns_all_feeds(),
            Error::Store(_) => true,
            _ => false,
        }
    }

    /// Whether it is this list, or this pass over it, that is at fault: then another way to read it
    /// may work.
    pub const fn is_of_this_feed(&self) -> bool {
        match self {
            Error::Source(error) => {
                error.may_be_of_one_request() || matches!(error, classy::Error::NotFound { .. })
            }
            Error::Store(_) => false,
            _ => true,
        }
    }

    /// As it is told.
    pub fn fault(&self) -> Fault {
        Fault {
            kind: self.kind(),
            text: self.to_string(),
            hint: self.hint(),
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Source(error) => error.hint().map(str::to_owned),
            Error::Store(error) => error.hint(),
            Error::MassAbsence { .. } => {
                Some("if so many records were really deleted, raise guard.absent_share for one `sync --full`".to_owned())
            }
            Error::Endless { .. } => Some("the source may ignore `page`: ask Classy's support; the other feeds go on".to_owned()),
            Error::Unordered { .. } | Error::Unreadable { .. } => None,
        }
    }
}
