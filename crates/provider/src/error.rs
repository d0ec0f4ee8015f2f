//! What the endpoints refuse, as the standard has it. RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 8707 §2.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use enroll_oauth_types::{ErrorBody, ErrorCode};
use enroll_store::{BoxError, StoreError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

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
    /// 413: the body is larger than 64 KiB.
    #[error("the body is larger than 64 KiB")]
    TooLarge,
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
        let (status, code) = match &self {
            Self::Refused(code, _) => (StatusCode::BAD_REQUEST, code.clone()),
            Self::InvalidClient { .. } => (StatusCode::UNAUTHORIZED, ErrorCode::InvalidClient),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::InvalidRequest),
            Self::Internal(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable),
        };
        let description = match &self {
            Self::Internal(cause) => {
                tracing::error!(error = &**cause as &dyn std::error::Error, "a request failed: {cause}");
                "the server cannot do this at the moment; try again later".to_owned()
            }
            refusal => {
                tracing::info!(error = %code, "refused a request: {refusal}");
                refusal.to_string()
            }
        };
        let mut response = json(status, &ErrorBody::new(code, &description));
        match self {
            Self::InvalidClient { by_header: true, .. } => {
                let challenge = HeaderValue::from_static("Basic realm=\"enroll\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::Internal(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for ProtocolError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

/// An answer in JSON that nobody keeps. RFC 6749 §5.1.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let written = serde_json::to_vec(body).expect("an answer is made of JSON");
    let mut response = Response::new(Body::from(written));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    never_kept(response.headers_mut());
    response
}

/// RFC 6749 §5.1
pub(crate) fn never_kept(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
