//! Answers in JSON that nobody keeps. RFC 6749 §5.1, §5.2.

use axum::body::Body;
use axum::response::Response;
use enroll_oauth_types::{ErrorBody, ErrorCode};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// Room for a usual answer, so that it need not grow while it is written.
const USUAL: usize = 2048;

/// An answer in JSON that nobody keeps.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut written = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut written, body).expect("an answer is made of JSON");
    let mut response = Response::new(Body::from(written));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    never_kept(headers);
    response
}

/// RFC 6749 §5.1
pub fn never_kept(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// An error of any endpoint: JSON with `error` and `error_description`, never cached. RFC 6749 §5.2.
pub fn error_response(status: StatusCode, error: ErrorCode, description: &str) -> Response {
    json(status, &ErrorBody::new(error, description))
}

/// 503, worth another try. The cause goes to the log and nowhere else.
pub fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error = cause, "a request failed on the server's side: {cause}");
    let description = "the server cannot do this at the moment; try again later";
    let mut response =
        error_response(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable, description);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
