//! What can go wrong with a statement, told apart by what is to be done about it.

use enroll_store::{BoxError, StoreError};

/// Why a statement was not done, or may not have been.
#[derive(Debug)]
pub(super) enum Fault {
    /// A name in it is taken.
    Duplicate(BoxError),
    /// A value does not fit where it should go.
    Unfit(BoxError),
    /// The engine undid it for the sake of another: it may be tried again.
    Again(BoxError),
    /// The engine refused it, as it would refuse any other just now.
    Refused(BoxError),
    /// The connection is of no use any more, and nobody knows whether the statement was done.
    Lost(BoxError),
    /// No connection could be had, so nothing was done.
    Unreached(BoxError),
}

impl Fault {
    /// What an engine's own code of an error means.
    pub(super) fn of(
        error: sqlx::Error,
        meaning: impl FnOnce(&dyn sqlx::error::DatabaseError) -> fn(BoxError) -> Self,
    ) -> Self {
        match error.as_database_error() {
            Some(told) if told.is_unique_violation() => Self::Duplicate(error.into()),
            Some(told) => meaning(told)(error.into()),
            None => Self::Lost(error.into()),
        }
    }

    /// Whether the connection works on.
    pub(super) fn leaves_the_link(&self) -> bool {
        !matches!(self, Self::Lost(_) | Self::Unreached(_))
    }

    /// What the caller is told.
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Duplicate(_) => StoreError::Duplicate,
            other => StoreError::Backend(other.into_cause()),
        }
    }

    /// What the engine said.
    pub(super) fn into_cause(self) -> BoxError {
        match self {
            Self::Duplicate(error)
            | Self::Unfit(error)
            | Self::Again(error)
            | Self::Refused(error)
            | Self::Lost(error)
            | Self::Unreached(error) => error,
        }
    }
}

/// What a caller is told whose write was under way when the connection broke.
pub(super) fn unknown(error: impl Into<BoxError>) -> StoreError {
    StoreError::backend(Unknown(error.into()))
}

/// Nobody knows whether it was written.
#[derive(Debug, thiserror::Error)]
#[error("the connection to the database broke during a write, which may or may not have been done")]
struct Unknown(#[source] BoxError);
