//! `?dry_run=true`: the same judgement, and nothing stored.

use std::sync::Arc;

use axum::body::Body;
use enroll_access::{Gate, InitialAccessTokens, NewInitialAccessToken, Policy as _, issue, policy};
use enroll_oauth_types::{Clock as _, SystemRandom};
use enroll_store::{ClientStore as _, MemoryStore, Page, TokenStore as _};
use enroll_testkit::{Answer, Identity, StandingClock, TestApp, as_update};
use http::{Request, header};
use serde_json::{Value, json};

/// An app that anybody may register with, and a token with one use.
async fn app_and_token() -> (TestApp, Arc<MemoryStore>, String) {
    let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(StandingClock::default()));
    let one_use = NewInitialAccessToken { uses: Some(1), ..NewInitialAccessToken::default() };
    let (secret, token) = issue(one_use, clock.now(), &SystemRandom).unwrap();
    store.put(&token).await.unwrap();
    let gate = Gate::require(policy::initial_access_token().or(policy::open()))
        .authenticate(InitialAccessTokens::in_store(store.clone(), clock));
    let app = TestApp::build(|builder| builder.gate(gate).clients(store.clone()));
    (app, store, secret.expose().to_owned())
}

async fn post(caller: &Identity, query: &str, body: &str) -> Answer {
    let request = Request::post(format!("/connect/dcr?{query}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()));
    caller.send(request.unwrap()).await
}

#[tokio::test]
async fn a_known_caller_learns_what_would_become_of_its_request_and_uses_up_nothing() {
    let (app, store, token) = app_and_token().await;
    let caller = app.bearer(&token);
    let good = json!({ "redirect_uris": ["https://app.example/cb"], "scope": "openid nowhere" }).to_string();
    for _ in 0..3 {
        let answer = post(&caller, "dry_run=true", &good).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{answer:?}");
        let report = answer.json();
        assert_eq!((&report["accepted"], &report["refusal"]), (&json!(true), &Value::Null));
        assert_eq!(report["effective"]["scope"], "openid");
        let steps = report["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["outcome"] == "passed"), "{report}");
        let scope = steps.iter().find(|step| step["step"] == "scope").unwrap();
        assert_eq!(scope["notes"][0]["member"], "scope");
        assert!(!answer.body.contains("enr_"), "no secret is made: {answer:?}");
    }
    assert!(store.list(Page { after: None, limit: 1 }).await.unwrap().is_empty());
    assert_eq!(post(&caller, "dry_run=false", &good).await.status, 201);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_step() {
    let (app, _, token) = app_and_token().await;
    for (body, step, error) in [
        (r#"{"redirect_uris":["javascript:alert(1)"]}"#, "redirect_uris", "invalid_redirect_uri"),
        ("{", "read", "invalid_client_metadata"),
    ] {
        let answer = post(&app.bearer(&token), "dry_run=true", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let report = answer.json();
        assert_eq!((&report["accepted"], &report["refusal"]["error"]), (&json!(false), &json!(error)));
        let outcome = |outcome: &str| {
            let mut steps = report["steps"].as_array().unwrap().iter();
            steps.find(|step| step["outcome"] == outcome).unwrap()["step"].clone()
        };
        assert_eq!(outcome("refused"), step);
        assert_ne!(outcome("not reached"), step);
        assert_eq!(report["effective"], Value::Null);
    }
}

/// RFC 6750 §3.1
#[tokio::test]
async fn a_dry_run_is_not_for_everybody_and_never_taken_for_a_registration() {
    let (app, store, token) = app_and_token().await;
    let good = r#"{"redirect_uris":["https://app.example/cb"]}"#;
    let answer = post(&app.anonymous(), "dry_run=true", good).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"enroll\"");
    for odd in ["dry_run", "dry_run=", "dry_run=1", "dry_run=TRUE", "dry_run=true&dry_run=true"] {
        let answer = post(&app.bearer(&token), odd, good).await;
        assert_eq!(answer.status, 400, "{odd}");
        assert!(answer.json()["error_description"].as_str().unwrap().starts_with("dry_run:"));
    }
    assert!(store.list(Page { after: None, limit: 1 }).await.unwrap().is_empty());
    assert_eq!(post(&app.anonymous(), "other=1", good).await.status, 201);
}

#[tokio::test]
async fn a_dry_run_of_a_change_changes_nothing() {
    let app = TestApp::open();
    let registered = app.anonymous().register(json!({ "redirect_uris": ["https://app.example/cb"] })).await;
    let registered = registered.json();
    let owner = app.bearer(registered["registration_access_token"].as_str().unwrap());
    let uri = registered["registration_client_uri"].as_str().unwrap();
    let dry = format!("{uri}?dry_run=true");
    let mut body = as_update(&registered);
    body["client_name"] = "New".into();
    for answer in [owner.update(&dry, &body).await, owner.delete(&dry).await] {
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert!(owner.read(uri).await.json().get("client_name").is_none());
}
