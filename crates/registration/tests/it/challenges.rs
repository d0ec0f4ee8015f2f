//! RFC 6750 §3 and RFC 7591 §3: who may register, and how the others are turned away.

use std::time::Duration;

use axum::body::Body;
use enroll_access::{NewInitialAccessToken, issue};
use enroll_oauth_types::Clock as _;
use enroll_store::TokenStore as _;
use enroll_testkit::{RepeatableRandom, TestApp};
use http::{Request, header};
use serde_json::{Value, json};

fn minimal() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"] })
}

/// RFC 6750 §3.1
#[tokio::test]
async fn nobody_is_challenged_without_an_error_code() {
    let app = TestApp::protected();
    let answer = app.anonymous().register(minimal()).await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Bearer realm=\"enroll\""));
    assert_eq!(answer.json()["error"], "invalid_token");
}

#[tokio::test]
async fn an_initial_access_token_registers_as_often_as_it_says() {
    let app = TestApp::protected();
    let holder = app.holder_of_initial_access_token(2).await;
    assert_eq!(holder.register(minimal()).await.status, 201);
    assert_eq!(holder.register(minimal()).await.status, 201);
    let third = holder.register(minimal()).await;
    assert_eq!(third.status, 401);
    assert!(third.header("www-authenticate").contains("error=\"invalid_token\""));
    assert_eq!(app.clients().await, 2);
}

/// RFC 6750 §3.1
#[tokio::test]
async fn an_initial_access_token_registers_until_it_expires() {
    let app = TestApp::protected();
    let now = app.clock.now();
    let new = NewInitialAccessToken { expires_at: Some(now + Duration::from_mins(1)), ..Default::default() };
    let (secret, token) = issue(new, now, &RepeatableRandom::default()).unwrap();
    app.store.put(&token).await.unwrap();
    let holder = app.bearer(secret.expose());
    app.clock.advance(59);
    assert_eq!(holder.register(minimal()).await.status, 201);
    app.clock.advance(1);
    assert_eq!(holder.register(minimal()).await.status, 401);
    assert_eq!(app.clients().await, 1);
}

#[tokio::test]
async fn a_refused_registration_uses_up_nothing() {
    let app = TestApp::protected();
    let holder = app.holder_of_initial_access_token(1).await;
    for bad in
        [json!({}), json!({ "redirect_uris": ["javascript:x"] }), json!([]), json!({ "redirect_uris": 1 })]
    {
        assert_eq!(holder.register(bad).await.status, 400);
    }
    assert_eq!(holder.register(minimal()).await.status, 201);
}

/// Incident `token_count_race`
#[tokio::test]
async fn a_token_of_three_uses_makes_three_clients_however_many_ask_at_once() {
    let app = TestApp::protected();
    let holder = std::sync::Arc::new(app.holder_of_initial_access_token(3).await);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let holder = holder.clone();
            tokio::spawn(async move { holder.register(minimal()).await.status.as_u16() })
        })
        .collect();
    let mut registered = 0;
    for task in tasks {
        registered += usize::from(task.await.unwrap() == 201);
    }
    assert_eq!((registered, app.clients().await), (3, 3));
}

/// RFC 6750 §3.1
#[tokio::test]
async fn an_unknown_token_is_told_so_even_where_anybody_may_register() {
    for app in [TestApp::open(), TestApp::protected()] {
        let answer = app.bearer("enr_iat_unknown").register(minimal()).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
        assert_eq!(answer.json()["error"], "invalid_token");
    }
}

/// RFC 6750 §2.1, §3.1
#[tokio::test]
async fn two_credentials_and_malformed_ones_are_bad_requests() {
    let app = TestApp::open();
    for headers in [&["Bearer"][..], &["Bearer a", "Bearer b"], &["Bearer a b"], &["Bearer \u{e9}"]] {
        let mut request = Request::post("/connect/dcr").header(header::CONTENT_TYPE, "application/json");
        for value in headers {
            request = request.header(header::AUTHORIZATION, *value);
        }
        let answer = app.anonymous().send(request.body(Body::from(minimal().to_string())).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]),
            (400, &json!("invalid_request")),
            "{headers:?}"
        );
    }
}
