//! RFC 7592, OAuth 2.0 Dynamic Client Registration Management Protocol: reading and deleting.

use axum::body::Body;
use enroll_testkit::TestApp;
use http::Request;
use serde_json::{Value, json};

async fn register(app: &TestApp) -> Value {
    app.anonymous()
        .register(json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App" }))
        .await
        .json()
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap()
}

/// RFC 7592 §2.1, §3
#[tokio::test]
async fn a_read_answers_what_was_registered_without_the_secret() {
    let app = TestApp::open();
    let mut registered = register(&app).await;
    let owner = app.bearer(text(&registered, "registration_access_token"));
    let answer = owner.read(text(&registered, "registration_client_uri")).await;
    assert_eq!(answer.status, 200);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let members = registered.as_object_mut().unwrap();
    members.shift_remove("client_secret");
    members.shift_remove("client_secret_expires_at");
    assert_eq!(answer.json(), registered);
}

/// RFC 7592 §2.1: 401, and never 404.
#[tokio::test]
async fn unknown_clients_and_wrong_tokens_look_alike() {
    let app = TestApp::open();
    let (one, other) = (register(&app).await, register(&app).await);
    let own = text(&one, "registration_client_uri");
    let mut answers = Vec::new();
    for (token, uri) in [
        (text(&other, "registration_access_token"), own),
        ("enr_rat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", own),
        (text(&one, "client_secret"), own),
        (text(&one, "registration_access_token"), "https://id.example/connect/dcr/unknown"),
        (text(&one, "registration_access_token"), "https://id.example/connect/dcr/%ff"),
        (text(&one, "registration_access_token"), text(&other, "registration_client_uri")),
    ] {
        for answer in [app.bearer(token).read(uri).await, app.bearer(token).delete(uri).await] {
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{token} {uri}");
            answers.push((answer.status.as_u16(), answer.body));
        }
    }
    assert_eq!(answers[0].0, 401);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let still_there = app.bearer(text(&one, "registration_access_token")).read(own).await;
    assert_eq!(still_there.status, 200);
}

/// RFC 7592 §2.3: 204 and nothing else; 401 from then on.
#[tokio::test]
async fn a_deleted_client_is_gone_for_its_owner_as_well() {
    let app = TestApp::open();
    let (registered, other) = (register(&app).await, register(&app).await);
    let owner = app.bearer(text(&registered, "registration_access_token"));
    let uri = text(&registered, "registration_client_uri");
    let answer = owner.delete(uri).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    for again in [owner.read(uri).await, owner.delete(uri).await] {
        assert_eq!(again.status, 401);
        assert!(again.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    let bystander = app.bearer(text(&other, "registration_access_token"));
    assert_eq!(bystander.read(text(&other, "registration_client_uri")).await.status, 200);
}

/// RFC 6750 §3.1: no error code when nothing was sent.
#[tokio::test]
async fn a_call_without_a_token_is_challenged() {
    let app = TestApp::open();
    let registered = register(&app).await;
    let uri = text(&registered, "registration_client_uri");
    for answer in [app.anonymous().read(uri).await, app.anonymous().delete(uri).await] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"enroll\"");
    }
}

/// RFC 6750 §2.3, §3.1
#[tokio::test]
async fn a_token_in_the_query_is_refused() {
    let app = TestApp::open();
    let registered = register(&app).await;
    let token = text(&registered, "registration_access_token");
    let uri = format!("/connect/dcr/{}?access_token={token}", text(&registered, "client_id"));
    let answer = app.anonymous().send(Request::get(uri).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains(token));
}
