//! Why a registration ends early.

use enroll_oauth_types::Rejection;
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
    /// Only the log may know.
    #[error("registration failed")]
    Internal(#[source] BoxError),
}

impl From<StoreError> for RegistrationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Spent => Self::Spent,
            other => Self::Internal(other.into()),
        }
    }
}
