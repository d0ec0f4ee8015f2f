//! What holds for every request: an identifier, a span, a time limit, metrics, and errors in JSON.

use std::borrow::Cow;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use enroll_endpoint::{Source, error_response};
use enroll_oauth_types::{ErrorCode, Random as _, SystemRandom};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::meters::Meters;
use super::source::{is_proxy, seems_a_proxy, source};
use crate::config::{Limits, Network};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes, with what holds for all of them around.
pub(super) fn around(routes: Router, limits: &Limits) -> Router {
    let longest = limits.request_timeout();
    let proxies: Arc<[Network]> = limits.trusted_proxies.as_slice().into();
    let meters = Arc::<Meters>::default();
    let warned = Arc::new(Once::new());
    let observe = move |request, next| {
        observed(from_its_source(request, &proxies, &warned), next, longest, meters.clone())
    };
    // As one layer, since each layer of a router costs every request an allocation or two.
    routes.layer(
        ServiceBuilder::new().layer(from_fn(observe)).layer(CatchPanicLayer::custom(|_| server_error())),
    )
}

/// 404 in JSON. RFC 9110 §15.5.5.
pub(super) async fn not_found() -> Response {
    error_response(StatusCode::NOT_FOUND, ErrorCode::InvalidRequest, "nothing is served at this path")
}

/// The same request, which says who sent it where a proxy of ours handed it on. Of one that seems to be ours and was not
/// named, the operator is told once.
fn from_its_source(mut request: Request, proxies: &[Network], warned: &Once) -> Request {
    let Some(Source(peer)) = request.extensions().get().copied() else { return request };
    if is_proxy(peer, proxies) {
        let source = source(peer, request.headers(), proxies);
        request.extensions_mut().insert(Source(source));
    } else if seems_a_proxy(peer, request.headers()) {
        warned.call_once(|| {
            tracing::warn!(
                "requests with X-Forwarded-For come from {peer}, which is not believed: if a reverse proxy is there, name it \
                 in `limits.trusted_proxies`; until then all who call through it count as one"
            );
        });
    }
    request
}

async fn observed(mut request: Request, next: Next, longest: Duration, meters: Arc<Meters>) -> Response {
    let start = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Pages for people show it.
    let shown = HeaderValue::from_str(&id);
    if let Ok(shown) = &shown {
        request.headers_mut().insert(REQUEST_ID, shown.clone());
    }
    let span =
        tracing::info_span!("request", request.id = %id, http.method = %method, url.path = %path(&request));
    async {
        let answer = match names_its_host(&request) {
            true => tokio::time::timeout(longest, next.run(request)).await.unwrap_or_else(|_| too_slow()),
            false => no_host(),
        };
        let mut answer = in_json(answer);
        if let Ok(shown) = shown {
            answer.headers_mut().insert(REQUEST_ID, shown);
        }
        record(&method, route.as_ref(), answer.status(), start.elapsed(), &meters);
        answer
    }
    .instrument(span)
    .await
}

/// Whether `Host` is sent once, as a host and perhaps a port, so that no proxy reads another one. Before HTTP/1.1 it may be
/// left out. RFC 9112 §3.2.
fn names_its_host(request: &Request) -> bool {
    let mut sent = request.headers().get_all(header::HOST).iter();
    match (sent.next(), sent.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(host), None) => is_host(host),
        (Some(_), Some(_)) => false,
    }
}

/// RFC 9110 §7.2. Nothing is a host, too: what a request says that is for none.
fn is_host(value: &HeaderValue) -> bool {
    let is_port = |rest: &str| {
        rest.is_empty()
            || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    value.is_empty()
        || Authority::try_from(value.as_bytes())
            .is_ok_and(|authority| authority.as_str().strip_prefix(authority.host()).is_some_and(is_port))
}

fn no_host() -> Response {
    let description = "Host: must be sent once, as a host and perhaps a port";
    error_response(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, description)
}

/// The most that a log shows of a path, in bytes.
const LONGEST_SHOWN: usize = 256;

/// The path as a log may show it, not longer than tells what it is: servers take more than ASCII there, and terminals obey some of
/// it.
fn path(request: &Request) -> Cow<'_, str> {
    let path = request.uri().path();
    let path: Cow<'_, str> =
        if path.is_ascii() { path.into() } else { path.escape_default().to_string().into() };
    if path.len() > LONGEST_SHOWN { format!("{}…", &path[..LONGEST_SHOWN]).into() } else { path }
}

fn record(method: &Method, route: Option<&MatchedPath>, status: StatusCode, took: Duration, meters: &Meters) {
    // Labels come from what is served, never from what was sent, so that nobody can multiply them.
    let route = route.map_or("none", MatchedPath::as_str);
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    };
    meters.count(route, method, status, took);
    let code = status.as_u16();
    if status.is_server_error() {
        tracing::warn!(http.status = code, "answered {code} after {took:?}");
    } else {
        tracing::debug!(http.status = code, "answered {code} after {took:?}");
    }
}

