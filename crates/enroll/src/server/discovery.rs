//! What the server publishes about itself, at every path where clients look. RFC 8414 §3, OpenID Connect Discovery
//! 1.0 §4.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::{any, get};
use enroll_endpoint::cors;
use enroll_oauth_types::ServerMetadata;
use http::{HeaderMap, Method};

use super::document::Document;
use super::http::not_found;
use crate::service;

/// The document at the well-known paths: behind the host, with and without the issuer's path, and behind the issuer.
pub(super) fn router(metadata: &ServerMetadata, issuer: &str) -> Router {
    let document = Document::of(metadata);
    let mut router = Router::new();
    for path in well_known(&service::path_of(issuer)) {
        let document = document.clone();
        let answer = move |headers: HeaderMap| std::future::ready(document.answer(&headers));
        router = router.route(&path, get(answer));
    }
    // A script must be able to read that nothing is there, or it cannot go on to look elsewhere.
    router.route("/.well-known/{*other}", any(not_found)).layer(cors([Method::GET, Method::HEAD]))
}

/// The paths where clients look for the metadata of an issuer with this path.
pub(super) fn well_known(path: &str) -> BTreeSet<String> {
    let (oauth, openid) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
    BTreeSet::from([format!("{oauth}{path}"), format!("{openid}{path}"), format!("{path}{openid}")])
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
