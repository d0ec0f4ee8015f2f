//! Pages and redirects, with the headers that keep them safe. CSP Level 3, RFC 6797 is the business of whoever ends TLS.

use axum::body::Body;
use axum::response::Response;
use enroll_endpoint::never_kept;
use enroll_pages::{Forms, content_security_policy};
use http::{HeaderValue, StatusCode, header};

/// A page. Nobody may keep it, frame it, or guess that it is something else; and where it leads to is not told where it
/// came from, since addresses here carry requests.
pub(crate) fn page(status: StatusCode, html: String, forms: Forms) -> Response {
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_str(&content_security_policy(forms));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.expect("a policy is made of printable ASCII"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    never_kept(headers);
    response
}

/// 303, so that what was posted is not posted on. RFC 9700 §4.12.
pub(crate) fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    // What a header cannot hold is no address that anybody registered.
    let location = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, location);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    never_kept(headers);
    response
}

/// An address with more in its query; what it had stays. RFC 6749 §3.1.2.
pub(crate) fn with_query(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    if parameters.is_empty() {
        return redirect_uri.to_owned();
    }
    let added = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let before = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{before}{added}")
}

/// An address with this as its fragment; none that is registered has one. RFC 6749 §4.2.2.
pub(crate) fn with_fragment(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let added = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{redirect_uri}#{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 §3.1.2: the query that was registered is retained.
    #[test]
    fn what_a_redirect_uri_has_in_its_query_stays() {
        for (registered, expected) in [
            ("https://a.example/cb", "https://a.example/cb?code=x+%26y"),
            ("https://a.example/cb?", "https://a.example/cb?code=x+%26y"),
            ("https://a.example/cb?b=1", "https://a.example/cb?b=1&code=x+%26y"),
            ("com.example.app:/cb", "com.example.app:/cb?code=x+%26y"),
        ] {
            assert_eq!(with_query(registered, &[("code", "x &y")]), expected);
        }
    }
}
