//! What the endpoints refuse, as the standard has it. RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2.

use std::borrow::Cow;

use axum::response::Response;
use enroll_endpoint::{BodyError, error_response, unavailable};
use enroll_oauth_types::ErrorCode;
use enroll_store::{BoxError, StoreError};
use http::{HeaderValue, StatusCode, header};

/// A request that is refused, in words for whoever wrote the client.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// 400, with the code and what would be right.
    #[error("{1}")]
    Refused(ErrorCode, Cow<'static, str>),
    /// 401 `invalid_client`. RFC 6749 §5.2.
    #[error("{problem}")]
    InvalidClient {
        /// What is wrong. It tells whether there is such a client only to whoever signed as that.
        problem: &'static str,
        /// Whether the client tried the `Authorization` header, which asks for a challenge.
        by_header: bool,
    },
    /// The body did not come as it should.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// 503: another request changed the same at the same time, again and again.
    #[error("others changed the same at the same time; try again")]
    Conflict,
    /// 503: only the log may know.
    #[error("the request failed on the server's side")]
    Internal(#[source] BoxError),
}

impl ProtocolError {
    pub(crate) fn new(code: ErrorCode, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(code, problem.into())
    }

    pub(crate) fn invalid_request(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, problem)
    }

    /// The same whether or not there is such a client.
    pub(crate) fn not_proven(by_header: bool) -> Self {
        let problem = "the client is not known, or did not authenticate as it is registered";
        Self::InvalidClient { problem, by_header }
    }

    pub(crate) fn internal(cause: impl Into<BoxError>) -> Self {
        Self::Internal(cause.into())
    }

    /// The answer: JSON, never cached.
    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Internal(cause) => unavailable(&*cause),
            Self::Conflict => unavailable(&self),
            Self::Body(error) => error.into_response(),
            Self::Refused(code, problem) => refusal(StatusCode::BAD_REQUEST, code, &problem),
            Self::InvalidClient { problem, by_header } => {
                let mut response = refusal(StatusCode::UNAUTHORIZED, ErrorCode::InvalidClient, problem);
                if by_header {
                    let challenge = HeaderValue::from_static("Basic realm=\"enroll\"");
                    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                }
                response
            }
        }
    }
}

fn refusal(status: StatusCode, code: ErrorCode, problem: &str) -> Response {
    tracing::info!(error = %code, "refused a request: {problem}");
    error_response(status, code, problem)
}

impl From<StoreError> for ProtocolError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Conflict,
            error => Self::internal(error),
        }
    }
}
