//! The methods of an endpoint. RFC 9110 §15.5.6.

use axum::routing::{MethodFilter, MethodRouter};
use enroll_oauth_types::ErrorCode;
use http::{HeaderValue, Method, StatusCode, header};

use crate::error_response;

/// These methods, and 405 in JSON for every other, HEAD among them: a read may bring another token, and nobody would see
/// it.
pub fn only<S: Clone + Send + Sync + 'static>(
    allowed: &'static str,
    methods: MethodRouter<S>,
) -> MethodRouter<S> {
    let refuse = move |method: Method| async move {
        let description = format!("{method} is not allowed here; use {allowed}");
        let mut response =
            error_response(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest, &description);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        response
    };
    methods.on(MethodFilter::HEAD, refuse).fallback(refuse)
}
