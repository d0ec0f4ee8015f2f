//! A JSON document that stays as it is while the server runs.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// The document as it is answered.
#[derive(Clone)]
pub(super) struct Document {
    body: axum::body::Bytes,
    tag: HeaderValue,
}

impl Document {
    /// Written once, with a tag that changes when it does.
    pub(super) fn of(content: &impl Serialize) -> Self {
        let body = serde_json::to_vec(content).expect("a document is made of JSON");
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish()))
            .expect("digits are a header value");
        Self { body: body.into(), tag }
    }

    /// The document, or that it is still the one which the caller has. RFC 9110 §13.1.2.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let fresh = headers.get(header::IF_NONE_MATCH).is_some_and(|tags| {
            tags.to_str().is_ok_and(|tags| {
                let own = self.tag.to_str().unwrap_or_default();
                tags.split(',')
                    .any(|tag| matches!(tag.trim().trim_start_matches("W/"), tag if tag == own || tag == "*"))
            })
        });
        let mut response = Response::new(if fresh { Body::empty() } else { Body::from(self.body.clone()) });
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        headers.insert(header::ETAG, self.tag.clone());
        response
    }
}