/// The caller's identifier when it is a plain word of at most 128 characters, a new one otherwise.
fn request_id(request: &Request) -> String {
    let sane = |id: &&str| {
        !id.is_empty()
            && id.len() <= 128
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(new_request_id, str::to_owned)
}

fn new_request_id() -> String {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// An error that is neither in JSON nor a page for people yet, made so: what a layer or the router answered by itself. Its `Allow` stays.
fn in_json(answer: Response) -> Response {
    let status = answer.status();
    let is_written = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json" || value.as_bytes().starts_with(b"text/html"));
    if is_written || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let code = if status.is_server_error() { ErrorCode::ServerError } else { ErrorCode::InvalidRequest };
    let description = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            "this method is not allowed here; the header Allow lists those that are"
        }
        _ => status.canonical_reason().unwrap_or("the request failed"),
    };
    let mut response = error_response(status, code, description);
    for (name, value) in answer.headers() {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

fn too_slow() -> Response {
    let description = "the request took too long; try again later";
    let mut response =
        error_response(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable, description);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

fn server_error() -> Response {
    tracing::error!("a request panicked");
    error_response(
        StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::ServerError,
        "the server failed; this is its fault",
    )
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(request: http::request::Builder) -> (StatusCode, http::HeaderMap, serde_json::Value) {
        #[allow(clippy::unused_async)] // A handler is async.
        async fn panics() {
            panic!("as the test wants it");
        }
        let routes = Router::new()
            .route("/", get(|| async { "home" }))
            .route("/panics", get(panics))
            .route("/never", get(std::future::pending::<&'static str>))
            .fallback(not_found);
        let app = Router::new().merge(routes);
        let app = app.layer(CatchPanicLayer::custom(|_| server_error())).layer(from_fn(|request, next| {
            observed(request, next, Duration::from_millis(50), Arc::default())
        }));
        let mut request = request.body(Body::empty()).unwrap();
        if !request.headers().contains_key("x-no-host") {
            request.headers_mut().append(header::HOST, HeaderValue::from_static("id.example"));
        }
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn every_error_is_json() {
        for (request, status, error) in [
            (Request::get("/nowhere"), 404, "invalid_request"),
            (Request::delete("/"), 405, "invalid_request"),
            (Request::get("/panics"), 500, "server_error"),
            (Request::get("/never"), 503, "temporarily_unavailable"),
        ] {
            let (found, headers, body) = answer(request).await;
            assert_eq!((found.as_u16(), body["error"].as_str()), (status, Some(error)));
            assert_eq!(headers.contains_key("allow"), status == 405);
            assert_eq!(headers.contains_key("retry-after"), status == 503);
        }
    }

    #[test]
    fn a_log_shows_a_path_in_ascii_and_not_endlessly() {
        let shown = |uri: &str| path(&Request::get(uri).body(Body::empty()).unwrap()).into_owned();
        assert_eq!(shown("/a/b?c"), "/a/b");
        assert_eq!(shown(&format!("/{}", "a".repeat(9999))), format!("/{}…", "a".repeat(255)));
        assert_eq!(shown(&format!("/{}", "é".repeat(9999))).chars().count(), 257);
    }

    #[tokio::test]
    async fn a_request_keeps_its_identifier_when_it_is_a_plain_word() {
        let (_, headers, _) = answer(Request::get("/").header("x-request-id", "abc-1.2_3")).await;
        assert_eq!(headers["x-request-id"], "abc-1.2_3");
        for bad in ["", "a b", "a\"b", &"a".repeat(129)] {
            let (_, headers, _) = answer(Request::get("/").header("x-request-id", bad)).await;
            assert_eq!(headers["x-request-id"].len(), 36, "{bad:?}");
        }
    }

    /// RFC 9112 §3.2
    #[tokio::test]
    async fn a_request_names_its_host_once() {
        let silent = || Request::get("/").header("x-no-host", "");
        for host in ["id.example", "id.example:8443", "id.example:", "127.0.0.1:80", "[::1]:80", ""] {
            let (status, ..) = answer(silent().header("host", host)).await;
            assert_eq!(status, 200, "{host:?}");
        }
        for host in ["a b/@", "a@b", "a/b", "a:b", "a:1:2", "a, b", "a?b", "[::1", "https://id.example"] {
            let (status, _, body) = answer(silent().header("host", host)).await;
            assert_eq!((status.as_u16(), body["error"].as_str()), (400, Some("invalid_request")), "{host:?}");
        }
        // The helper adds one.
        let (status, ..) = answer(Request::get("/").header("host", "id.example")).await;
        assert_eq!(status, 400, "two");
        let (status, ..) = answer(silent()).await;
        assert_eq!(status, 400, "none");
        let (status, ..) = answer(silent().version(Version::HTTP_10)).await;
        assert_eq!(status, 200, "HTTP/1.0");
        let (status, ..) = answer(Request::get("https://other.example/")).await;
        assert_eq!(status, 200, "absolute-form");
    }
}
