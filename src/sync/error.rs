//! Why a run failed.

use crate::domain::{Entity, Fault, FaultKind, Remedy};
use crate::{classy, store};

/// The reasons for which a run ends early. What was committed before stays, and the next run goes on from there.
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
        /// The feed.
        entity: Entity,
        /// Stored records that no page showed, as far as they were counted.
        missing: u64,
        /// Stored records in all.
        stored: u64,
    },
    /// The list is not in the order that was asked for, so it cannot be read by key.
    #[error("the list of {entity} is not in the order that was asked for (sort=updated_at:asc)")]
    Unordered {
        /// The feed.
        entity: Entity,
    },
}

impl Error {
    /// What is to be done.
    pub fn remedy(&self) -> Remedy {
        match self {
            Error::Source(error) => error.remedy(),
            Error::Store(error) => error.remedy(),
            Error::MassAbsence { .. } | Error::Unordered { .. } => Remedy::Skip,
        }
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> FaultKind {
        match self {
            Error::Source(error) => error.kind(),
            Error::Store(error) => error.kind(),
            Error::MassAbsence { .. } | Error::Unordered { .. } => FaultKind::Partial,
        }
    }

    /// Whether the organization's other feeds would fail for the same reason.
    pub fn concerns_all_feeds(&self) -> bool {
        match self {
            Error::Source(error) => error.concerns_all_feeds(),
            Error::Store(_) => true,
            Error::MassAbsence { .. } | Error::Unordered { .. } => false,
        }
    }

    /// As it is told.
    pub fn fault(&self) -> Fault {
        Fault { kind: self.kind(), text: self.to_string(), hint: self.hint() }
    }

    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Source(error) => error.hint().map(str::to_owned),
            Error::Store(error) => error.hint(),
            Error::MassAbsence { .. } => {
                Some("if so many records were really deleted, raise guard.absent_share for one `sync --full`".to_owned())
            }
            Error::Unordered { .. } => None,
        }
    }
}
