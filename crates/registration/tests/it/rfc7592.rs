//! RFC 7592, OAuth 2.0 Dynamic Client Registration Management Protocol.

use axum::body::Body;
use enroll_testkit::{Identity, TestApp, as_update};
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

/// A registered client and its owner.
async fn owned(app: &TestApp, metadata: Value) -> (Value, Identity, String) {
    let registered = app.anonymous().register(metadata).await.json();
    let owner = app.bearer(text(&registered, "registration_access_token"));
    let uri = text(&registered, "registration_client_uri").to_owned();
    (registered, owner, uri)
}

/// RFC 7592 §2.2: it replaces, and does not merge.
#[tokio::test]
async fn an_update_replaces_the_whole_registration() {
    let app = TestApp::open();
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"], "client_name": "App", "tos_uri": "https://app.example/tos" });
    let (registered, owner, uri) = owned(&app, metadata).await;
    let mut body = as_update(&registered);
    body["client_name"] = "New".into();
    body["redirect_uris"] = json!(["https://app.example/cb", "https://app.example/other"]);
    body.as_object_mut().unwrap().shift_remove("tos_uri");
    let updated = owner.update(&uri, &body).await;
    assert_eq!((updated.status.as_u16(), updated.header("cache-control")), (200, "no-store"));
    let json = updated.json();
    assert_eq!(
        (&json["client_name"], &json["redirect_uris"]),
        (&body["client_name"], &body["redirect_uris"])
    );
    assert!(json.get("tos_uri").is_none(), "{json}");
    for kept in ["client_id", "client_id_issued_at", "registration_client_uri"] {
        assert_eq!(json[kept], registered[kept], "{kept}");
    }
    assert_eq!(owner.read(&uri).await.json(), json);
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_that_says_what_it_may_not_is_refused_and_changes_nothing() {
    let app = TestApp::open();
    let (registered, owner, uri) = owned(&app, json!({ "redirect_uris": ["https://app.example/cb"] })).await;
    let before = owner.read(&uri).await.json();
    for (member, value) in [
        ("client_id", json!("another")),
        ("client_id", json!(null)),
        ("client_secret", json!("chosen")),
        ("registration_access_token", registered["registration_access_token"].clone()),
        ("registration_client_uri", registered["registration_client_uri"].clone()),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", registered["client_id_issued_at"].clone()),
        ("redirect_uris", json!(["https://app.example/#fragment"])),
        ("redirect_uris", json!([])),
    ] {
        let mut body = as_update(&registered);
        body[member] = value;
        let answer = owner.update(&uri, &body).await;
        assert_eq!(answer.status, 400, "{member}: {answer:?}");
        assert!(answer.json()["error_description"].as_str().unwrap().starts_with(member), "{answer:?}");
        assert_eq!(owner.read(&uri).await.json(), before, "{member}");
    }
}

/// RFC 7592 §2.2: a secret belongs to a client that authenticates with one.
#[tokio::test]
async fn a_secret_comes_and_goes_with_the_method_that_needs_it() {
    let app = TestApp::open();
    let (registered, owner, uri) = owned(&app, json!({ "redirect_uris": ["https://app.example/cb"] })).await;
    let mut public = as_update(&registered);
    public["token_endpoint_auth_method"] = "none".into();
    let answer = owner.update(&uri, &public).await.json();
    assert!(answer.get("client_secret").is_none(), "{answer}");
    let mut confidential = as_update(&answer);
    confidential["token_endpoint_auth_method"] = "client_secret_post".into();
    let answer = owner.update(&uri, &confidential).await.json();
    assert!(text(&answer, "client_secret") != text(&registered, "client_secret"), "{answer}");
    assert_eq!(answer["client_secret_expires_at"], 0);
    let again =
        app.bearer(text(&answer, "registration_access_token")).update(&uri, &as_update(&answer)).await.json();
    assert!(again.get("client_secret").is_none(), "a secret is shown once: {again}");
}

/// A client is held to the terms that it came in on, and to their present form.
#[tokio::test]
async fn an_update_gives_no_more_than_the_registration_could() {
    let app = TestApp::open();
    let (registered, owner, uri) = owned(&app, json!({ "redirect_uris": ["https://app.example/cb"] })).await;
    let mut body = as_update(&registered);
    body["require_consent"] = false.into();
    body["access_token_lifetime"] = 2_000_000_000.into();
    let answer = owner.update(&uri, &body).await.json();
    assert!(answer.get("require_consent").is_none(), "{answer}");
    assert_eq!(answer["access_token_lifetime"], 86_400);
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
        let caller = app.bearer(token);
        let update = caller.update(uri, &json!("not even an object")).await;
        for answer in [caller.read(uri).await, update, caller.delete(uri).await] {
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
    let late = owner.update(uri, &as_update(&registered)).await;
    for again in [owner.read(uri).await, late, owner.delete(uri).await] {
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
    let nobody = app.anonymous();
    for answer in [nobody.read(uri).await, nobody.update(uri, &json!({})).await, nobody.delete(uri).await] {
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
