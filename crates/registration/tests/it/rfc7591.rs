//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol.

use axum::body::Body;
use enroll_access::{Gate, Terms, policy};
use enroll_oauth_types::Seconds;
use enroll_registration::{Rules, UnknownMembers};
use enroll_testkit::{Answer, TestApp};
use http::{Method, Request, header};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn minimal() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"] })
}

async fn post(app: &TestApp, content_type: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post("/connect/dcr");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    app.anonymous().send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// RFC 7591 §3.2.1
#[tokio::test]
async fn the_answer_is_the_golden_response() {
    let app = TestApp::open();
    let answer = app.anonymous().register(minimal()).await;
    assert_snapshot!(answer.status, @"201 Created");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("location"), answer.json()["registration_client_uri"].as_str().unwrap());
    assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap());
}

/// RFC 7591 §3.2.1: `client_secret_expires_at` is required if a secret is issued.
#[tokio::test]
async fn secret_and_expiry_come_together_or_not_at_all() {
    let app = TestApp::open();
    for (method, secret) in [("client_secret_basic", true), ("client_secret_post", true), ("none", false)] {
        let mut metadata = minimal();
        metadata["token_endpoint_auth_method"] = method.into();
        let body = app.anonymous().register(metadata).await.json();
        assert_eq!(body.get("client_secret").is_some(), secret, "{method}");
        assert_eq!(body.get("client_secret_expires_at").is_some(), secret, "{method}");
    }
}

/// RFC 7591 §3.2.1: when the secret expires, in seconds since 1970.
#[tokio::test]
async fn a_secret_with_an_end_says_when_it_ends() {
    let terms = Terms { secret_lifetime: Seconds::new(60), ..Terms::default() };
    let app =
        TestApp::build(|builder| builder.gate(Gate::require(policy::Policy::on(policy::open(), terms))));
    let body = app.anonymous().register(minimal()).await.json();
    let issued_at = body["client_id_issued_at"].as_u64().unwrap();
    assert_eq!(body["client_secret_expires_at"].as_u64(), Some(issued_at + 60));
}

/// RFC 7591 §3.2.1
#[tokio::test]
async fn every_registration_gets_an_identifier_and_secrets_of_its_own() {
    let app = TestApp::open();
    let (one, other) =
        (app.anonymous().register(minimal()).await.json(), app.anonymous().register(minimal()).await.json());
    for member in ["client_id", "client_secret", "registration_access_token", "registration_client_uri"] {
        assert_ne!(one[member], other[member], "{member}");
    }
    assert_eq!(app.clients().await, 2);
}

/// RFC 7591 §3.1
#[tokio::test]
async fn only_json_is_read() {
    let app = TestApp::open();
    for content_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
    {
        let answer = post(&app, content_type, &minimal().to_string()).await;
        assert_eq!(answer.status, 415, "{content_type:?}");
        assert_eq!(answer.json()["error"], "invalid_request");
    }
    for content_type in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
        assert_eq!(
            post(&app, Some(content_type), &minimal().to_string()).await.status,
            201,
            "{content_type}"
        );
    }
}

/// RFC 9110 §15.5.6
#[tokio::test]
async fn other_methods_are_answered_in_json_with_what_is_allowed() {
    let app = TestApp::open();
    for (path, allowed, method) in [
        ("/connect/dcr", "POST", Method::GET),
        ("/connect/dcr", "POST", Method::DELETE),
        ("/register", "POST", Method::PUT),
        ("/connect/dcr/x", "GET, PUT, DELETE", Method::POST),
        ("/connect/dcr/x", "GET, PUT, DELETE", Method::PATCH),
    ] {
        let request = Request::builder().method(method.clone()).uri(path).body(Body::empty()).unwrap();
        let answer = app.anonymous().send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{method} {path}");
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

/// A read may bring another token, and the answer to HEAD shows none.
#[tokio::test]
async fn nobody_reads_a_registration_by_head() {
    let app = TestApp::open();
    for (path, allowed) in [("/connect/dcr", "POST"), ("/connect/dcr/x", "GET, PUT, DELETE")] {
        let request = Request::head(path).body(Body::empty()).unwrap();
        let answer = app.anonymous().send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{path}");
    }
}

#[tokio::test]
async fn the_alias_registers_too() {
    let app = TestApp::open();
    let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
    let answer = app.anonymous().send(request.body(Body::from(minimal().to_string())).unwrap()).await;
    assert_eq!(answer.status, 201);
    let uri = answer.json()["registration_client_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("https://id.example/connect/dcr/"), "{uri}");
}

/// Fetch §3.2: scripts of any origin, without credentials.
#[tokio::test]
async fn a_browser_may_register_from_any_origin() {
    let app = TestApp::open();
    let preflight = Request::options("/connect/dcr")
        .header(header::ORIGIN, "http://localhost:6274")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type,mcp-protocol-version");
    let answer = app.anonymous().send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, "*"));
    for name in ["authorization", "content-type", "dpop", "mcp-protocol-version"] {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), "");

    let request = Request::post("/connect/dcr").header(header::ORIGIN, "http://localhost:6274");
    let answer = app.anonymous().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for name in ["www-authenticate", "retry-after", "location", "dpop-nonce"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
}

/// RFC 7591 §2
#[tokio::test]
async fn unknown_members_are_dropped_kept_or_refused() {
    for (policy, status, kept) in [
        (UnknownMembers::Drop, 201, false),
        (UnknownMembers::Keep, 201, true),
        (UnknownMembers::Refuse, 400, false),
    ] {
        let mut rules = Rules::default();
        rules.unknown_members = policy;
        let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(rules));
        let mut metadata = minimal();
        metadata["x_own"] = json!({ "b": 1, "a": [2] });
        let answer = app.anonymous().register(metadata).await;
        assert_eq!(answer.status, status, "{policy:?}");
        assert_eq!(answer.body.contains(r#""x_own":{"b":1,"a":[2]}"#), kept, "{policy:?}");
    }
}

#[tokio::test]
async fn a_kept_member_cannot_pass_for_one_that_only_the_server_gives() {
    let mut rules = Rules::default();
    rules.unknown_members = UnknownMembers::Keep;
    let app = TestApp::build(|builder| builder.gate(Gate::require(policy::open())).rules(rules));
    let mut metadata = minimal();
    metadata["client_id"] = "mine".into();
    metadata["registration_access_token"] = "mine".into();
    assert!(!app.anonymous().register(metadata).await.body.contains("mine"));
}

/// RFC 6749 §5.2
#[tokio::test]
async fn an_error_quotes_nothing_dangerous() {
    let app = TestApp::open();
    let answer = app.anonymous().register(json!({ "redirect_uris": ["<script>\u{202e}\"\\"] })).await;
    let description = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(
        description.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)),
        "{description}"
    );
    assert!(!description.contains('<'), "{description}");
}
