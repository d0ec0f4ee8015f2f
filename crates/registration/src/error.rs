//! Why a registration ends early.

use std::time::Duration;

use enroll_oauth_types::{Rejection, Timestamp};
use enroll_store::{BoxError, StoreError};

/// What a step says: go on, or why not.
pub type StepResult = Result<(), RegistrationError>;

/// A registration that did not happen. Nothing of it is stored, and it used up nothing.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The client may know, and is told.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The token that pays for the registration was used up in the meantime. 401 `invalid_token`.
    #[error("the initial access token has no use left")]
    Spent,
    /// A document had to be fetched, and too many were just now: 429.
    #[error("too many documents were fetched just now: try again in {} seconds", .0.as_secs())]
    TooOften(Duration),
    /// Only the log may know.
    #[error("registration failed")]
    Internal(#[source] BoxError),
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Spent => Self::Spent,
            StoreError::Refused(rejection) => Self::Rejected(rejection),
            other => Self::Internal(other.into()),
        }
    }
}

/// There are as many of something as one client may have: when to come back.
pub(crate) struct TooMany {
    pub(crate) retry_after: Duration,
}

impl TooMany {
    /// When the first of them has ended.
    pub(crate) fn until(ends: impl Iterator<Item = Timestamp>, now: Timestamp) -> Self {
        let first = ends.min().unwrap_or(now);
        let wait = first.seconds().saturating_sub(now.seconds()).max(1);
        Self { retry_after: Duration::from_secs(wait) }
    }
}
