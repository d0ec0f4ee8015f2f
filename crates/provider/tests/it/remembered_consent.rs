//! What somebody allowed once and is not asked again, and what is another question. OpenID Connect Core 1.0 §3.1.2.4.

use enroll_provider::{Catalog, Resource};
use serde_json::json;

use crate::harness::{Answer, Browser, Client, Server};

const NARROW: &str = "https://narrow.example";
const WIDE: &str = "https://wide.example";

/// A server where one scope leads to two resources.
async fn server() -> Server {
    let resource = |identifier: &str| Resource {
        identifier: identifier.to_owned(),
        scopes: vec!["api1".to_owned()],
        ..Resource::default()
    };
    Server::with(|builder| builder.catalog(Catalog::new([resource(NARROW), resource(WIDE)]))).await
}

/// Alice allows this, and wants it remembered.
async fn remembers(browser: &mut Browser<'_>, client: &Client, over: &[(&str, &str)]) {
    let page = browser.goes(&client.asks(over)).await;
    let page = browser.logs_in(page, "alice").await;
    assert!(page.asks_for_consent(), "{page:?}");
    let fields = [("decision", "allow"), ("remember", "yes"), ("scope", "api1")];
    let answer = browser.fills_in(&page, &fields).await;
    assert!(answer.told("code").is_some(), "{answer:?}");
}

async fn asks_again(browser: &mut Browser<'_>, client: &Client, over: &[(&str, &str)]) -> Answer {
    browser.goes(&client.asks(over)).await
}

/// RFC 8707 §2.2: without `resource`, a token is for all that the scopes lead to.
#[tokio::test]
async fn what_was_allowed_for_one_resource_is_not_allowed_for_all() {
    let server = server().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    let narrow = [("scope", "openid api1"), ("resource", NARROW)];
    remembers(&mut browser, &client, &narrow).await;
    assert!(asks_again(&mut browser, &client, &narrow).await.told("code").is_some());
    for wider in [&[("scope", "openid api1")][..], &[("scope", "openid api1"), ("resource", WIDE)]] {
        let page = asks_again(&mut browser, &client, wider).await;
        assert!(page.asks_for_consent(), "{wider:?}");
    }
}

#[tokio::test]
async fn what_was_allowed_for_all_resources_is_allowed_for_one() {
    let server = server().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    remembers(&mut browser, &client, &[("scope", "openid api1")]).await;
    let one = asks_again(&mut browser, &client, &[("scope", "openid api1"), ("resource", WIDE)]).await;
    assert!(one.told("code").is_some(), "{one:?}");
}

/// OpenID Connect Core 1.0 §5.5: `claims` opens what no scope of the request does.
#[tokio::test]
async fn a_claim_that_was_not_asked_for_before_is_another_question() {
    let server = server().await;
    let client = server.register(json!({})).await;
    let mut browser = server.browser();
    let name = ("claims", r#"{ "userinfo": { "name": null } }"#);
    remembers(&mut browser, &client, &[("scope", "openid api1"), name]).await;
    assert!(asks_again(&mut browser, &client, &[("scope", "openid"), name]).await.told("code").is_some());
    assert!(asks_again(&mut browser, &client, &[("scope", "openid")]).await.told("code").is_some());
    for more in [r#"{ "userinfo": { "email": null } }"#, r#"{ "id_token": { "email": null } }"#] {
        let page = asks_again(&mut browser, &client, &[("scope", "openid"), ("claims", more)]).await;
        assert!(page.asks_for_consent(), "{more}");
    }
}
