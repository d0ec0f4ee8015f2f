//! One client for all who register the same, where the operator wants that. RFC 7591 §3.2.1.

use std::sync::Arc;

use enroll_access::{Gate, InitialAccessTokens, Policy as _, policy};
use enroll_oauth_types::{ClientId, Clock as _};
use enroll_registration::Rules;
use enroll_store::{Client, ClientReader as _, ClientStore as _, MemoryStore};
use enroll_testkit::TestApp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Anybody may register, and reuse is on.
fn app() -> TestApp {
    let mut rules = Rules::default();
    rules.reuse_identical = true;
    TestApp::build(|builder| builder.rules(rules).gate(Gate::require(policy::open())))
}

fn public() -> Value {
    json!({
        "client_name": "Desktop",
        "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
    })
}

async fn registered(app: &TestApp, metadata: Value) -> Value {
    let answer = app.anonymous().register(metadata).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn id(registered: &Value) -> ClientId {
    registered["client_id"].as_str().unwrap().into()
}

#[tokio::test]
async fn the_same_registration_is_given_the_same_client_and_nobody_its_management() {
    let app = app();
    let first = registered(&app, public()).await;
    app.clock.advance(60);
    let second = registered(&app, public()).await;
    assert_eq!(first, second, "client_id_issued_at is that of the client");
    assert_eq!(app.clients().await, 1);
    for member in ["registration_access_token", "registration_client_uri", "client_secret"] {
        assert!(first.get(member).is_none(), "{member}");
    }
    let stored = app.store.client(&id(&first)).await.unwrap().unwrap();
    assert!(stored.registration_access_token.is_none() && stored.secrets.is_empty());
}

#[tokio::test]
async fn whoever_registers_anything_else_gets_another_client() {
    let app = app();
    let first = registered(&app, public()).await;
    for (member, value) in [
        ("client_name", json!("Other")),
        ("client_name#de", json!("Anderer")),
        ("redirect_uris", json!(["http://127.0.0.1/cb", "http://[::1]/cb"])),
        ("scope", json!("openid")),
    ] {
        let mut other = public();
        other[member] = value;
        assert_ne!(id(&registered(&app, other).await), id(&first), "{member}");
    }
    // What is only said otherwise is the same.
    let mut same = public();
    same["grant_types"] = json!(["authorization_code"]);
    same["nothing_known"] = json!(1);
    assert_eq!(registered(&app, same).await, first);
}

#[tokio::test]
async fn a_client_that_can_prove_who_it_is_is_never_shared() {
    let app = app();
    let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] });
    let with = |member: &str, value: Value| {
        let mut metadata = public();
        metadata[member] = value;
        metadata
    };
    for metadata in [
        with("token_endpoint_auth_method", json!("client_secret_basic")),
        with("jwks", jwks),
        with("jwks_uri", json!("https://app.example/jwks")),
    ] {
        let (one, other) = (registered(&app, metadata.clone()).await, registered(&app, metadata).await);
        assert_ne!(id(&one), id(&other));
        assert!(one.get("registration_access_token").is_some());
    }
}

#[tokio::test]
async fn a_caller_with_a_credential_gets_a_client_of_its_own() {
    let store = Arc::new(MemoryStore::default());
    let (mut rules, clock) = (Rules::default(), Arc::new(enroll_testkit::StandingClock::default()));
    rules.reuse_identical = true;
    let (token, stored) = enroll_access::issue(
        enroll_access::NewInitialAccessToken::default(),
        clock.now(),
        &enroll_oauth_types::SystemRandom,
    )
    .unwrap();
    enroll_store::TokenStore::put(&*store, &stored).await.unwrap();
    let tokens = InitialAccessTokens::in_store(store.clone(), clock);
    let gate = Gate::require(policy::initial_access_token().or(policy::open())).authenticate(tokens);
    let app = TestApp::build(|builder| builder.rules(rules).clients(store.clone()).gate(gate));
    let shared = registered(&app, public()).await;
    let holder = app.bearer(token.expose());
    let own = holder.register(public()).await.json();
    assert_ne!(id(&own), id(&shared));
    assert!(own.get("registration_access_token").is_some());
}

#[tokio::test]
async fn of_many_who_register_the_same_at_once_all_get_one_client() {
    let app = Arc::new(app());
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let app = app.clone();
        tasks.spawn(async move { registered(&app, public()).await });
    }
    let all = tasks.join_all().await;
    assert!(all.iter().all(|one| one == &all[0]));
    assert_eq!(app.clients().await, 1);
}

#[tokio::test]
async fn a_client_that_the_operator_disabled_is_given_to_nobody() {
    let app = app();
    let first = registered(&app, public()).await;
    let client = app.store.client(&id(&first)).await.unwrap().unwrap();
    app.store.replace(&Client { enabled: false, ..Client::clone(&client) }).await.unwrap();
    let second = registered(&app, public()).await;
    assert_ne!(id(&first), id(&second));
    assert!(second.get("registration_access_token").is_some(), "it is its own");
}

#[tokio::test]
async fn the_place_of_a_deleted_client_is_taken_by_another_that_is_shared() {
    let app = app();
    let first = registered(&app, public()).await;
    app.store.delete(&id(&first), app.clock.now()).await.unwrap();
    let (second, third) = (registered(&app, public()).await, registered(&app, public()).await);
    assert_ne!(id(&first), id(&second));
    assert_eq!(second, third);
}

/// Otherwise it could be taken for unused before it is used.
#[tokio::test]
async fn a_registration_is_a_sign_of_life_once_an_hour() {
    let app = app();
    let first = registered(&app, public()).await;
    let start = app.clock.now();
    for (seconds, signs) in [(3_599, 0), (1, 3_600), (3_599, 3_600)] {
        app.clock.advance(seconds);
        assert_eq!(registered(&app, public()).await, first);
        let client = app.store.client(&id(&first)).await.unwrap().unwrap();
        assert_eq!(client.updated_at.seconds() - start.seconds(), signs);
    }
}

#[tokio::test]
async fn by_default_everybody_gets_a_client_of_its_own() {
    let app = TestApp::open();
    let (one, other) = (registered(&app, public()).await, registered(&app, public()).await);
    assert_ne!(id(&one), id(&other));
}
