//! What somebody left out, and what is taken away later: neither comes back by another door. OpenID Connect Core 1.0
//! §3.1.2.4, §5.5, RFC 8707 §2.2.

use enroll_provider::{Catalog, Resource, ScopeMeaning};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, Client, ISSUER, Server, claims};

const FIRST: &str = "https://api.example/1";
const SECOND: &str = "https://api.example/2";
const EMAIL: &str = r#"{"userinfo":{"email":null},"id_token":{"email":null}}"#;

/// Alice is asked for this, leaves in only these scopes, and wants it remembered.
async fn leaves_in(
    browser: &mut Browser<'_>,
    client: &Client,
    over: &[(&str, &str)],
    scopes: &[&str],
) -> Answer {
    let page = browser.goes(&client.asks(over)).await;
    let page = browser.logs_in(page, "alice").await;
    assert!(page.asks_for_consent(), "{page:?}");
    let mut fields = vec![("decision", "allow"), ("remember", "yes")];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    browser.fills_in(&page, &fields).await
}

/// What the client gets who leaves in only these scopes.
async fn told(server: &Server, client: &Client, over: &[(&str, &str)], scopes: &[&str]) -> Value {
    let mut browser = server.browser();
    let asked = client.asks(over);
    let page = browser.goes(&asked).await;
    let page = browser.logs_in(page, "alice").await;
    let mut fields = vec![("decision", "allow")];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    let answer = browser.fills_in(&page, &fields).await;
    server.redeem(client, &asked, &answer.told("code").unwrap_or_else(|| panic!("{answer:?}"))).await.json()
}

fn audience(told: &Value) -> Value {
    claims(told["access_token"].as_str().unwrap())["aud"].clone()
}

/// OpenID Connect Core 1.0 §5.5
#[tokio::test]
async fn a_claim_that_was_left_out_is_asked_for_again() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    leaves_in(&mut browser, &client, &[("scope", "openid email"), ("claims", EMAIL)], &[]).await;
    let again = [("scope", "openid"), ("claims", EMAIL)];
    assert!(browser.goes(&client.asks(&again)).await.asks_for_consent());
    let silently = [("scope", "openid"), ("claims", EMAIL), ("prompt", "none")];
    browser.goes(&client.asks(&silently)).await.is_told("consent_required");
}

/// RFC 8707 §2.2
#[tokio::test]
async fn a_resource_that_was_left_out_is_asked_for_again() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    leaves_in(&mut browser, &client, &[("scope", "openid api1"), ("resource", FIRST)], &[]).await;
    let page = browser.goes(&client.asks(&[("scope", "openid"), ("resource", FIRST)])).await;
    assert!(page.asks_for_consent(), "{page:?}");
    assert!(browser.goes(&client.asks(&[("scope", "openid")])).await.told("code").is_some());
}

/// What the ID token says anyway is no other question. OpenID Connect Core 1.0 §2.
#[tokio::test]
async fn when_and_how_somebody_logged_in_is_no_other_question() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    leaves_in(&mut browser, &client, &[("scope", "openid")], &[]).await;
    let wish = r#"{"id_token":{"auth_time":{"essential":true},"acr":null}}"#;
    let silently = client.asks(&[("claims", wish), ("prompt", "none")]);
    assert!(browser.goes(&silently).await.told("code").is_some());
}

/// OpenID Connect Core 1.0 §5.5: a scope that nobody was asked about opens nothing that was left out.
#[tokio::test]
async fn a_claim_is_not_opened_by_a_scope_that_was_not_shown() {
    let corp = ScopeMeaning {
        name: "api1".to_owned(),
        title: None,
        description: None,
        claims: vec!["email".to_owned()],
    };
    let server = Server::with(|builder| builder.catalog(Catalog::default().with_scopes([corp]))).await;
    let client = server.register(json!({})).await;
    for (left_in, shown) in [(&[][..], false), (&["email"], true)] {
        let told = told(&server, &client, &[("scope", "openid email"), ("claims", EMAIL)], left_in).await;
        let userinfo = server.userinfo(told["access_token"].as_str().unwrap()).await.json();
        let id_token = claims(told["id_token"].as_str().unwrap());
        assert_eq!([userinfo, id_token].map(|says| says.get("email").is_some()), [shown; 2], "{left_in:?}");
    }
}

/// RFC 8707 §2.2
#[tokio::test]
async fn a_resource_whose_scopes_were_left_out_is_left_out() {
    let server = Server::new().await;
    let client = server.register(json!({})).await;
    for (left_in, for_whom) in [("api1", FIRST), ("email", ISSUER)] {
        let over = [("scope", "openid email api1"), ("resource", "HTTPS://api.example/1")];
        assert_eq!(audience(&told(&server, &client, &over, &[left_in]).await), for_whom);
    }
}

/// RFC 8707 §2.2: none is not all.
#[tokio::test]
async fn who_closes_the_one_resource_that_was_named_opens_no_other() {
    let resource = |identifier: &str, scope: &str| Resource {
        identifier: identifier.to_owned(),
        scopes: vec![scope.to_owned()],
        ..Resource::default()
    };
    let catalog = Catalog::new([resource(FIRST, "api1"), resource(SECOND, "openid")]);
    let server = Server::with(|builder| builder.catalog(catalog)).await;
    let client = server.register(json!({})).await;
    let over = [("scope", "openid api1 offline_access"), ("resource", FIRST)];
    let told = told(&server, &client, &over, &["offline_access"]).await;
    assert_eq!(audience(&told), ISSUER);
    let again = server.refresh(&client, told["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(audience(&again), ISSUER);
}

/// RFC 7592 §2.2: what a client is not registered for any more is not told of, and leads nowhere.
#[tokio::test]
async fn a_scope_that_is_taken_away_takes_its_resource_and_its_claims_along() {
    let server = Server::new().await;
    let over = [("scope", "openid email api1 offline_access"), ("resource", FIRST), ("claims", EMAIL)];
    let mut client = server.register(json!({})).await;
    let told = told(&server, &client, &over, &["email", "api1", "offline_access"]).await;
    let token = told["access_token"].as_str().unwrap();
    assert_eq!(
        (audience(&told), server.userinfo(token).await.json()["email"].is_string()),
        (json!(FIRST), true)
    );
    server.update(&mut client, json!({ "scope": "openid offline_access" })).await;
    assert_eq!(server.userinfo(token).await.json().get("email"), None);
    let again = server.refresh(&client, told["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(audience(&again), ISSUER);
    assert_eq!(claims(again["id_token"].as_str().unwrap()).get("email"), None);
}

/// What somebody allows is what they were shown.
#[tokio::test]
async fn a_client_that_changed_while_somebody_was_asked_is_asked_for_again() {
    let server = Server::new().await;
    let mut client = server.register(json!({ "client_name": "Good" })).await;
    let mut browser = server.browser();
    let page = browser.goes(&client.asks(&[])).await;
    let page = browser.logs_in(page, "alice").await;
    server.update(&mut client, json!({ "client_name": "Other" })).await;
    let allows = [("decision", "allow"), ("remember", "yes")];
    let again = browser.fills_in(&page, &allows).await;
    assert!(again.asks_for_consent() && again.body.contains("Other"), "{again:?}");
    assert!(browser.fills_in(&again, &allows).await.told("code").is_some());
}
