//! What the server publishes about itself, at every path where clients look. RFC 8414 §3, OpenID Connect Discovery
//! 1.0 §4.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{any, get};
use enroll_oauth_types::ServerMetadata;
use enroll_registration::cors;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::http::not_found;
use crate::service;

/// The document as it is answered.
#[derive(Clone)]
struct Document {
    body: axum::body::Bytes,
    tag: HeaderValue,
}

/// The document at the well-known paths: behind the host, with and without the issuer's path, and behind the issuer.
pub(super) fn router(metadata: &ServerMetadata, issuer: &str) -> Router {
    let body = serde_json::to_vec(metadata).expect("metadata is JSON");
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag =
        HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish())).expect("digits are a header value");
    let document = Document { body: body.into(), tag };
    let mut router = Router::new();
    for path in well_known(&service::path_of(issuer)) {
        let document = document.clone();
        let answer = move |headers: HeaderMap| std::future::ready(document.answer(&headers));
        router = router.route(&path, get(answer));
    }
    // A script must be able to read that nothing is there, or it cannot go on to look elsewhere.
    router.route("/.well-known/{*other}", any(not_found)).layer(cors([Method::GET, Method::HEAD]))
}

fn well_known(path: &str) -> BTreeSet<String> {
    let (oauth, openid) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
    BTreeSet::from([format!("{oauth}{path}"), format!("{openid}{path}"), format!("{path}{openid}")])
}

impl Document {
    fn answer(&self, headers: &HeaderMap) -> Response {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8414 §3.1, OpenID Connect Discovery 1.0 §4
    #[test]
    fn an_issuer_with_a_path_is_found_in_three_places() {
        assert_eq!(well_known("").len(), 2);
        let paths: Vec<_> = well_known("/t").into_iter().collect();
        let expected = [
            "/.well-known/oauth-authorization-server/t",
            "/.well-known/openid-configuration/t",
            "/t/.well-known/openid-configuration",
        ];
        assert_eq!(paths, expected);
    }
}
