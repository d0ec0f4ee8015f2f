//! What can go wrong in a store, the same for every engine.

use enroll_oauth_types::Rejection;

/// Any other error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something with this identifier is there already.
    #[error("the identifier is taken")]
    Duplicate,
    /// The record was changed or deleted since it was read: read it again.
    #[error("the record changed since it was read")]
    Conflict,
    /// The token that pays for this write is used up, expired or revoked.
    #[error("the token has no use left")]
    Spent,
    /// The store has no place for a value, and cuts none. Whoever sent it is told.
    #[error("the store has no place for {0}")]
    Refused(Rejection),
    /// The engine failed; only the log may know how.
    #[error("the store failed")]
    Backend(#[source] BoxError),
}

impl StoreError {
    /// The engine's own error.
    pub fn backend(error: impl Into<BoxError>) -> Self {
        Self::Backend(error.into())
    }
}
