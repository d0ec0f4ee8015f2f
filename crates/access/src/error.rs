//! Why a caller is turned away, and how the answer says so. RFC 6750 §3.

use enroll_store::BoxError;

/// The request goes no further.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// 401 without an error code: a credential is needed and none was sent. RFC 6750 §3.1.
    #[error("a credential is required")]
    Missing,
    /// 400 `invalid_request`: the credential is not where or what it should be.
    #[error("{0}")]
    Malformed(&'static str),
    /// 401 `invalid_token`: unknown, expired, used up or revoked. The text is for the caller and tells no more.
    #[error("{0}")]
    InvalidToken(&'static str),
    /// 403 `insufficient_scope`: the token lacks these scopes.
    #[error("the scope `{0}` is required")]
    InsufficientScope(String),
    /// 403 `access_denied`: known, and not allowed. The text is for the caller.
    #[error("{0}")]
    Denied(String),
    /// 503 `temporarily_unavailable`: only the log may know why.
    #[error("authentication failed")]
    Internal(#[source] BoxError),
}
